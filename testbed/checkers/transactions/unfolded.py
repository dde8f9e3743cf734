"""Circles among transactions that are taken apart."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.budget import Budget
from testbed.checkers.transactions.circle import FAR, Paths, shortest_circle
from testbed.checkers.transactions.cycles import Core
from testbed.checkers.transactions.graph import Edge
from testbed.checkers.transactions.shape_search import Cycle, cycle_of, find_shape
from testbed.checkers.transactions.shapes import FORM_KINDS, Shape
from testbed.checkers.transactions.steps import all_of


class Unfolding(Protocol):
    """Takes transactions apart, see :mod:`testbed.checkers.transactions.list_unfold`."""

    def fits(self, inside: NDArray[np.bool_]) -> bool:
        """Whether there are few enough of them."""
        ...

    def by_reader(self, inside: NDArray[np.bool_], form: str) -> Core:
        """The graph of G-monotonic."""
        ...

    def by_step(self, inside: NDArray[np.bool_], form: str) -> Core:
        """The graph of G-MSR."""
        ...

    def updates_and_readers(self, inside: NDArray[np.bool_], form: str) -> tuple[Core, int]:
        """The graph of G-update, and how many of its edges, the last ones, close a circle."""
        ...


def transactions_in(core: Core, transactions: int) -> NDArray[np.bool_]:
    """The transactions that have an edge in a core.

    Args:
        core: Nodes of a graph and edges among them.
        transactions: How many transactions the graph has; its other nodes are helpers.
    """
    inside = np.zeros(transactions, np.bool_)
    real = core.original < transactions
    used = np.zeros(core.nodes, np.bool_)
    used[core.source] = True
    inside[core.original[real & used]] = True
    return inside


def find_unfolded(
    unfolding: Unfolding, inside: NDArray[np.bool_], shape: Shape, form: str, budget: Budget
) -> tuple[Cycle | None, bool]:
    """One anomaly of transactions that are taken apart.

    Args:
        unfolding: Takes them apart.
        inside: Those that lie on circles.
        shape: The anomaly.
        form: Its form.
        budget: What the search may cost.

    Returns:
        Its shortest circle; None, and whether the search gave up.

    Raises:
        OutOfBudgetError: It took too long.
    """
    if not unfolding.fits(inside):
        return None, True
    if shape.anomaly == "G-monotonic":
        return find_shape(unfolding.by_reader(inside, form), shape, form, budget)
    if shape.anomaly == "G-MSR":
        return find_shape(unfolding.by_step(inside, form), shape, form, budget)
    core, closing = unfolding.updates_and_readers(inside, form)
    found, exhausted = find_shape(_without_last(core, closing), shape, form, budget)
    if found is not None or exhausted:
        return found, exhausted
    return _with_one_reader(core, closing, shape, form, budget)


def _without_last(core: Core, count: int) -> Core:
    kept = len(core.kind) - count
    return replace(
        core, source=core.source[:kept], target=core.target[:kept], kind=core.kind[:kept]
    )


def _with_one_reader(
    core: Core, closing: int, shape: Shape, form: str, budget: Budget
) -> tuple[Cycle | None, bool]:
    """A circle through one reader, which one of the closing edges completes."""
    steps = all_of(core, (*shape.ways, *FORM_KINDS[form]))
    edges = np.arange(len(steps.kind))
    last = steps.origin >= len(core.kind) - closing
    seeds, back = edges[last], edges[~last]
    if not len(seeds):
        return None, False
    joins = steps.kind[back] == Edge.JOIN
    rank = np.zeros(steps.nodes, np.int32)
    paths = Paths(steps.nodes, steps.source[back], steps.target[back], joins, rank)
    ends = (steps.source[seeds], steps.target[seeds])
    circle = shortest_circle(paths, ends, budget, longest=FAR, certain=False)
    if circle.seed < 0:
        return None, circle.exhausted
    used = [int(seeds[circle.seed]), *(int(back[edge]) for edge in circle.path)]
    found = cycle_of(core, steps, shape.anomaly + form, used)
    # Without a missed write it is another anomaly, and whether there is one of this kind is open.
    return (found, False) if Edge.RW in found.kinds else (None, True)
