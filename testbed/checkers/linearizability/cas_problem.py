"""A register's operations as the search takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.kernel import kernel
from testbed.checkers.linearizability.calls import NEVER
from testbed.checkers.linearizability.cas_kernel import CAS, DIFFERS, READ, WRITE
from testbed.history.operation_table import Integers

Array = NDArray[Any]


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
            kept = operations.only(operations._of_use())
            if len(kept) == len(operations):
                return kept
            operations = kept

    def _of_use(self) -> NDArray[np.bool_]:
        """Whether something after its invocation may have seen what it did."""
        observes = (self.code == READ) | (self.code == CAS)
        until = np.full(len(self.names), -1, dtype=np.int64)
        np.maximum.at(until, self.first[observes], self.end[observes])
        differs = self.code == DIFFERS
        differs_until = int(self.end[differs].max(initial=-1))
        target = np.where(self.code == CAS, self.second, self.first)
        seen = np.maximum(until[target], differs_until) > self.start
        return (self.end < NEVER) | seen


@dataclass(frozen=True)
class CasProblem:
    """What the kernel reads of the operations; see :func:`cas_kernel.advance`."""

    events: Array
    kinds: Array
    slots: Array
    ends: Array
    code: Array
    first: Array
    second: Array
    unreturned: Array
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
    size = len(operations.names) + 1
    codes = (operations.code * size + operations.first) * size + operations.second + 1
    kinds_of, kinds = np.unique(codes, return_inverse=True)
    slots = np.full(count, -1, dtype=np.int64)
    if give_slots.for_rows(count * 10)(events, returning.astype(np.int8), slots) < 0:
        return None
    unreturned = np.full(len(kinds_of), -1, dtype=np.int64)
    without = np.unique(kinds[~returning])
    unreturned[without] = np.arange(len(without))
    return CasProblem(
        events=events,
        kinds=kinds.astype(np.int64),
        slots=slots,
        ends=operations.end,
        code=kinds_of // (size * size),
        first=kinds_of // size % size,
        second=kinds_of % size - 1,
        unreturned=unreturned,
        columns=len(without),
        initial=operations.initial,
        values=len(operations.names),
    )


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
