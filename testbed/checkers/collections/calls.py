"""The operations of one function: what was asked for, what became of it, and when."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from testbed.history.operation_table import Integers, Kind, OperationTable, Small, Tag

REMOVALS = ("remove", "delete", "del", "rem", "discard", "pop", "clear")
"""What shrinks a set, by the names that histories have for it: all else is passed over."""


@dataclass(frozen=True)
class Calls:
    """Every operation of some functions, in the order of their invocations.

    Args:
        table: The history that they are from.
        begun: Row of each invocation.
        ended: Row of each completion; -1 where there is none.
        outcome: ``Kind.OK``, ``FAIL`` or ``INFO``; what never completed is ``INFO``.
    """

    table: OperationTable
    begun: Integers
    ended: Integers
    outcome: Small

    def __len__(self) -> int:
        return len(self.begun)

    def of(self, chosen: NDArray[np.bool_]) -> Calls:
        """Some of them."""
        return Calls(self.table, self.begun[chosen], self.ended[chosen], self.outcome[chosen])

    @cached_property
    def ok(self) -> Calls:
        """Those that were acknowledged."""
        return self.of(self.outcome == Kind.OK)

    @cached_property
    def possible(self) -> Calls:
        """Those that may have been done: all but those that surely failed."""
        return self.of(self.outcome != Kind.FAIL)

    @property
    def indeterminate(self) -> int:
        """How many may have been done or not."""
        return int(np.count_nonzero(self.outcome == Kind.INFO))

    @cached_property
    def asked(self) -> Integers:
        """The row that says what was asked for: the completion's where the invocation is null."""
        empty = (self.table.tag[self.begun] == Tag.NULL) & (self.ended >= 0)
        return np.where(empty, self.ended, self.begun)


def calls(table: OperationTable, *functions: str) -> Calls:
    """The operations of some functions; none where the history does not have them."""
    numbers = [table.function(name) for name in functions if name in table.functions]
    begun = np.flatnonzero((table.kind == Kind.INVOKE) & np.isin(table.f, numbers))
    ended = table.partner[begun]
    outcome = np.where(ended >= 0, table.kind[ended], np.int8(Kind.INFO))
    return Calls(table, begun, ended, outcome)
