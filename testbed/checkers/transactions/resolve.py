"""Which write every read saw: the first step of every judgement of unique-value registers.

A history in which no value is written twice to a key says of each read which transaction it read
from. What a read cannot have seen under any level from read committed on is found here: a value
that nobody wrote (thin air), one of a transaction that failed (aborted), one that its writer
overwrote in the same transaction (intermediate), one that the reader itself writes later (future),
and another than the reader's own last write (internal). These are the conditions under which
Biswas and Enea ("On the Complexity of Checking Transactional Consistency", OOPSLA 2019) define
levels by axioms on a commit order.
"""

from __future__ import annotations

# A kernel takes its arrays one by one and is one loop: calls and objects would cost its speed.
# ruff: noqa: C901, PLR0912, PLR0917
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.kernel import kernel
from testbed.history.operation_table import Integers, Small
from testbed.history.problem import PROBLEMS_MAX, HistoryError, Problem
from testbed.history.transaction_table import Read, TransactionTable

Rows = NDArray[np.int32]
Flags = NDArray[np.bool_]

INITIAL = -1
"""In place of the transaction that was read from: the initial state."""
OWN = -2
NOT_READ = -3
THIN_AIR = -4
ABORTED = -5
INTERMEDIATE = -6
FUTURE = -7
INTERNAL = -8

MISREADS = {
    THIN_AIR: "garbage-read",
    ABORTED: "G1a",
    INTERMEDIATE: "G1b",
    FUTURE: "future-read",
    INTERNAL: "internal",
}
"""What is wrong with a read, by its number in ``Resolved.source``."""

OK, FAIL = 1, 2
READ, WRITE = 0, 1
NOTHING, UNSEEN = -1, -2
NO_VALUE = -9
"""Equals no value of a read, nor :data:`NOTHING`."""
SLOTS_PER_WRITE = 2


class RepeatedWriteError(HistoryError):
    """A value is written twice to a key, or is the initial one: reads of it can mean both."""


@dataclass(frozen=True)
class Resolved:
    """A history of unique-value registers, its reads resolved.

    Only committed transactions have reads, writes and a place in a session: those that are known to
    have committed, and indeterminate ones of which a committed transaction read a write.

    Args:
        table: The history.
        committed: Whether the transaction took effect, one a row.
        source: For a read the row of the transaction that it saw or a code of this module; for a
            write :data:`OWN` if it is the last of its key in its transaction.
        previous: The row before it in its session, -1 for none, one a row. An indeterminate
            transaction has one and is nobody's: it may have taken effect after its successors.
        chain: Number of the chain of transactions that it belongs to: its process, or a chain of
            its own.
        position: Its place in the chain, from 0.
        chains: How many chains there are.
        read_first: Reads of row ``t`` are ``read_first[t]`` to ``read_first[t + 1]``, in program
            order, those of the own writes left out.
        read_key: Key of the read.
        read_source: Row of the transaction that it read from, or :data:`INITIAL`.
        read_op: The micro-operation.
        write_first: As ``read_first``, for the last write to each key.
        write_key: Key of the write.
        write_op: The micro-operation.
    """

    table: TransactionTable
    committed: Flags
    source: Rows
    previous: Rows
    chain: Rows
    position: Rows
    chains: int
    read_first: Rows
    read_key: Rows
    read_source: Rows
    read_op: Rows
    write_first: Rows
    write_key: Rows
    write_op: Rows

    def __len__(self) -> int:
        return len(self.table)

    @property
    def work(self) -> int:
        """Micro-operations: what kernels are chosen by."""
        return len(self.table.key)

    def without_sessions(self) -> Resolved:
        """The same with each transaction in a session of its own."""
        rows = len(self)
        alone, chain = np.full(rows, -1, np.int32), np.arange(rows, dtype=np.int32)
        return dataclasses.replace(self, previous=alone, chain=chain, chains=rows)

    def row_of(self, op: int) -> int:
        """The transaction of a micro-operation."""
        return int(np.searchsorted(self.table.first, op, side="right")) - 1


def resolve(table: TransactionTable, init: Any = None) -> Resolved:
    """Find what every read saw.

    Args:
        table: Transactions of reads and writes.
        init: The initial value of every key.

    Raises:
        RepeatedWriteError: A value is written twice to a key.
        HistoryError: There is an append.
    """
    rows, ops = len(table), len(table.key)
    _refuse_appends(table)
    row_of = np.repeat(np.arange(rows, dtype=np.int32), np.diff(table.first))
    writes = int(np.count_nonzero(table.access == WRITE))
    slots = np.full(_power_of_two(SLOTS_PER_WRITE * writes + 1), -1, np.int32)
    repeated = np.zeros((PROBLEMS_MAX, 2), np.int64)
    initial, null = _codes(table, init)
    found = index_writes.for_rows(ops)(
        table.first, table.access, table.key, table.value, table.outcome, slots, repeated
    )
    if found:
        problems = _repetitions(table, row_of, repeated, found)
        raise RepeatedWriteError(table.source, problems, found)
    _refuse_initial(table, initial, row_of)
    source = np.full(ops, NOT_READ, np.int32)
    observed = np.zeros(rows, np.bool_)
    scratch = np.full(max(len(table.keys), 1), -1, np.int64)
    mark_last_writes.for_rows(ops)(table.first, table.access, table.key, source, scratch)
    scratch[:] = -1
    find_sources.for_rows(ops)(
        table.first, table.access, table.key, table.value, table.outcome,
        row_of, slots, initial, null, source, observed, scratch,
    )  # fmt: skip
    return _compact(table, source, (table.outcome == OK) | ((table.outcome != FAIL) & observed))


def _compact(table: TransactionTable, source: Rows, committed: Flags) -> Resolved:
    rows, ops = len(table), len(table.key)
    read_first = np.zeros(rows + 1, np.int32)
    write_first = np.zeros(rows + 1, np.int32)
    count_kept.for_rows(ops)(
        table.first, table.access, source, table.outcome, committed, read_first, write_first
    )
    np.cumsum(read_first, out=read_first)
    np.cumsum(write_first, out=write_first)
    read_op = np.empty(int(read_first[-1]), np.int32)
    write_op = np.empty(int(write_first[-1]), np.int32)
    keep.for_rows(ops)(
        table.first, table.access, source, table.outcome, committed, read_op, write_op
    )
    previous = np.full(rows, -1, np.int32)
    chain = np.zeros(rows, np.int32)
    position = np.zeros(rows, np.int32)
    processes = int(table.process.max()) + 1 if rows else 0
    last = np.full(processes, -1, np.int32)
    chains = walk_sessions.for_rows(ops)(
        table.process, table.outcome, committed, last, previous, chain, position
    )
    return Resolved(
        table, committed, source, previous, chain, position, int(chains),
        read_first, table.key[read_op], source[read_op], read_op,
        write_first, table.key[write_op], write_op,
    )  # fmt: skip


def _power_of_two(least: int) -> int:
    return 1 << max(least - 1, 1).bit_length()


def _codes(table: TransactionTable, init: Any) -> tuple[int, int]:
    """What stands in ``value`` for a read of the initial value, and the index of null or none."""
    if init is None:
        return int(Read.NOTHING), NO_VALUE
    initial = _index(table.values, init)
    return NO_VALUE - 1 if initial == NO_VALUE else initial, _index(table.values, None)


def _index(values: Sequence[Any], wanted: Any) -> int:
    """The index of a value, :data:`NO_VALUE` for none; 1 and true are two values."""
    kind = type(wanted)
    for index, value in enumerate(values):
        if type(value) is kind and value == wanted:
            return index
    return NO_VALUE


def _refuse_appends(table: TransactionTable) -> None:
    appends = np.flatnonzero(table.access > WRITE)
    if len(appends):
        rows = np.unique(np.searchsorted(table.first, appends[:PROBLEMS_MAX], side="right") - 1)
        raise HistoryError(
            table.source,
            [Problem(int(table.line[row]), 0, "expected reads and writes, no append")
             for row in rows],
            len(appends),
        )  # fmt: skip


def _refuse_initial(table: TransactionTable, initial: int, row_of: Rows) -> None:
    """A write of the initial value makes reads of it ambiguous."""
    if initial < 0:
        return
    live = table.outcome[row_of] != FAIL
    bad = np.flatnonzero((table.access == WRITE) & (table.value == initial) & live)
    if len(bad):
        raise RepeatedWriteError(
            table.source,
            [Problem(int(table.line[row_of[op]]), 0,
                     f"expected no write of the initial value, but key {table.keys[table.key[op]]}"
                     f" is set to {table.values[initial]}") for op in bad[:PROBLEMS_MAX]],
            len(bad),
        )  # fmt: skip


def _repetitions(
    table: TransactionTable, row_of: Rows, repeated: Integers, found: int
) -> list[Problem]:
    return [
        Problem(
            int(table.line[row_of[again]]),
            0,
            f"expected every value to be written once, but key {table.keys[table.key[again]]} is"
            f" set to {table.values[table.value[again]]} on line {table.line[row_of[before]]} too",
        )
        for before, again in repeated[: min(found, PROBLEMS_MAX)]
    ]


@kernel
def slot_of(slots: Rows, key: Rows, value: Integers, wanted_key: int, wanted_value: int) -> int:
    """The slot of a key and value in an open hash table, or the free one where it belongs."""
    mask = len(slots) - 1
    mixed = wanted_key * 1000003 + wanted_value * 611953
    slot = (mixed ^ (mixed >> 17)) & mask
    while slots[slot] >= 0:
        op = slots[slot]
        if key[op] == wanted_key and value[op] == wanted_value:
            return slot
        slot = (slot + 1) & mask
    return slot


@kernel
def index_writes(
    first: Integers,
    access: Small,
    key: Rows,
    value: Integers,
    outcome: Small,
    slots: Rows,
    repeated: Integers,
) -> int:
    """Fill the table of writes; those of failed transactions only where no other has the value."""
    found = 0
    for failed in range(2):
        for row in range(len(outcome)):
            if (outcome[row] == FAIL) != (failed == 1):
                continue
            for op in range(first[row], first[row + 1]):
                if access[op] != WRITE:
                    continue
                slot = slot_of(slots, key, value, int(key[op]), int(value[op]))
                if slots[slot] < 0:
                    slots[slot] = op
                elif failed == 0:
                    if found < len(repeated):
                        repeated[found, 0] = slots[slot]
                        repeated[found, 1] = op
                    found += 1
    return found


@kernel
def mark_last_writes(
    first: Integers, access: Small, key: Rows, source: Rows, seen: Integers
) -> int:
    """Mark the last write to each key of each transaction."""
    for row in range(len(first) - 1):
        for op in range(first[row + 1] - 1, first[row] - 1, -1):
            if access[op] == WRITE and seen[key[op]] != row:
                seen[key[op]] = row
                source[op] = OWN
    return 0


@kernel
def find_sources(
    first: Integers,
    access: Small,
    key: Rows,
    value: Integers,
    outcome: Small,
    row_of: Rows,
    slots: Rows,
    initial: int,
    null: int,
    source: Rows,
    observed: Flags,
    last_write: Integers,
) -> int:
    """Resolve the reads of the transactions that are known to have committed."""
    for row in range(len(outcome)):
        if outcome[row] != OK:
            continue
        for op in range(first[row], first[row + 1]):
            where = key[op]
            if access[op] == WRITE:
                last_write[where] = op
                continue
            saw = int(value[op])
            if saw == UNSEEN:
                continue
            if saw == NOTHING and initial != NOTHING:
                saw = null
            own = last_write[where]
            if own >= first[row]:
                source[op] = OWN if value[own] == saw else INTERNAL
            elif saw == initial:
                source[op] = INITIAL
            elif saw < 0:
                source[op] = THIN_AIR
            else:
                write = slots[slot_of(slots, key, value, int(where), saw)]
                if write < 0:
                    source[op] = THIN_AIR
                    continue
                writer = row_of[write]
                if writer == row:
                    source[op] = FUTURE
                elif outcome[writer] == FAIL:
                    source[op] = ABORTED
                else:
                    observed[writer] = True
                    source[op] = writer if source[write] == OWN else INTERMEDIATE
    return 0


@kernel
def count_kept(
    first: Integers,
    access: Small,
    source: Rows,
    outcome: Small,
    committed: Flags,
    read_first: Rows,
    write_first: Rows,
) -> int:
    """Count the reads of others and the last writes of each committed transaction."""
    for row in range(len(outcome)):
        if committed[row]:
            for op in range(first[row], first[row + 1]):
                if access[op] == WRITE:
                    write_first[row + 1] += source[op] == OWN
                elif source[op] >= INITIAL:
                    read_first[row + 1] += 1
    return 0


@kernel
def keep(
    first: Integers,
    access: Small,
    source: Rows,
    outcome: Small,
    committed: Flags,
    read_op: Rows,
    write_op: Rows,
) -> int:
    """Collect what :func:`count_kept` counted."""
    reads = 0
    writes = 0
    for row in range(len(outcome)):
        if committed[row]:
            for op in range(first[row], first[row + 1]):
                if access[op] == WRITE:
                    if source[op] == OWN:
                        write_op[writes] = op
                        writes += 1
                elif source[op] >= INITIAL:
                    read_op[reads] = op
                    reads += 1
    return reads


@kernel
def walk_sessions(
    process: Rows,
    outcome: Small,
    committed: Flags,
    last: Rows,
    previous: Rows,
    chain: Rows,
    position: Rows,
) -> int:
    """Place the committed transactions in their sessions; returns the number of chains."""
    chains = len(last)
    for row in range(len(process)):
        if not committed[row]:
            continue
        before = last[process[row]]
        previous[row] = before
        if outcome[row] == OK:
            chain[row] = process[row]
            if before >= 0:
                position[row] = position[before] + 1
            last[process[row]] = row
        else:
            chain[row] = chains
            chains += 1
    return chains
