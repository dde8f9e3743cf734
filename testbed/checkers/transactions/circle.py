"""The shortest circle through one of many edges, within a bounded number of steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.budget import Budget
from testbed.checkers.kernel import kernel
from testbed.checkers.transactions.cycles import outgoing
from testbed.checkers.transactions.graph import Nodes

FAR = 2**30
"""Longer than any circle."""

_DEPTHS = (1, 2, 3, 5, 9, FAR)
_STEPS_PLAIN = 200_000
_STEPS_COMPILED = 40_000_000
_PORTION = 4_000_000
"""Steps of one call: between two calls the budget is looked at."""
_BY_NODE, _BY_EDGE = 3, 4


@dataclass(frozen=True)
class Paths:
    """Edges along which a circle may go on.

    Args:
        nodes: How many there are.
        source: Edges.
        target: Edges.
        free: Whether an edge only continues the one before and counts nothing.
        rank: Numbers of the nodes: those with a greater one than where the way is to end are left
            out, which never misses one where numbers grow along the edges. All 0 for no such order.
    """

    nodes: int
    source: Nodes
    target: Nodes
    free: NDArray[np.bool_]
    rank: NDArray[np.int32]


@dataclass(frozen=True)
class Circle:
    """The best that was found.

    Args:
        seed: Index of the closing edge among those given; -1 where none was found.
        path: Edges of ``Paths`` from the seed's target back to its source.
        exhausted: Whether the search ended before everything was tried.
    """

    seed: int
    path: tuple[int, ...]
    exhausted: bool


def shortest_circle(
    paths: Paths, seeds: tuple[Nodes, Nodes], budget: Budget, *, longest: int, certain: bool
) -> Circle:
    """Find the shortest way back along ``paths`` from the target to the source of a seed.

    A way back of free edges alone does not count. Breadth first from every seed, first only a step
    deep, then deeper: a short circle is found before any search gets far. One search costs as many
    steps as edges, and seeds may be as many: the steps are bounded.

    Args:
        paths: Where it may go.
        seeds: Source and target of each closing edge.
        budget: Asked again and again.
        longest: The most steps a way back may have.
        certain: Whether each seed is known to have a way back: then one is always found.

    Raises:
        OutOfBudgetError: It took too long.
    """
    search = _Search(paths, seeds, budget)
    for depth in _DEPTHS:
        best = search.all_seeds(min(depth, longest) + 1)
        if best >= 0:
            return Circle(best, search.path_of(best), search.left <= 0)
        if search.left <= 0 or depth >= longest:
            break
    if certain and len(seeds[0]):
        return Circle(0, search.path_of(0), exhausted=True)
    return Circle(-1, (), search.left <= 0)


class _Search:
    """The arrays of many searches, and the steps that are left."""

    def __init__(self, paths: Paths, seeds: tuple[Nodes, Nodes], budget: Budget) -> None:
        self._seeds = seeds
        self._budget = budget
        self._starts, self._order = outgoing(paths.nodes, paths.source)
        self._targets, self._free = paths.target[self._order], paths.free[self._order]
        self._rank = paths.rank
        self._notes = np.zeros((5, paths.nodes), np.int32)
        self._levels = np.zeros((2, 2 * paths.nodes + 1), np.int32)
        self._run = _search.for_rows(4 * len(paths.source) + len(seeds[0]))
        self._stamp = 0
        self.left = _STEPS_PLAIN if self._run is _search.plain else _STEPS_COMPILED

    def all_seeds(self, length: int) -> int:
        """The seed with the shortest way back below ``length``; -1 where there is none."""
        begin, best = 0, -1
        total = len(self._seeds[0])
        while begin < total and self.left > 0:
            self._budget.note(
                f"looking for a short circle, {begin:,} of {total:,} edges were tried"
            )
            begin, seed, length = self._from(begin, self._seeds, length, min(self.left, _PORTION))
            best = seed if seed >= 0 else best
        return best

    def path_of(self, seed: int) -> tuple[int, ...]:
        """The edges of the shortest way back of one seed, which has one."""
        goal, begin = (int(side[seed]) for side in self._seeds)
        one = (self._seeds[0][seed : seed + 1], self._seeds[1][seed : seed + 1])
        _, found, _ = self._from(0, one, FAR, 1)
        assert found >= 0, "a seed without a way back"
        path: list[int] = []
        node = goal
        while not path or node != begin:
            path.append(int(self._order[self._notes[_BY_EDGE, node]]))
            node = int(self._notes[_BY_NODE, node])
        return tuple(reversed(path))

    def _from(
        self, begin: int, seeds: tuple[Nodes, Nodes], length: int, most: int
    ) -> tuple[int, int, int]:
        edges = (self._starts, self._targets, self._free, self._rank)
        ended, seed, length, steps = self._run(
            edges, seeds, (begin, length, most, self._stamp), self._notes, self._levels
        )
        self._stamp += int(ended) - begin
        self.left -= int(steps)
        return int(ended), int(seed), int(length)


@kernel
def _search(  # noqa: C901 - one search, in one piece for the compiler
    edges: Any, seeds: Any, limits: Any, notes: Any, levels: Any
) -> Any:
    """Search from each seed on for a way shorter than ``length``; at least one seed is tried.

    ``notes`` has for each node the stamp of the search that was there, of the one that put it on
    the next level, of the one that put it on its own level, and the node and the edge it was
    reached by.
    """
    starts, targets, free, rank = edges
    goals, begins = seeds
    first, length, most, stamp = limits
    now, later = levels
    best = -1
    steps = 0
    seed = first
    while seed < len(begins) and (steps < most or seed == first):
        stamp += 1
        goal = goals[seed]
        now[0] = begins[seed]
        count = 1
        level = 0
        found = False
        while count > 0 and not found and level < length:
            at = 0
            waiting = 0
            while at < count:
                node = now[at]
                at += 1
                if notes[0, node] == stamp:
                    continue
                notes[0, node] = stamp
                for edge in range(starts[node], starts[node + 1]):
                    steps += 1
                    after = targets[edge]
                    far = level if free[edge] else level + 1
                    if far >= length or rank[after] > rank[goal]:
                        continue
                    if after == goal and far == 0:
                        continue
                    if after == goal:
                        length, best, found = far, seed, True
                        notes[3, goal], notes[4, goal] = node, edge
                    elif notes[0, after] == stamp or notes[2, after] == stamp:
                        continue
                    elif free[edge]:
                        notes[2, after] = stamp
                        notes[3, after], notes[4, after] = node, edge
                        now[count] = after
                        count += 1
                    elif notes[1, after] != stamp:
                        notes[1, after] = stamp
                        notes[3, after], notes[4, after] = node, edge
                        later[waiting] = after
                        waiting += 1
            now[:waiting] = later[:waiting]
            count = waiting
            level += 1
        seed += 1
    return seed, best, length, steps
