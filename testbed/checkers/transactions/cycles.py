"""Whether a graph has a circle, and the part of it in which all circles lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.kernel import kernel
from testbed.checkers.transactions.graph import Nodes
from testbed.history.operation_table import Integers, Small


@dataclass(frozen=True)
class Core:
    """The strongly connected part of a graph, renumbered from 0.

    Args:
        original: For each node its number in the whole graph.
        source: Edges within strongly connected components alone.
        target: Edges.
        kind: Edges.
    """

    original: Integers
    source: Nodes
    target: Nodes
    kind: Small

    @property
    def nodes(self) -> int:
        """How many there are."""
        return len(self.original)


def cyclic_core(nodes: int, source: Nodes, target: Nodes, kind: Small) -> Core | None:
    """The part of a graph in which all its circles lie; None where it has none.

    What can be ranked from the front is taken away, then what can be from the back; only in what
    remains are components looked for. Linear in the edges.
    """
    left = np.flatnonzero(topological_ranks(nodes, source, target) < 0)
    if len(left) == 0:
        return None
    source, target, kind = _within(left, nodes, source, target, kind)
    inner = np.flatnonzero(topological_ranks(len(left), target, source) < 0)
    source, target, kind = _within(inner, len(left), source, target, kind)
    label = components(len(inner), source, target)
    same = label[source] == label[target]
    return Core(left[inner], source[same], target[same], kind[same])


def components(nodes: int, source: Nodes, target: Nodes) -> NDArray[np.int32]:
    """For each node the number of its strongly connected component (Tarjan, 1972; no recursion)."""
    starts, order = outgoing(nodes, source)
    run = _tarjan.for_rows(nodes + len(source))
    found: NDArray[np.int32] = run(starts, target[order], nodes)
    return found


def outgoing(nodes: int, source: Nodes) -> tuple[Integers, Integers]:
    """Edges by their source: those of node ``i`` are ``order[starts[i]:starts[i + 1]]``."""
    run = _grouped.for_rows(nodes + len(source))
    starts, order = run(source, nodes)
    return starts, order


def topological_ranks(nodes: int, source: Nodes, target: Nodes) -> NDArray[np.int32]:
    """Numbers of the nodes that grow along every edge; -1 for what lies on circles or behind one.

    Nodes without an edge from one that has no number yet are taken first come, first served
    (Kahn, CACM 1962).
    """
    run = _peel.for_rows(nodes + len(source))
    ranks: NDArray[np.int32] = run(source, target, nodes)
    return ranks


def _within(
    kept: Integers, nodes: int, source: Nodes, target: Nodes, kind: Small
) -> tuple[Nodes, Nodes, Small]:
    """The edges among the nodes kept, renumbered."""
    number = np.full(nodes, -1, np.int32)
    number[kept] = np.arange(len(kept), dtype=np.int32)
    run = _select.for_rows(nodes + len(source))
    first, second, kinds = run(number, source, target, kind)
    return first, second, kinds


@kernel
def _select(number: Any, source: Any, target: Any, kind: Any) -> Any:
    count = 0
    for edge in range(len(source)):
        if number[source[edge]] >= 0 and number[target[edge]] >= 0:
            count += 1
    first = np.empty(count, np.int32)
    second = np.empty(count, np.int32)
    kinds = np.empty(count, np.int8)
    count = 0
    for edge in range(len(source)):
        if number[source[edge]] >= 0 and number[target[edge]] >= 0:
            first[count] = number[source[edge]]
            second[count] = number[target[edge]]
            kinds[count] = kind[edge]
            count += 1
    return first, second, kinds


@kernel
def _grouped(source: Any, nodes: int) -> Any:
    starts = np.zeros(nodes + 1, np.int64)
    for edge in range(len(source)):
        starts[source[edge] + 1] += 1
    for node in range(nodes):
        starts[node + 1] += starts[node]
    place = starts[:-1].copy()
    order = np.empty(len(source), np.int64)
    for edge in range(len(source)):
        order[place[source[edge]]] = edge
        place[source[edge]] += 1
    return starts, order


@kernel
def _peel(source: Any, target: Any, nodes: int) -> Any:
    starts = np.zeros(nodes + 1, np.int64)
    needs = np.zeros(nodes, np.int32)
    for edge in range(len(source)):
        starts[source[edge] + 1] += 1
        needs[target[edge]] += 1
    for node in range(nodes):
        starts[node + 1] += starts[node]
    place = starts[:-1].copy()
    targets = np.empty(len(source), np.int32)
    for edge in range(len(source)):
        targets[place[source[edge]]] = target[edge]
        place[source[edge]] += 1
    ready = np.empty(nodes, np.int32)
    count = 0
    for node in range(nodes):
        if needs[node] == 0:
            ready[count] = node
            count += 1
    ranks = np.full(nodes, -1, np.int32)
    at = 0
    while at < count:
        node = ready[at]
        ranks[node] = at
        at += 1
        for edge in range(starts[node], starts[node + 1]):
            after = targets[edge]
            needs[after] -= 1
            if needs[after] == 0:
                ready[count] = after
                count += 1
    return ranks


@kernel
def _tarjan(starts: Any, targets: Any, nodes: int) -> Any:  # noqa: C901 - one loop without calls
    label = np.full(nodes, -1, np.int32)
    index = np.full(nodes, -1, np.int32)
    low = np.zeros(nodes, np.int32)
    place = starts[:-1].copy()
    path = np.empty(nodes, np.int32)
    stack = np.empty(nodes, np.int32)
    counter = 0
    found = 0
    held = 0
    for root in range(nodes):
        if index[root] >= 0:
            continue
        depth = 0
        path[0] = root
        while depth >= 0:
            node = path[depth]
            if index[node] < 0:
                index[node] = counter
                low[node] = counter
                counter += 1
                stack[held] = node
                held += 1
            deeper = False
            while place[node] < starts[node + 1]:
                after = targets[place[node]]
                if index[after] < 0:
                    depth += 1
                    path[depth] = after
                    deeper = True
                    break
                place[node] += 1
                if label[after] < 0 and low[after] < low[node]:
                    low[node] = low[after]
            if deeper:
                continue
            if low[node] == index[node]:
                top = -1
                while top != node:
                    held -= 1
                    top = stack[held]
                    label[top] = found
                found += 1
            depth -= 1
    return label
