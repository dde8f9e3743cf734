"""Anomalies of lists that depend on the order of appends that no read shows.

What every order of them shows is found without one. What some orders show is there or not, and is
looked for in one of them: what that one is without is ruled out, the rest is left open.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.budget import Budget
from testbed.checkers.transactions.anomaly import FORMS, implied_by
from testbed.checkers.transactions.classify import Cycles, MissedBy, classify
from testbed.checkers.transactions.cycles import components, topological_ranks
from testbed.checkers.transactions.graph import DependencyGraph, Edge, Edges
from testbed.checkers.transactions.list_unfold import ListUnfolding
from testbed.history.transaction_table import Access


@dataclass(frozen=True)
class UnreadOrder:
    """An order of the appends of each key that no read shows, as far as circles depend on it.

    Args:
        before: For each of ``Successors.unseen`` the transaction right before it; -1 where no
            circle depends on it.
        after: The places in ``Successors.unseen`` of those that have one before them.
    """

    before: NDArray[np.int32]
    after: NDArray[np.int64]

    def edges(self, unseen: NDArray[np.int32]) -> Edges:
        """WW from each to the next one."""
        count = len(self.after)
        return Edges(self.before[self.after], unseen[self.after], np.full(count, Edge.WW, np.int8))


def depends_on_order(
    unfolding: ListUnfolding,
    graph: DependencyGraph,
    cycles: Cycles,
    missed: MissedBy,
    budget: Budget,
) -> frozenset[str]:
    """The anomalies that were not found and may be there, for an order that was tried has them.

    Args:
        unfolding: Takes the transactions of the history apart.
        graph: The dependencies.
        cycles: What was found in it.
        missed: See :func:`classify`.
        budget: What it may cost.

    Raises:
        OutOfBudgetError: It took too long.
    """
    found = implied_by(cycle.special for cycle in cycles.cycles)
    order = _order(unfolding, graph)
    if order is None:
        return frozenset()
    edges = Edges.joined([graph.edges, order.edges(unfolding.successors.unseen)])
    ordered = replace(unfolding, unread=order.before)
    settled = found.union(cycles.undecided)
    tried = classify(replace(graph, edges=edges), budget, missed, ordered, settled)
    there = implied_by(cycle.special for cycle in tried.cycles).union(tried.undecided)
    if _replaces_another(unfolding, order):
        there |= {"G-cursor" + form for form in FORMS}
    return there - found


def _order(unfolding: ListUnfolding, graph: DependencyGraph) -> UnreadOrder | None:
    """One along the dependencies; None where no circle depends on it.

    An append that lies before another one on a way closes no circle if it comes first. So only
    those of a strongly connected component matter to each other.
    """
    successors = unfolding.successors
    unseen, sizes = successors.unseen, np.diff(successors.unseen_starts)
    if sizes.max(initial=0) < 2:
        return None
    source, target, kind = graph.edges.source, graph.edges.target, graph.edges.kind
    label = components(graph.nodes, source, target)[unseen]
    key = np.repeat(np.arange(len(sizes)), sizes)
    known = kind != Edge.RW
    rank = topological_ranks(graph.nodes, source[known], target[known])[unseen]
    later = successors.last[key] != unseen
    ordered = np.lexsort((rank, later, label, key))
    one, two = ordered[:-1], ordered[1:]
    together = (key[one] == key[two]) & (label[one] == label[two])
    if not together.any():
        return None
    before = np.full(len(unseen), -1, np.int32)
    before[two[together]] = unseen[one[together]]
    return UnreadOrder(before, two[together])


def _replaces_another(unfolding: ListUnfolding, order: UnreadOrder) -> bool:
    """Whether one that comes after another had read the version before both (G-cursor)."""
    table, versions, successors = unfolding.table, unfolding.versions, unfolding.successors
    last = versions.place == versions.length[table.key]
    reads = np.flatnonzero(last & (table.access == Access.READ))
    rows = np.searchsorted(table.first, reads, side="right") - 1
    keys = np.searchsorted(successors.unseen_starts, order.after, side="right") - 1
    width = len(table.keys)
    late = successors.unseen[order.after].astype(np.int64) * width + keys
    return bool(np.isin(late, rows * width + table.key[reads]).any())
