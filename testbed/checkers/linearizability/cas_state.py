"""The arrays of a search: room for configurations, and places to go back to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from testbed.checkers.linearizability.cas_arrays import (
    COUNT,
    LACKED,
    PENDING,
    PENDING_MAX,
    REUSABLE,
    ROOM,
    SCORES,
    USED,
    VALUE,
    Array,
    Search,
)
from testbed.checkers.linearizability.cas_kernel import toggle
from testbed.checkers.linearizability.cas_problem import CasProblem


@dataclass(frozen=True)
class Place:
    """All that a search goes on from.

    Args:
        event: The next event.
        pending: Pending operations.
        available: Indeterminate operations.
        configurations: What is possible.
        exact: Whether nothing was given up so far.
    """

    event: int
    pending: Array
    available: Array
    configurations: Array
    exact: bool


class Room:
    """Room for a search.

    Args:
        problem: The operations.
        width: How many configurations to keep at most.
        reusable: Whether indeterminate operations may take effect any number of times.
    """

    def __init__(self, problem: CasProblem, width: int, *, reusable: bool) -> None:
        self._problem = problem
        kinds = len(problem.tables.kinds)
        scalars = np.zeros(9, dtype=np.int64)
        scalars[ROOM], scalars[REUSABLE] = width, int(reusable)
        self.search = Search(
            scalars=scalars,
            pending=np.zeros(PENDING_MAX + 1, dtype=np.int64),
            available=np.zeros(problem.columns, dtype=np.int64),
            met=np.full((2, kinds), -1, dtype=np.int64),
            masks=np.zeros((problem.values + 1, 4), dtype=np.int64),
            current=np.zeros((width, USED + problem.columns), dtype=np.int64),
            after=np.zeros((2 * width, USED + problem.columns), dtype=np.int64),
            seen=np.zeros((8 * width + 1, USED + problem.columns), dtype=np.int64),
            after_heads=_heads(2 * width),
            seen_heads=_heads(8 * width),
            places=np.zeros(SCORES + 1, dtype=np.int64),
        )

    def beginning(self) -> Place:
        """Where a search begins."""
        self.search.current[0, VALUE] = self._problem.initial
        self.search.scalars[COUNT] = 1
        return self.place(0)

    def place(self, event: int) -> Place:
        """Where the search is, before an event."""
        search = self.search
        return Place(
            event,
            search.pending[: search.scalars[PENDING]].copy(),
            search.available.copy(),
            search.current[: search.scalars[COUNT]].copy(),
            exact=not search.scalars[LACKED],
        )

    def restore(self, place: Place) -> None:
        """Go back to a place, which another room may have kept."""
        search, scalars = self.search, self.search.scalars
        scalars[PENDING], scalars[COUNT] = len(place.pending), len(place.configurations)
        scalars[LACKED] = not place.exact
        search.pending[: len(place.pending)] = place.pending
        search.available[:] = place.available
        search.masks[:] = 0
        for operation in place.pending.tolist():
            toggle(self._problem.tables, search, operation)
        search.current[: len(place.configurations)] = place.configurations


def _heads(room: int) -> Array:
    """A table of chains, none of them good for any return."""
    size = 1
    while size < 2 * room:
        size *= 2
    return np.zeros((size, 2), dtype=np.int64)
