"""What must come before what in every commit order, and the smallest cycle in it.

A history satisfies a level exactly when some total order of its transactions contains the session
order, what was read from what, and the edges that the level's axiom forces (Biswas and Enea 2019):
where the axiom's premise does not speak of the order itself, that is when these three together have
no cycle.
"""

from __future__ import annotations

# A kernel takes its arrays one by one and is one loop: calls and objects would cost its speed.
# ruff: noqa: C901, PLR0912, PLR0917
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.kernel import kernel
from testbed.checkers.transactions.resolve import INITIAL, Flags, Resolved, Rows

TRIED = 400
"""Starting points of the search for the smallest cycle; a smaller component is searched whole."""


@dataclass(frozen=True)
class Forced:
    """Edges that a level's axiom forces.

    Args:
        before: Row of the transaction that must come first.
        after: Row of the one that must come later; :data:`INITIAL` for the initial state, which
            comes before everything: such an edge is a violation by itself.
        read: Index into the reads (``Resolved.read_op``) that forces it: a read from ``after`` of a
            key that ``before`` writes.
    """

    before: Rows
    after: Rows
    read: Rows

    @staticmethod
    def none() -> Forced:
        """No edges at all."""
        empty = np.zeros(0, np.int32)
        return Forced(empty, empty, empty)

    def to_initial(self) -> list[int]:
        """The edges to the initial state."""
        return [int(edge) for edge in np.flatnonzero(self.after == INITIAL)[:TRIED]]


@dataclass(frozen=True)
class CommitGraph:
    """Session order, reads-from and forced edges, by their targets."""

    resolved: Resolved
    forced: Forced
    edge_first: NDArray[np.int64]
    edge_order: NDArray[np.int64]

    def acyclic(self) -> bool:
        """Whether some order of the transactions agrees with all edges."""
        return self._left() is None

    def smallest_cycle(self) -> list[int] | None:
        """Rows of a cycle, each before the next and the last before the first; None without one.

        The smallest through any of the first :data:`TRIED` transactions that lie on cycles.
        """
        left = self._left()
        if left is None:
            return None
        best: list[int] | None = None
        rows = len(self.resolved)
        seen, queue, towards = (np.full(rows, -1, np.int32) for _ in range(3))
        search = cycle_through.for_rows(self.resolved.work)
        for start in np.flatnonzero(left)[:TRIED]:
            found = search(
                int(start), left, *self._arrays(), seen, queue, towards,
                len(best) if best else rows + 1,
            )  # fmt: skip
            if found:
                best = [int(start)]
                while towards[best[-1]] != start:
                    best.append(int(towards[best[-1]]))
                if len(best) <= 2:
                    break
        return best

    def _left(self) -> Flags | None:
        left = self.resolved.committed.copy()
        rows = len(left)
        stack = np.empty(rows + 1, np.int32)
        count = np.zeros(rows, np.int32)
        trim = trim_graph.for_rows(self.resolved.work)
        remain = trim(left, count, stack, *self._arrays())
        return left if remain else None

    def _arrays(self) -> tuple[Rows, Rows, Rows, NDArray[np.int64], NDArray[np.int64], Rows]:
        resolved = self.resolved
        return (
            resolved.previous,
            resolved.read_first,
            resolved.read_source,
            self.edge_first,
            self.edge_order,
            self.forced.before,
        )


def commit_graph(resolved: Resolved, forced: Forced) -> CommitGraph:
    """Index the forced edges by their targets."""
    rows = len(resolved)
    after = np.where(forced.after < 0, rows, forced.after)
    order = np.argsort(after, kind="stable") if len(after) else np.zeros(0, np.int64)
    first = np.zeros(rows + 2, np.int64)
    np.cumsum(np.bincount(after, minlength=rows + 1), out=first[1:])
    return CommitGraph(resolved, forced, first, order)


@kernel
def trim_graph(
    left: Flags,
    count: Rows,
    stack: Rows,
    previous: Rows,
    read_first: Rows,
    read_source: Rows,
    edge_first: NDArray[np.int64],
    edge_order: NDArray[np.int64],
    before: Rows,
) -> int:
    """Take away what has no successors, then what has no predecessors: cycles remain.

    Returns how many transactions remain; ``left`` says which.
    """
    rows = len(left)
    remain = 0
    for row in range(rows):
        if left[row]:
            remain += 1
            if previous[row] >= 0:
                count[previous[row]] += 1
            for read in range(read_first[row], read_first[row + 1]):
                if read_source[read] >= 0:
                    count[read_source[read]] += 1
            for at in range(edge_first[row], edge_first[row + 1]):
                count[before[edge_order[at]]] += 1
    depth = 0
    for row in range(rows):
        if left[row] and count[row] == 0:
            stack[depth] = row
            depth += 1
    while depth > 0:
        depth -= 1
        row = stack[depth]
        left[row] = False
        remain -= 1
        if previous[row] >= 0:
            count[previous[row]] -= 1
            if count[previous[row]] == 0:
                stack[depth] = previous[row]
                depth += 1
        for read in range(read_first[row], read_first[row + 1]):
            source = read_source[read]
            if source >= 0:
                count[source] -= 1
                if count[source] == 0:
                    stack[depth] = source
                    depth += 1
        for at in range(edge_first[row], edge_first[row + 1]):
            source = before[edge_order[at]]
            count[source] -= 1
            if count[source] == 0:
                stack[depth] = source
                depth += 1
    changed = remain > 0
    while changed:
        changed = False
        for row in range(rows):
            if left[row] and not has_predecessor(
                row, left, previous, read_first, read_source, edge_first, edge_order, before
            ):
                left[row] = False
                remain -= 1
                changed = True
    return remain


@kernel
def has_predecessor(
    row: int,
    left: Flags,
    previous: Rows,
    read_first: Rows,
    read_source: Rows,
    edge_first: NDArray[np.int64],
    edge_order: NDArray[np.int64],
    before: Rows,
) -> bool:
    """Whether a transaction has a predecessor that is left."""
    if previous[row] >= 0 and left[previous[row]]:
        return True
    for read in range(read_first[row], read_first[row + 1]):
        if read_source[read] >= 0 and left[read_source[read]]:
            return True
    for at in range(edge_first[row], edge_first[row + 1]):  # noqa: SIM110 - a kernel
        if left[before[edge_order[at]]]:
            return True
    return False


@kernel
def cycle_through(
    start: int,
    left: Flags,
    previous: Rows,
    read_first: Rows,
    read_source: Rows,
    edge_first: NDArray[np.int64],
    edge_order: NDArray[np.int64],
    before: Rows,
    seen: Rows,
    queue: Rows,
    towards: Rows,
    shorter_than: int,
) -> bool:
    """Breadth first from a transaction back to itself, over predecessors.

    ``towards[row]`` is the successor of ``row`` on its way to ``start``; whether there is a cycle
    shorter than asked, which then begins with ``towards[start]``.
    """
    queue[0] = start
    filled = 1
    taken = 0
    depth = 0
    level_end = 1
    while taken < filled:
        if taken == level_end:
            depth += 1
            level_end = filled
        if depth + 1 >= shorter_than:
            return False
        row = queue[taken]
        taken += 1
        reads = read_first[row + 1] - read_first[row]
        edges = edge_first[row + 1] - edge_first[row]
        for at in range(1 + reads + edges):
            if at == 0:
                source = previous[row]
            elif at <= reads:
                source = read_source[read_first[row] + at - 1]
            else:
                source = before[edge_order[edge_first[row] + at - 1 - reads]]
            if source < 0 or not left[source]:
                continue
            if source == start:
                towards[start] = row
                return True
            if seen[source] != start:
                seen[source] = start
                towards[source] = row
                queue[filled] = source
                filled += 1
    return False
