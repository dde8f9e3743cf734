"""What must come before what in every commit order, and the smallest cycle in it.

A history satisfies a level exactly when some total order of its transactions contains the session
order, what was read from what, and the edges that the level's axiom forces (Biswas and Enea 2019),
and the order of real time under the strong form of the level:
where the axiom's premise does not speak of the order itself, that is when all these together have
no cycle.
"""

from __future__ import annotations

# A kernel takes its arrays one by one and is one loop: calls and objects would cost its speed.
# ruff: noqa: C901, PLR0917
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.kernel import kernel
from testbed.checkers.transactions.predecessors import Predecessors
from testbed.checkers.transactions.resolved import INITIAL, Flags, Resolved, Rows

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

    def joined(self, other: Forced) -> Forced:
        """These edges and others."""
        return Forced(
            np.concatenate([self.before, other.before]),
            np.concatenate([self.after, other.after]),
            np.concatenate([self.read, other.read]),
        )

    def to_initial(self) -> list[int]:
        """The edges to the initial state."""
        return [int(edge) for edge in np.flatnonzero(self.after == INITIAL)[:TRIED]]


@dataclass(frozen=True)
class CommitGraph:
    """Session order, reads-from, real time where it counts, and forced edges.

    Args:
        resolved: The history.
        forced: The edges that a level forces.
        before: All edges by their targets.
    """

    resolved: Resolved
    forced: Forced
    before: Predecessors

    def smallest_cycle(self) -> list[int] | None:
        """Rows of a cycle, each before the next and the last before the first; None without one.

        The smallest through any of the first :data:`TRIED` transactions that lie on cycles.
        """
        left = self._left()
        if left is None:
            return None
        best: list[int] | None = None
        rows = len(self.resolved)
        seen, queue, towards = (np.full(len(left), -1, np.int32) for _ in range(3))
        search = cycle_through.for_rows(self.resolved.work)
        # Those that come first may all lie between two cycles, and on none.
        for start in [*np.flatnonzero(left[:rows])[:TRIED], self._on_cycle(left)]:
            found = search(
                int(start), left, self.before.first, self.before.row, seen, queue, towards,
                len(best) if best else len(left) + 1,
            )  # fmt: skip
            if found:
                best = [int(start)]
                while towards[best[-1]] != start:
                    best.append(int(towards[best[-1]]))
                if len(best) <= 2:
                    break
        return None if best is None else [row for row in best if row < rows]

    def _on_cycle(self, left: Flags) -> int:
        """A transaction on a cycle: what is left has predecessors, so the way back closes."""
        first, before = self.before.first, self.before.row
        node, met = int(np.flatnonzero(left)[0]), set[int]()
        while node not in met or node >= len(self.resolved):
            met.add(node)
            sources = before[first[node] : first[node + 1]]
            node = int(sources[np.argmax(left[sources])])
        return node

    def _left(self) -> Flags | None:
        before = self.before
        left = np.ones(len(before), np.bool_)
        left[: before.transactions] = self.resolved.committed
        stack = np.empty(len(left) + 1, np.int32)
        count = np.zeros(len(left), np.int32)
        trim = trim_graph.for_rows(self.resolved.work)
        return left if trim(left, count, stack, before.first, before.row) else None


def commit_graph(resolved: Resolved, forced: Forced, before: Predecessors) -> CommitGraph:
    """The graph of what comes before what anyway and what a level forces."""
    return CommitGraph(resolved, forced, before.with_edges(forced.before, forced.after))


@kernel
def trim_graph(
    left: Flags, count: Rows, stack: Rows, first: NDArray[np.int64], before: Rows
) -> int:
    """Take away what has no successors, then what has no predecessors: cycles remain.

    Returns how many nodes remain; ``left`` says which.
    """
    remain = 0
    for node in range(len(left)):
        if left[node]:
            remain += 1
            for at in range(first[node], first[node + 1]):
                count[before[at]] += 1
    depth = 0
    for node in range(len(left)):
        if left[node] and count[node] == 0:
            stack[depth] = node
            depth += 1
    while depth > 0:
        depth -= 1
        node = stack[depth]
        left[node] = False
        remain -= 1
        for at in range(first[node], first[node + 1]):
            source = before[at]
            count[source] -= 1
            if count[source] == 0:
                stack[depth] = source
                depth += 1
    changed = remain > 0
    while changed:
        changed = False
        for node in range(len(left)):
            if left[node] and not has_predecessor(node, left, first, before):
                left[node] = False
                remain -= 1
                changed = True
    return remain


@kernel
def has_predecessor(node: int, left: Flags, first: NDArray[np.int64], before: Rows) -> bool:
    """Whether a node has a predecessor that is left."""
    for at in range(first[node], first[node + 1]):  # noqa: SIM110 - a kernel
        if left[before[at]]:
            return True
    return False


@kernel
def cycle_through(
    start: int,
    left: Flags,
    first: NDArray[np.int64],
    before: Rows,
    seen: Rows,
    queue: Rows,
    towards: Rows,
    shorter_than: int,
) -> bool:
    """Breadth first from a node back to itself, over predecessors.

    ``towards[node]`` is the successor of ``node`` on its way to ``start``; whether there is a cycle
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
        node = queue[taken]
        taken += 1
        for at in range(first[node], first[node + 1]):
            source = before[at]
            if not left[source]:
                continue
            if source == start:
                towards[start] = node
                return True
            if seen[source] != start:
                seen[source] = start
                towards[source] = node
                queue[filled] = source
                filled += 1
    return False
