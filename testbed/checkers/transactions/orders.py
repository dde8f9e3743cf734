"""What a search over orders of versions is asked, and why it may find none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from testbed.checkers.transactions.reachability import Pair


@dataclass(frozen=True)
class Orders:
    """What is to be ordered.

    Args:
        nodes: How many nodes the graph has.
        edges: Edges that are there in any case; they have no cycle.
        forbidden: ``(u, v)``: no path may lead from ``v`` to ``u``, though there is no edge.
        added: For each literal the edges that it adds.
        missed: For each literal the pairs that it forbids, as in ``forbidden``.

    Literal ``2 * i`` is one way to order the ``i``-th pair of chains, ``2 * i + 1`` the other; the
    even one is guessed first.
    """

    nodes: int
    edges: Sequence[Pair]
    forbidden: Sequence[Pair]
    added: Sequence[Sequence[Pair]]
    missed: Sequence[Sequence[Pair]]


@dataclass(frozen=True)
class Contradiction:
    """A cycle that is there whatever is chosen: its edges are given or forced.

    Args:
        path: Steps (node, next node, literal), from the target of ``closing`` to its source.
        closing: The edge or forbidden pair (node, next node, literal) that closes it.
    """

    path: list[tuple[int, int, int]]
    closing: tuple[int, int, int]
