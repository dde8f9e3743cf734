"""The transitive closure of a graph, as one set of bits a node, that grows and shrinks again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

Pair: TypeAlias = tuple[int, int]
BASE = -1
"""In place of a literal: an edge that is there in any case."""


@dataclass
class Reachability:
    """The transitive closure of a graph that grows, and shrinks again.

    Args:
        nodes: How many nodes.
        edges: Its first edges, without a cycle.
    """

    nodes: int
    edges: Sequence[Pair]
    after: list[int] = field(init=False)
    before: list[int] = field(init=False)
    out: list[list[tuple[int, int, int]]] = field(init=False)
    _undo: list[tuple[int, int, int]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.out = [[] for _ in range(self.nodes)]
        for source, target in self.edges:
            self.out[source].append((target, BASE, BASE))
        order = self._topological()
        self.after = [1 << node for node in range(self.nodes)]
        self.before = list(self.after)
        for node in reversed(order):
            reach = self.after[node]
            for target, _, _ in self.out[node]:
                reach |= self.after[target]
            self.after[node] = reach
        for node in order:
            reach = self.before[node]
            for target, _, _ in self.out[node]:
                self.before[target] |= reach

    def leads(self, source: int, target: int) -> bool:
        """Whether there is a path (or they are one)."""
        return bool(self.after[source] >> target & 1)

    def insert(self, edge: Pair, literal: int, stamp: int) -> Iterator[tuple[int, int]]:
        """Add an edge that closes no cycle; yields each node with the bits that it newly reaches.

        Args:
            edge: The edge.
            literal: Why it is there.
            stamp: Grows with time; a path is explained by edges with smaller ones.
        """
        source, target = edge
        if self.leads(source, target):
            return
        self.out[source].append((target, literal, stamp))
        self._undo.append((-1, source, 0))
        gained, towards = self.after[target], self.before[source]
        for node in bits(towards):
            old = self.after[node]
            new = old | gained
            if new != old:
                self._undo.append((0, node, old))
                self.after[node] = new
                yield node, new & ~old
        for node in bits(gained):
            old = self.before[node]
            new = old | towards
            if new != old:
                self._undo.append((1, node, old))
                self.before[node] = new

    def mark(self) -> int:
        """A point to come back to."""
        return len(self._undo)

    def back_to(self, mark: int) -> None:
        """Undo every insertion since a point."""
        undo = self._undo
        while len(undo) > mark:
            what, node, old = undo.pop()
            if what < 0:
                self.out[node].pop()
            elif what:
                self.before[node] = old
            else:
                self.after[node] = old

    def path(self, source: int, target: int, stamp: int) -> list[tuple[int, int, int]]:
        """A shortest path by edges older than ``stamp``, as (node, next node, literal)."""
        came: dict[int, tuple[int, int]] = {source: (source, BASE)}
        queue = deque([source])
        while queue and target not in came:
            node = queue.popleft()
            for following, literal, when in self.out[node]:
                if following not in came and when < stamp and self.leads(following, target):
                    came[following] = (node, literal)
                    queue.append(following)
        steps = []
        node = target
        while node != source:
            earlier, literal = came[node]
            steps.append((earlier, node, literal))
            node = earlier
        return steps[::-1]

    def _topological(self) -> list[int]:
        needs = [0] * self.nodes
        for _, target in self.edges:
            needs[target] += 1
        order = [node for node in range(self.nodes) if not needs[node]]
        for node in order:
            for target, _, _ in self.out[node]:
                needs[target] -= 1
                if not needs[target]:
                    order.append(target)
        assert len(order) == self.nodes, "the first edges have a cycle"
        return order


def bits(mask: int) -> Iterator[int]:
    """The numbers of the bits that are set."""
    base = 0
    for byte in mask.to_bytes((mask.bit_length() + 7) // 8, "little"):
        if byte:
            for bit in _BITS[byte]:
                yield base + bit
        base += 8


_BITS = [tuple(bit for bit in range(8) if byte >> bit & 1) for byte in range(256)]
