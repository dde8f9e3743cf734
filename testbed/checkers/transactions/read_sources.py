"""The loops that find which write every read saw: reads are looked up in a table of writes."""

from __future__ import annotations

# A kernel takes its arrays one by one and is one loop: calls and objects would cost its speed.
# ruff: noqa: C901, PLR0912, PLR0917
from testbed.checkers.kernel import kernel
from testbed.checkers.transactions.resolved import (
    ABORTED,
    BESIDES,
    FAIL,
    FUTURE,
    INITIAL,
    INTERMEDIATE,
    INTERNAL,
    NOT_READ,
    OK,
    OWN,
    THIN_AIR,
    WRITE,
    Flags,
    Rows,
)
from testbed.history.operation_table import Integers, Small

NOTHING, UNSEEN = -1, -2
NO_VALUE = -9
"""Equals no value of a read, nor :data:`NOTHING`."""


@kernel
def slot_of(slots: Rows, key: Rows, value: Rows, wanted_key: int, wanted_value: int) -> int:
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
    value: Rows,
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
    value: Rows,
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
            if own >= first[row] and value[own] == saw:
                source[op] = OWN
                continue
            write = slots[slot_of(slots, key, value, int(where), saw)] if saw >= 0 else -1
            if saw == initial:
                source[op] = INITIAL
            elif write < 0:
                source[op] = THIN_AIR
            elif row_of[write] == row:
                source[op] = FUTURE if write > op else INTERNAL
            elif outcome[row_of[write]] == FAIL:
                source[op] = ABORTED
            else:
                observed[row_of[write]] = True
                source[op] = row_of[write] if source[write] == OWN else INTERMEDIATE
            if own >= first[row]:
                wrong = source[op] < NOT_READ and source[op] != INTERNAL
                source[op] = source[op] + BESIDES if wrong else INTERNAL
    return 0
