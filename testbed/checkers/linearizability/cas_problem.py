"""A register's operations as the search takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.kernel import kernel
from testbed.checkers.linearizability.calls import NEVER
from testbed.checkers.linearizability.cas_arrays import CAS, DIFFERS, READ, WRITE, Tables
from testbed.history.operation_table import Integers

Array = NDArray[Any]

COMPILED_FACTOR = 50
"""A step of the search is worth so many rows of a simple loop."""


@dataclass(frozen=True)
class CasOperations:
    """Operations of one register, in the order of invocation; none that failed without a word.

    Args:
        code: ``READ``, ``WRITE``, ``CAS`` or ``DIFFERS``.
        first: The value seen, written, expected or not there: a small number.
        second: The value that a compare-and-set sets; -1 for others.
        start: Row of the invocation.
        end: Row of the completion; ``NEVER`` for what is indeterminate.
        initial: The value at the beginning.
        names: What each value is called in the history.
    """

    code: Integers
    first: Integers
    second: Integers
    start: Integers
    end: Integers
    initial: int
    names: Integers

    def __len__(self) -> int:
        return len(self.code)

    def only(self, chosen: NDArray[np.bool_]) -> CasOperations:
        """Some of them."""
        columns = (self.code, self.first, self.second, self.start, self.end)
        code, first, second, start, end = (column[chosen] for column in columns)
        return CasOperations(code, first, second, start, end, self.initial, self.names)

    def simplified(self) -> CasOperations:
        """Without what can have no effect, and indeterminate operations that nobody can have seen.

        A compare-and-set that changes nothing is a read.
        """
        nothing = (self.code == CAS) & (self.first == self.second)
        code = np.where(nothing, READ, self.code)
        second = np.where(nothing, -1, self.second)
        operations = CasOperations(
            code, self.first, second, self.start, self.end, self.initial, self.names
        )
        acts = (code == WRITE) | (code == CAS)
        operations = operations.only(acts | (self.end < NEVER))
        while True:
            kept = operations.only(_of_use(operations))
            if len(kept) == len(operations):
                return kept
            operations = kept


@dataclass(frozen=True)
class CasProblem:
    """What the search reads.

    Args:
        tables: The operations as the kernels take them.
        columns: How many kinds of indeterminate operations there are.
        initial: The value at the beginning.
        values: How many values there are.
    """

    tables: Tables
    columns: int
    initial: int
    values: int


def problem_of(operations: CasOperations) -> CasProblem | None:
    """Number kinds and bits; None where too many operations are pending at once."""
    count = len(operations)
    returning = operations.end < NEVER
    moments = np.concatenate([operations.start, operations.end[returning]])
    events = np.concatenate([2 * np.arange(count), 2 * np.flatnonzero(returning) + 1])
    events = events[np.argsort(moments, kind="stable")]
    slots = np.full(count, -1, dtype=np.int64)
    if give_slots.for_rows(COMPILED_FACTOR * count)(events, returning.astype(np.int8), slots) < 0:
        return None
    size = len(operations.names) + 1
    codes = (operations.code * size + operations.first) * size + operations.second + 1
    kinds_of, kinds = np.unique(codes, return_inverse=True)
    without = np.unique(kinds[~returning])
    column = np.full(len(kinds_of), -1, dtype=np.int64)
    column[without] = np.arange(len(without))
    tables = Tables(
        events=events,
        operations=np.stack([kinds, slots, operations.end], axis=1),
        kinds=np.stack(
            [kinds_of // (size * size), kinds_of // size % size, kinds_of % size - 1, column],
            axis=1,
        ),
        column_kind=without.astype(np.int64),
    )
    return CasProblem(tables, len(without), operations.initial, len(operations.names))


@kernel
def give_slots(events: Array, returning: Array, slots: Array) -> int:
    """Give each operation that returns a bit while it is pending; -1 if there are too few."""
    free = np.arange(62)
    left = 62
    for number in range(len(events)):
        operation = events[number] >> 1
        if events[number] & 1:
            free[left] = slots[operation]
            left += 1
        elif returning[operation]:
            if left == 0:
                return -1
            left -= 1
            slots[operation] = free[left]
    return 0


def _of_use(operations: CasOperations) -> NDArray[np.bool_]:
    """Whether something after its invocation may have seen what an operation did."""
    code, first, end = operations.code, operations.first, operations.end
    observes = (code == READ) | (code == CAS)
    until = np.full(len(operations.names), -1, dtype=np.int64)
    np.maximum.at(until, first[observes], end[observes])
    differs_until = int(end[code == DIFFERS].max(initial=-1))
    target = np.where(code == CAS, operations.second, first)
    seen = np.maximum(until[target], differs_until) > operations.start
    return np.asarray((end < NEVER) | seen)
