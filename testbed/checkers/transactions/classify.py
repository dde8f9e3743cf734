"""Cycles of a dependency graph, named by the weakest anomaly that each kind of cycle shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.budget import Budget
from testbed.checkers.transactions.anomaly import FORMS, implied_by, split_form
from testbed.checkers.transactions.circle import FAR, Paths, shortest_circle
from testbed.checkers.transactions.cycles import Core, cyclic_core
from testbed.checkers.transactions.graph import DependencyGraph, Edge, Edges
from testbed.checkers.transactions.ground import (
    Ground,
    circular,
    mutual,
    part_with_missed,
    with_one_missed,
)
from testbed.checkers.transactions.shapes import (
    FORM_KINDS,
    OF_VISIBILITY,
    SHAPES,
    SPECIAL,
    WITHOUT_FORMS,
    Shape,
)
from testbed.checkers.transactions.steps import Steps

MissedBy: TypeAlias = Callable[[NDArray[np.bool_]], tuple[Edges, int]]
"""For a mask of transactions: RW from those to those among them that wrote any later version of
what they read, with helpers and JOIN, and the number of nodes: all transactions, then helpers."""


@dataclass(frozen=True)
class Cycle:
    """A witness: transactions in a circle, each before the next, the last before the first.

    Args:
        anomaly: Canonical name, one of Adya's or Elle's.
        special: Canonical name of the special case of it that this is; the same without one.
        rows: Rows of the :class:`TransactionTable`; helpers are left out.
        kinds: ``kinds[i]`` says why ``rows[i]`` comes before the next one; never ``JOIN``.
    """

    anomaly: str
    special: str
    rows: tuple[int, ...]
    kinds: tuple[Edge, ...]


@dataclass(frozen=True)
class Cycles:
    """What was found in a graph.

    Args:
        cycles: One for each anomaly that is not implied by another one found.
        undecided: Anomalies that the search gave up on: neither found nor excluded.
    """

    cycles: tuple[Cycle, ...] = ()
    undecided: tuple[str, ...] = ()


def classify(graph: DependencyGraph, budget: Budget, missed: MissedBy | None = None) -> Cycles:
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
        places = _Places(core, graph, missed, form)
        for shape in SHAPES:
            name = shape.anomaly + form
            if form and shape.anomaly in WITHOUT_FORMS:
                continue
            if name in implied_by(cycle.special for cycle in found):
                continue
            budget.note(f"the dependencies are circular, looking for {name}")
            place = places.of(shape)
            cycle, exhausted = _find(place, shape, form, budget) if place else (None, False)
            if cycle is not None:
                found.append(cycle)
            elif exhausted:
                undecided.append(name)
    return Cycles(tuple(found), tuple(undecided))


class _Places:
    """The parts of the core in which the circles of one form may lie, found when asked for."""

    def __init__(
        self, core: Core, graph: DependencyGraph, missed: MissedBy | None, form: str
    ) -> None:
        self._core = core
        self._graph = graph
        self._missed = missed
        self._form = form

    def of(self, shape: Shape) -> Core | None:
        """Where to look for a shape; None where it cannot be."""
        if not shape.apart:
            return self._core
        return self._wide if shape.anomaly in OF_VISIBILITY else self._part

    @cached_property
    def _part(self) -> Core | None:
        return part_with_missed(self._core, self._form)

    @cached_property
    def _wide(self) -> Core | None:
        if self._part is None or self._missed is None:
            return self._part
        return _widened(self._part, self._graph, self._missed)


def _widened(core: Core, graph: DependencyGraph, missed: MissedBy) -> Core:
    """The core with RW to every later version in place of those to the next."""
    inside = np.zeros(graph.transactions, np.bool_)
    real = core.original < graph.transactions
    used = np.zeros(core.nodes, np.bool_)
    used[core.source] = True
    inside[core.original[real & used]] = True
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


def _find(core: Core, shape: Shape, form: str, budget: Budget) -> tuple[Cycle | None, bool]:
    """One anomaly: its shortest circle, or None and whether the search gave up."""
    longest = FAR if shape.longest == 1 and form == "-process" else shape.longest
    ground = _ground(core, shape, form)
    steps, seeds, back = ground.steps, ground.seeds, ground.back
    if len(seeds) == 0:
        return None, False
    joins = steps.kind[back] == Edge.JOIN
    paths = Paths(steps.nodes, steps.source[back], steps.target[back], joins, ground.rank)
    ends = (steps.source[seeds], steps.target[seeds])
    circle = shortest_circle(paths, ends, budget, longest=longest, certain=shape.certain)
    if circle.seed < 0:
        return None, circle.exhausted
    used = [int(seeds[circle.seed]), *(int(back[edge]) for edge in circle.path)]
    return _cycle(core, steps, shape.anomaly + form, used), False


def _ground(core: Core, shape: Shape, form: str) -> Ground:
    """Where the circles of a shape are looked for."""
    form_kinds = FORM_KINDS[form]
    if shape.certain:
        after = (*shape.after, *form_kinds) if shape.after else ()
        return circular(core, shape.seed, (*shape.ways, *form_kinds), after)
    if shape.seed in shape.ways:
        return mutual(core, shape.seed)
    if shape.longest == 1 and form:
        return with_one_missed(core, form_kinds[-1:])
    return with_one_missed(core, (*shape.ways, *form_kinds))


def _cycle(core: Core, steps: Steps, anomaly: str, used: list[int]) -> Cycle:
    """Transactions and reasons of a circle of edges; a way through one session is one step."""
    rows: list[int] = []
    kinds: list[Edge] = []
    for edge in used:
        kind = Edge(int(steps.kind[edge]))
        if kind == Edge.JOIN or (kind == Edge.PROCESS and kinds and kinds[-1] == Edge.PROCESS):
            continue
        rows.append(int(core.original[steps.source[edge] % core.nodes]))
        kinds.append(kind)
    name, form = split_form(anomaly)
    if name == "write-skew":
        name = "G2-item"
    elif name in SPECIAL:
        name = "G-single" if kinds.count(Edge.RW) == 1 else "G-nonadjacent"
    return Cycle(name + form, anomaly, tuple(rows), tuple(kinds))
