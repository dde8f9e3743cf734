"""Cycles of a dependency graph, named by the weakest anomaly that each kind of cycle shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.budget import Budget
from testbed.checkers.transactions.anomaly import FORMS, implied_by, split_form
from testbed.checkers.transactions.circle import FAR, Paths, shortest_circle
from testbed.checkers.transactions.cycles import (
    Core,
    components,
    cyclic_core,
    topological_ranks,
)
from testbed.checkers.transactions.graph import DependencyGraph, Edge, Edges, Nodes
from testbed.checkers.transactions.steps import Steps, all_of, alternating
from testbed.history.operation_table import Integers

_FORM_KINDS = {
    "": (),
    "-process": (Edge.PROCESS,),
    "-realtime": (Edge.PROCESS, Edge.REALTIME),
}
_ALWAYS = (Edge.WW, Edge.WR)


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


@dataclass(frozen=True)
class _Shape:
    """What makes a circle an anomaly: one edge of the kind ``seed``, and a way back.

    Args:
        anomaly: Name without a form.
        seed: The edge that closes the circle.
        ways: Edges of the way back, those of the form besides.
        longest: The most edges of the way back.
        after: Edges after which an RW may follow on the way back, those of the form besides; empty
            where the way is free to use what ``ways`` says.
    """

    anomaly: str
    seed: Edge
    ways: tuple[Edge, ...]
    longest: int = FAR
    after: tuple[Edge, ...] = ()

    @property
    def certain(self) -> bool:
        """Whether a seed within a strongly connected component must have a way back."""
        return self.seed in self.ways


_SHAPES = (
    _Shape("G0", Edge.WW, (Edge.WW,)),
    _Shape("G1c", Edge.WR, _ALWAYS),
    _Shape("fractured-read", Edge.RW, (Edge.WR,), longest=1),
    _Shape("causal-violation", Edge.RW, (Edge.WR,)),
    _Shape("G-single", Edge.RW, _ALWAYS),
    _Shape("prefix-violation", Edge.RW, (*_ALWAYS, Edge.RW), after=(Edge.WR,)),
    _Shape("G-nonadjacent", Edge.RW, (*_ALWAYS, Edge.RW), after=_ALWAYS),
    _Shape("G2-item", Edge.RW, (*_ALWAYS, Edge.RW)),
)
"""G0 to G2 after Adya; G-nonadjacent is the acyclicity of (WR | WW) ; RW? that characterizes
snapshot isolation (Cerone and Gotsman, JACM 2018), prefix-violation that of (WR ; RW?) | WW."""
_OF_VISIBILITY = ("fractured-read", "causal-violation")
_SPECIAL = (*_OF_VISIBILITY, "prefix-violation")


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
    wide = core if missed is None else _widened(core, graph, missed)
    found: list[Cycle] = []
    undecided: list[str] = []
    for form in FORMS if graph.timed else FORMS[:-1]:
        for shape in _SHAPES:
            name = shape.anomaly + form
            if name in implied_by(cycle.special for cycle in found):
                continue
            budget.note(f"the dependencies are circular, looking for {name}")
            cycle, exhausted = _find(
                wide if shape.anomaly in _OF_VISIBILITY else core, shape, form, budget
            )
            if cycle is not None:
                found.append(cycle)
            elif exhausted:
                undecided.append(name)
    return Cycles(tuple(found), tuple(undecided))


def _widened(core: Core, graph: DependencyGraph, missed: MissedBy) -> Core:
    """The core with RW to every later version in place of those to the next."""
    inside = np.zeros(graph.transactions, np.bool_)
    real = core.original < graph.transactions
    inside[core.original[real]] = True
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


@dataclass(frozen=True)
class _Ground:
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


def _find(core: Core, shape: _Shape, form: str, budget: Budget) -> tuple[Cycle | None, bool]:
    """One anomaly: its shortest circle, or None and whether the search gave up."""
    form_kinds = _FORM_KINDS[form]
    ways = (*shape.ways, *form_kinds)
    longest = shape.longest
    if shape.longest == 1 and form:
        ways = form_kinds[-1:]
        longest = FAR if form == "-process" else 1
    if shape.certain:
        after = (*shape.after, *form_kinds) if shape.after else ()
        ground = _circular(core, shape.seed, ways, after)
    else:
        ground = _with_one_missed(core, ways)
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


def _circular(core: Core, seed: Edge, ways: tuple[Edge, ...], after: tuple[Edge, ...]) -> _Ground:
    """Seeds that lie on the way itself: each within a component has a way back."""
    steps = alternating(core, after, ways) if after else all_of(core, ways)
    rank = np.zeros(steps.nodes, np.int32)
    if np.all(topological_ranks(steps.nodes, steps.source, steps.target) >= 0):
        nothing = np.empty(0, np.int64)
        return _Ground(steps, nothing, nothing, rank)
    label = components(steps.nodes, steps.source, steps.target)
    inside = label[steps.source] == label[steps.target]
    seeds = np.flatnonzero(inside & (steps.kind == seed))
    seeds = _smallest_first(seeds, label[steps.source[seeds]], label)
    return _Ground(steps, seeds, np.flatnonzero(inside), rank)


def _with_one_missed(core: Core, ways: tuple[Edge, ...]) -> _Ground:
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
        return _Ground(steps, seeds, back, rank)
    steps = alternating(core, ways, (*ways, Edge.RW))
    missed = steps.kind == Edge.RW
    label = components(steps.nodes, steps.source, steps.target)
    inside = label[steps.source] == label[steps.target]
    seeds = np.flatnonzero(inside & missed)
    seeds = _smallest_first(seeds, label[steps.source[seeds]], label)
    return _Ground(steps, seeds, np.flatnonzero(inside & ~missed), np.zeros(steps.nodes, np.int32))


def _smallest_first(seeds: NDArray[np.int64], where: Nodes, label: Nodes) -> NDArray[np.int64]:
    """Seeds in the order of the sizes of their components."""
    sizes = np.bincount(label)
    ordered: NDArray[np.int64] = seeds[np.argsort(sizes[where], kind="stable")]
    return ordered


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
    if name in _SPECIAL:
        name = "G-single" if kinds.count(Edge.RW) == 1 else "G-nonadjacent"
    return Cycle(name + form, anomaly, tuple(rows), tuple(kinds))
