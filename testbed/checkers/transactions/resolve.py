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

from collections.abc import Sequence
from typing import Any

import numpy as np

from testbed.checkers.transactions.kept_operations import collect
from testbed.checkers.transactions.read_sources import (
    NO_VALUE,
    find_sources,
    index_writes,
    mark_last_writes,
)
from testbed.checkers.transactions.resolved import FAIL, NOT_READ, OK, WRITE, Resolved, Rows
from testbed.history.interning import canonical
from testbed.history.operation_table import Integers
from testbed.history.problem import PROBLEMS_MAX, HistoryError, Problem
from testbed.history.transaction_table import Read, TransactionTable

SLOTS_PER_WRITE = 2


class RepeatedWriteError(HistoryError):
    """A value is written twice to a key, or is the initial one: reads of it can mean both."""


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
    return collect(table, source, (table.outcome == OK) | ((table.outcome != FAIL) & observed))


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
    kind, form = type(wanted), canonical(wanted)
    for index, value in enumerate(values):
        if type(value) is kind and canonical(value) == form:
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
                     f" is set to {table.values[initial]} {_where(table, row_of[op])}")
             for op in bad[:PROBLEMS_MAX]],
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
            f" set to {table.values[table.value[again]]} {_where(table, row_of[before])}"
            f" and {_where(table, row_of[again])}",
        )
        for before, again in repeated[: min(found, PROBLEMS_MAX)]
    ]


def _where(table: TransactionTable, row: int) -> str:
    """Which transaction, in words; a history of sessions has no lines."""
    if table.line[row]:
        return f"on line {table.line[row]}"
    process = table.process[row]
    number = np.count_nonzero(table.process[: row + 1] == process)
    return f"in transaction {number} of process {table.process_names[process]}"
