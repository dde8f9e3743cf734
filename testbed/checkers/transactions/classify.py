"""Cycles of a dependency graph, named by the weakest anomaly that each kind of cycle shows."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.budget import Budget
from testbed.checkers.transactions.anomaly import FORMS, implied_by
from testbed.checkers.transactions.cycles import Core, cyclic_core
from testbed.checkers.transactions.graph import DependencyGraph, Edge, Edges
from testbed.checkers.transactions.ground import part_with_missed
from testbed.checkers.transactions.shape_search import Cycle, find_shape
from testbed.checkers.transactions.shapes import (
    OF_STEPS,
    OF_VISIBILITY,
    SHAPES,
    WITHOUT_FORMS,
    Shape,
)
from testbed.checkers.transactions.unfolded import Unfolding, find_unfolded, transactions_in

MissedBy: TypeAlias = Callable[[NDArray[np.bool_]], tuple[Edges, int]]
"""For a mask of transactions: RW from those to those among them that wrote any later version of
what they read, with helpers and JOIN, and the number of nodes: all transactions, then helpers."""


@dataclass(frozen=True)
class Cycles:
    """What was found in a graph.

    Args:
        cycles: One for each anomaly that is not implied by another one found.
        undecided: Anomalies that the search gave up on: neither found nor excluded.
    """

    cycles: tuple[Cycle, ...] = ()
    undecided: tuple[str, ...] = ()


def classify(
    graph: DependencyGraph,
    budget: Budget,
    missed: MissedBy | None = None,
    unfolding: Unfolding | None = None,
    settled: AbstractSet[str] = frozenset(),
) -> Cycles:
    """Find the weakest anomalies of each kind, each with a short witness.

    Linear where the graph has no circle. Else only what lies on circles is searched, anomaly by
    anomaly from the worst on: whether there is one is decided by strongly connected components,
    in linear time, for all but those with exactly one missed write: their search may be quadratic,
    and is bounded.

    Args:
        graph: The dependencies.
        budget: What it may cost.
        missed: Gives the RW to every later version, where those of the graph lead to the next one
            only; what read atomic and causal consistency are about. Without it they are judged by
            the edges of the graph.
        unfolding: Takes transactions apart; without it what needs that is not looked for.
        settled: Anomalies that are not looked for either: what is known of them stays.

    Raises:
        OutOfBudgetError: It took too long.
    """
    budget.note("the dependencies are known, whether they are circular is not")
    edges = graph.edges
    core = cyclic_core(graph.nodes, edges.source, edges.target, edges.kind)
    if core is None:
        return Cycles()
    found: list[Cycle] = []
    undecided: list[str] = []
    for form in FORMS if graph.timed else FORMS[:-1]:
        places = _Places(core, graph, missed, unfolding, form)
        for shape in SHAPES:
            name = shape.anomaly + form
            if form and shape.anomaly in WITHOUT_FORMS:
                continue
            if unfolding is None and shape.anomaly in OF_STEPS:
                continue
            if name in settled or name in implied_by(cycle.special for cycle in found):
                continue
            budget.note(f"the dependencies are circular, looking for {name}")
            cycle, exhausted = places.look(shape, budget)
            if cycle is not None:
                found.append(cycle)
            elif exhausted:
                undecided.append(name)
    return Cycles(tuple(found), tuple(undecided))


@dataclass(frozen=True)
class _Places:
    """The parts of the core in which the circles of one form may lie, found when asked for."""

    core: Core
    graph: DependencyGraph
    missed: MissedBy | None
    unfolding: Unfolding | None
    form: str

    def look(self, shape: Shape, budget: Budget) -> tuple[Cycle | None, bool]:
        """A shape's shortest circle; None, and whether the search gave up."""
        place = self._of(shape)
        if place is None:
            return None, False
        if shape.anomaly not in OF_STEPS or self.unfolding is None:
            return find_shape(place, shape, self.form, budget)
        inside = transactions_in(place, self.graph.transactions)
        return find_unfolded(self.unfolding, inside, shape, self.form, budget)

    def _of(self, shape: Shape) -> Core | None:
        """Where to look for a shape; None where it cannot be."""
        if not shape.apart:
            return self.core
        return self._wide if shape.anomaly in OF_VISIBILITY else self._part

    @cached_property
    def _part(self) -> Core | None:
        return part_with_missed(self.core, self.form)

    @cached_property
    def _wide(self) -> Core | None:
        if self._part is None or self.missed is None:
            return self._part
        return _widened(self._part, self.graph, self.missed)


def _widened(core: Core, graph: DependencyGraph, missed: MissedBy) -> Core:
    """The core with RW to every later version in place of those to the next."""
    inside = transactions_in(core, graph.transactions)
    real = core.original < graph.transactions
    edges, nodes = missed(inside)
    helpers = nodes - graph.transactions
    number = np.zeros(nodes, np.int32)
    number[core.original[real]] = np.flatnonzero(real)
    number[graph.transactions :] = core.nodes + np.arange(helpers)
    kept = core.kind != Edge.RW
    return Core(
        np.concatenate([core.original, np.full(helpers, -1)]),
        np.concatenate([core.source[kept], number[edges.source]]),
        np.concatenate([core.target[kept], number[edges.target]]),
        np.concatenate([core.kind[kept], edges.kind]),
    )
