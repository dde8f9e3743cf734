"""Where in a graph one kind of circle is looked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.transactions.cycles import Core, components, topological_ranks
from testbed.checkers.transactions.graph import Edge, Nodes
from testbed.checkers.transactions.shapes import FORM_KINDS, NONADJACENT
from testbed.checkers.transactions.steps import Steps, all_of, alternating
from testbed.history.operation_table import Integers


def part_with_missed(core: Core, form: str) -> Core | None:
    """The part in which circles without adjacent RW lie that have one; None where there is none.

    Those with exactly one RW are among them.
    """
    extra = FORM_KINDS[form]
    steps = alternating(core, (*NONADJACENT.after, *extra), (*NONADJACENT.ways, *extra))
    ground = _circular(steps, Edge.RW)
    if len(ground.seeds) == 0:
        return None
    kept = np.zeros(len(core.kind), np.bool_)
    kept[steps.origin[ground.back]] = True
    return Core(core.original, core.source[kept], core.target[kept], core.kind[kept])


@dataclass(frozen=True)
class Ground:
    """Where one kind of circle is looked for.

    Args:
        steps: All edges in question.
        seeds: Those that may close a circle.
        back: Those that the way back may use.
        rank: See :class:`Paths`.
    """

    steps: Steps
    seeds: Integers
    back: Integers
    rank: Nodes


def circular(core: Core, seed: Edge, ways: tuple[Edge, ...], after: tuple[Edge, ...]) -> Ground:
    """Seeds that lie on the way itself: each within a component has a way back."""
    return _circular(alternating(core, after, ways) if after else all_of(core, ways), seed)


def _circular(steps: Steps, seed: Edge) -> Ground:
    rank = np.zeros(steps.nodes, np.int32)
    if np.all(topological_ranks(steps.nodes, steps.source, steps.target) >= 0):
        nothing = np.empty(0, np.int64)
        return Ground(steps, nothing, nothing, rank)
    label = components(steps.nodes, steps.source, steps.target)
    inside = label[steps.source] == label[steps.target]
    seeds = np.flatnonzero(inside & (steps.kind == seed))
    seeds = _smallest_first(seeds, label[steps.source[seeds]], label)
    return Ground(steps, seeds, np.flatnonzero(inside), rank)


def mutual(core: Core, kind: Edge) -> Ground:
    """Seeds and ways back are edges of one kind: what two nodes are to each other."""
    steps = all_of(core, (kind,))
    seeds = np.flatnonzero(steps.kind == kind)
    return Ground(steps, seeds, np.arange(len(steps.kind)), np.zeros(steps.nodes, np.int32))


def with_one_missed(core: Core, ways: tuple[Edge, ...]) -> Ground:
    """Seeds are RW, which the way back may not use.

    Where the way back has no circle of its own, only an RW against its order can close one, and
    only between the ranks of its ends. Else what shares a component is searched.
    """
    steps = all_of(core, (*ways, Edge.RW))
    missed = steps.kind == Edge.RW
    back = np.flatnonzero(~missed)
    rank = topological_ranks(steps.nodes, steps.source[back], steps.target[back])
    if np.all(rank >= 0):
        seeds = np.flatnonzero(missed & (rank[steps.source] > rank[steps.target]))
        return Ground(steps, seeds, back, rank)
    steps = alternating(core, ways, (*ways, Edge.RW))
    missed = steps.kind == Edge.RW
    label = components(steps.nodes, steps.source, steps.target)
    inside = label[steps.source] == label[steps.target]
    seeds = np.flatnonzero(inside & missed)
    seeds = _smallest_first(seeds, label[steps.source[seeds]], label)
    return Ground(steps, seeds, np.flatnonzero(inside & ~missed), np.zeros(steps.nodes, np.int32))


def _smallest_first(seeds: NDArray[np.int64], where: Nodes, label: Nodes) -> NDArray[np.int64]:
    """Seeds in the order of the sizes of their components."""
    sizes = np.bincount(label)
    ordered: NDArray[np.int64] = seeds[np.argsort(sizes[where], kind="stable")]
    return ordered
