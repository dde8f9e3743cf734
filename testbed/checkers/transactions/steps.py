"""Which edges may follow which: a graph whose nodes remember how they were reached."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from testbed.checkers.transactions.cycles import Core
from testbed.checkers.transactions.graph import Edge, Nodes
from testbed.history.operation_table import Integers, Small


@dataclass(frozen=True)
class Steps:
    """Edges among nodes; node ``i`` of the core is ``i``, or ``i + core.nodes`` after some edges.

    Args:
        nodes: How many there are.
        source: Edges.
        target: Edges.
        kind: Edges.
        origin: For each edge its index in the core.
    """

    nodes: int
    source: Nodes
    target: Nodes
    kind: Small
    origin: Integers


def all_of(core: Core, kinds: tuple[Edge, ...]) -> Steps:
    """The edges of some kinds, in any order."""
    kept = np.flatnonzero(_is_one_of(core.kind, (*kinds, Edge.JOIN)))
    return Steps(core.nodes, core.source[kept], core.target[kept], core.kind[kept], kept)


def alternating(core: Core, before: tuple[Edge, ...], kinds: tuple[Edge, ...]) -> Steps:
    """The edges of some kinds, where an RW may only follow an edge of the kinds ``before``.

    A node stands twice: as reached by an edge of ``before``, and as reached by another one. A
    circle in this graph is a circle of the core in which every RW follows one of ``before``.
    """
    kept = np.flatnonzero(_is_one_of(core.kind, (*kinds, Edge.JOIN)))
    source, target, kind = core.source[kept], core.target[kept], core.kind[kept]
    shift = np.int32(core.nodes)
    join, again = kind == Edge.JOIN, kind != Edge.RW
    other = np.where(join | _is_one_of(kind, before), np.int32(0), shift)
    second = np.where(join, shift, other)
    return Steps(
        2 * core.nodes,
        np.concatenate([source, source[again] + shift]),
        np.concatenate([target + other, (target + second)[again]]),
        np.concatenate([kind, kind[again]]),
        np.concatenate([kept, kept[again]]),
    )


def _is_one_of(kind: Small, kinds: tuple[Edge, ...]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    table = np.zeros(len(Edge), np.bool_)
    table[list(kinds)] = True
    found: np.ndarray[tuple[int], np.dtype[np.bool_]] = table[kind]
    return found
