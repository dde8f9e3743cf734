"""Cycles of a dependency graph, named by the weakest anomaly that each kind of cycle shows."""

from __future__ import annotations

from dataclasses import dataclass

from testbed.checkers.budget import Budget
from testbed.checkers.transactions.graph import DependencyGraph, Edge


@dataclass(frozen=True)
class Cycle:
    """A witness: transactions in a circle, each before the next, the last before the first.

    Args:
        anomaly: Canonical name.
        rows: Rows of the :class:`TransactionTable`; helpers are left out.
        kinds: ``kinds[i]`` says why ``rows[i]`` comes before the next one; never ``JOIN``.
    """

    anomaly: str
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


def classify(graph: DependencyGraph, budget: Budget) -> Cycles:
    """Find the weakest anomalies of each kind, each with a short witness.

    Args:
        graph: The dependencies.
        budget: What it may cost.

    Raises:
        OutOfBudgetError: It took too long.
    """
    raise NotImplementedError
