"""What comes before each transaction by its session, by what it read, and by real time."""

from __future__ import annotations

# A kernel takes its arrays one by one and is one loop: calls and objects would cost its speed.
# ruff: noqa: PLR0917
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.kernel import kernel
from testbed.checkers.transactions.resolved import Resolved, Rows
from testbed.checkers.transactions.time_order import realtime_edges


@dataclass(frozen=True)
class Predecessors:
    """For each node what comes directly before it.

    Args:
        transactions: Nodes below this are rows of the history. The others are helpers of real time:
            what has ended by a moment comes before the helper, what begins after it behind.
        first: Those of node ``n`` are ``row[first[n]:first[n + 1]]``.
        row: Nodes.
    """

    transactions: int
    first: NDArray[np.int64]
    row: Rows

    def __len__(self) -> int:
        return len(self.first) - 1

    @property
    def timed(self) -> bool:
        """Whether real time is among what is known."""
        return len(self) > self.transactions

    def of(self, node: int) -> list[int]:
        """What comes directly before a node."""
        found: list[int] = self.row[self.first[node] : self.first[node + 1]].tolist()
        return found

    def with_edges(self, before: Rows, after: Rows) -> Predecessors:
        """The same with more edges among transactions; those to the initial state are left out."""
        before, after = before[after >= 0], after[after >= 0]
        if not len(before):
            return self
        nodes = len(self)
        first = np.zeros(nodes + 1, np.int64)
        np.cumsum(np.diff(self.first) + np.bincount(after, minlength=nodes), out=first[1:])
        row = np.empty(int(first[-1]), np.int32)
        merge_edges.for_rows(len(row))(self.first, self.row, before, after, first[:-1].copy(), row)
        return Predecessors(self.transactions, first, row)


def predecessors_of(resolved: Resolved, *, realtime: bool) -> Predecessors:
    """The order of sessions and reads-from, and that of real time if wanted.

    Args:
        resolved: The history.
        realtime: Whether what had ended comes before what began later; the history must have times.
    """
    rows = len(resolved)
    before = after = np.zeros(0, np.int32)
    nodes = rows
    if realtime:
        edges, nodes = realtime_edges(resolved.table, resolved.committed, rows)
        before, after = edges.source, edges.target
    first = np.zeros(nodes + 1, np.int64)
    counts = first[1:]
    counts[:rows] = np.diff(resolved.read_first)
    counts[:rows] += resolved.previous >= 0
    counts += np.bincount(after, minlength=nodes)
    read_initial = np.flatnonzero(resolved.read_source < 0)
    readers = np.searchsorted(resolved.read_first, read_initial, side="right") - 1
    counts[:rows] -= np.bincount(readers, minlength=rows)
    np.cumsum(counts, out=counts)
    row = np.empty(int(first[-1]), np.int32)
    fill_predecessors.for_rows(resolved.work)(
        resolved.previous, resolved.read_first, resolved.read_source, before, after,
        first[:-1].copy(), row,
    )  # fmt: skip
    return Predecessors(rows, first, row)


@kernel
def fill_predecessors(
    previous: Rows,
    read_first: Rows,
    read_source: Rows,
    before: Rows,
    after: Rows,
    place: NDArray[np.int64],
    row: Rows,
) -> int:
    """Each transaction's session, then its sources, then real time."""
    for each in range(len(previous)):
        if previous[each] >= 0:
            row[place[each]] = previous[each]
            place[each] += 1
        for at in range(read_first[each], read_first[each + 1]):
            if read_source[at] >= 0:
                row[place[each]] = read_source[at]
                place[each] += 1
    for edge in range(len(before)):
        row[place[after[edge]]] = before[edge]
        place[after[edge]] += 1
    return len(row)


@kernel
def merge_edges(
    old_first: NDArray[np.int64],
    old: Rows,
    before: Rows,
    after: Rows,
    place: NDArray[np.int64],
    row: Rows,
) -> int:
    """What was there, and the new ones behind."""
    for node in range(len(old_first) - 1):
        for at in range(old_first[node], old_first[node + 1]):
            row[place[node]] = old[at]
            place[node] += 1
    for edge in range(len(before)):
        row[place[after[edge]]] = before[edge]
        place[after[edge]] += 1
    return len(row)
