"""Levels above causal consistency: whether an order of the versions of each key explains all.

First what the history says by itself (:mod:`~testbed.checkers.transactions.version_chains`): where
every write reads its key first, that is all and the answer takes linear time (mini-transactions,
arXiv 2504.02344). Else one order is tried that agrees with it and with the sequence of the history;
then all are searched (:mod:`~testbed.checkers.transactions.order_solver`). The problem is
NP-complete (Papadimitriou 1979; Biswas and Enea 2019), so a search may end without an answer.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from testbed.checkers.budget import Budget
from testbed.checkers.transactions import order_witness
from testbed.checkers.transactions.cycles import cyclic_core
from testbed.checkers.transactions.graph import Edge
from testbed.checkers.transactions.order_guess import replay, weights
from testbed.checkers.transactions.order_problem import (
    RULES,
    Labelled,
    Nodes,
    OrderProblem,
    order_problem,
)
from testbed.checkers.transactions.order_solver import Exhausted, OrderSolver
from testbed.checkers.transactions.orders import Orders
from testbed.checkers.transactions.reachability import Pair
from testbed.checkers.transactions.resolved import Resolved
from testbed.checkers.transactions.version_chains import versions_of

NODES_MAX = 40_000
"""The closure of a graph takes nodes squared bits, twice."""
PAIRS_MAX = 400_000
SIDE_PAIRS_MAX = 10_000
"""The same for a search of limited effort."""


@dataclass(frozen=True)
class Answer:
    """Whether a level holds.

    Args:
        holds: The answer; None if it was not found.
        counterexample: What shows that it does not hold.
        reason: Why there is no answer.
    """

    holds: bool | None
    counterexample: dict[str, Any] | None = None
    reason: str = ""


def search(resolved: Resolved, level: str, budget: Budget, effort: int | None) -> Answer:
    """Decide a level of a history that is causally consistent.

    Args:
        resolved: The history.
        level: One of :data:`RULES`.
        budget: What it may cost.
        effort: How many conflicts the search may meet; None for as many as the budget allows.

    Raises:
        OutOfBudgetError: It took too long.
    """
    rules = RULES[level]
    budget.note(f"{level}: versions are put in order")
    versions = versions_of(resolved)
    if rules.tight and versions.lost_update:
        return Answer(holds=False, counterexample=order_witness.lost_update(resolved, versions))
    problem = order_problem(resolved, versions, rules)
    edges = problem.edges
    core = cyclic_core(problem.nodes, *_narrow(edges))
    if core is not None:
        found = order_witness.cycle_in(problem, core, level)
        return Answer(holds=False, counterexample=found)
    pairs = problem.pairs()
    if rules.missed_is_edge and pairs == 0:
        return Answer(holds=True)
    budget.note(f"{level}: one order of {pairs:,} open pairs of versions is tried")
    if pairs > 0 and _replayed(problem):
        return Answer(holds=True)
    return _tried(problem, pairs, level, budget, effort)


def _tried(
    problem: OrderProblem, pairs: int, level: str, budget: Budget, effort: int | None
) -> Answer:
    """Try one order, then all."""
    where = _natural_order(problem)
    if _explains(problem, where):
        return Answer(holds=True)
    most = PAIRS_MAX if effort is None else SIDE_PAIRS_MAX
    if problem.nodes > NODES_MAX or pairs > most:
        reason = (
            f"{pairs:,} pairs of versions may come in either order, among {problem.nodes:,} nodes: "
            "too many to search"
        )
        return Answer(holds=None, reason=reason)
    return _search(problem, where, level, budget, effort)


def _search(
    problem: OrderProblem, where: Nodes, level: str, budget: Budget, effort: int | None
) -> Answer:
    pairs = _open_pairs(problem, where)

    def look(conflicts: int, ordered: int) -> None:
        budget.note(
            f"{level}: {ordered:,} of {len(pairs):,} open pairs of versions are in order after"
            f" {conflicts:,} contradictions"
        )

    solver = OrderSolver(_orders(problem, pairs), look)
    try:
        solver.solve(effort)
    except Exhausted:
        reason = f"no answer after {solver.conflicts:,} contradictions"
        return Answer(holds=None, reason=reason)
    if solver.refuted:
        found = order_witness.refutation(problem, pairs, solver, level)
        return Answer(holds=False, counterexample=found)
    return Answer(holds=True)


def _narrow(edges: Labelled) -> tuple[Any, Any, Any]:
    return edges.source.astype(np.int32), edges.target.astype(np.int32), edges.kind


def _natural_order(problem: OrderProblem) -> Nodes:
    """For each chain its place in an order that agrees with the graph and with the history."""
    resolved = problem.resolved
    weight = weights(resolved)[0]
    rank = np.full(problem.nodes, -1, np.int64)
    every = np.arange(len(resolved))
    rank[problem.begin(every)] = weight
    rank[problem.commit(every)] = weight
    place = np.zeros(problem.nodes, np.int64)
    for index, node in enumerate(_kahn(problem, rank.tolist())):
        place[node] = index
    row = problem.versions.row[problem.first].astype(np.int64)
    return place[problem.commit(row)]


def _kahn(problem: OrderProblem, rank: list[int]) -> Iterator[int]:
    out: list[list[int]] = [[] for _ in range(problem.nodes)]
    needs = [0] * problem.nodes
    for source, target in _pairs_of(problem.edges.source, problem.edges.target):
        out[source].append(target)
        needs[target] += 1
    heap = [(rank[node], node) for node in range(problem.nodes) if not needs[node]]
    heapq.heapify(heap)
    while heap:
        _, node = heapq.heappop(heap)
        yield node
        for target in out[node]:
            needs[target] -= 1
            if not needs[target]:
                heapq.heappush(heap, (rank[target], target))


def _replayed(problem: OrderProblem) -> bool:
    """Whether a guess at the order of commits is serializable; that implies every other level."""
    realtime = problem.rules.realtime
    for weight in weights(problem.resolved):
        order = replay(problem.resolved, problem.versions, weight, realtime=realtime)
        if order is not None:
            place = np.zeros(len(problem.resolved), np.int64)
            place[order] = np.arange(len(order))
            # True by the way it was found; a check of the check, linear as well.
            return _explains(problem, place[problem.versions.row[problem.first]])
    return False


def _explains(problem: OrderProblem, where: Nodes) -> bool:
    """Whether the chains of each key in the order of ``where`` leave the graph without a cycle."""
    if not problem.rules.missed_is_edge:
        # What explains snapshot isolation explains this; the graph of this one has no such edges.
        rules = replace(problem.rules, split=True, missed_is_edge=True)
        problem = order_problem(problem.resolved, problem.versions, rules)
    return _acyclic_in_order(problem, where)


def _acyclic_in_order(problem: OrderProblem, where: Nodes) -> bool:
    order = np.lexsort((where, problem.key))
    same = problem.key[order[1:]] == problem.key[order[:-1]]
    before = problem.last[order[:-1][same]]
    after = problem.first[order[1:][same]]
    read = problem.readers[before] >= 0
    whole = Labelled.joined(
        [
            (problem.edges.source, problem.edges.target, problem.edges.kind),
            (*problem.overwrites(before, after), Edge.WW),
            (*problem.misses(before[read], after[read]), Edge.JOIN),
        ]
    )
    return cyclic_core(problem.nodes, *_narrow(whole)) is None


def _open_pairs(problem: OrderProblem, where: Nodes) -> list[Pair]:
    """Pairs of chains of one key, the one first that comes first in the natural order."""
    order = np.lexsort((where, problem.key)).tolist()
    key = problem.key.tolist()
    pairs = []
    start = 0
    for stop in range(1, len(order) + 1):
        if stop == len(order) or key[order[stop]] != key[order[start]]:
            group = order[start:stop]
            # Neighbours are decided first: the others mostly follow from them.
            gaps = range(1, len(group))
            pairs += [
                (group[at], group[at + gap]) for gap in gaps for at in range(len(group) - gap)
            ]
            start = stop
    return pairs


def _orders(problem: OrderProblem, pairs: list[Pair]) -> Orders:
    one = np.array([pair[0] for pair in pairs], np.int64)
    two = np.array([pair[1] for pair in pairs], np.int64)
    # Even literals put the first chain first, odd ones the second.
    before = np.stack([one, two], axis=1).ravel()
    after = np.stack([two, one], axis=1).ravel()
    last, first = problem.last[before], problem.first[after]
    overwrites = list(_pairs_of(*problem.overwrites(last, first)))
    misses = list(_pairs_of(*problem.misses(last, first)))
    added: list[list[Pair]] = []
    missed: list[list[Pair]] = []
    as_edge = problem.rules.missed_is_edge
    for overwrite, miss in zip(overwrites, misses, strict=True):
        there = [miss] if miss[0] >= 0 else []
        added.append([overwrite, *(there if as_edge else [])])
        missed.append([] if as_edge else there)
    return Orders(
        problem.nodes,
        list(_pairs_of(problem.edges.source, problem.edges.target)),
        [(int(u), int(v)) for u, v in problem.forbidden],
        added,
        missed,
    )


def _pairs_of(source: Nodes, target: Nodes) -> Iterator[Pair]:
    return zip(source.tolist(), target.tolist(), strict=True)
