"""Isolation of transactions that append to lists and read them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.request import Request
from testbed.checkers.transactions.anomaly import MEANING
from testbed.checkers.transactions.classify import Cycles, classify
from testbed.checkers.transactions.explain import micro_operation, short
from testbed.checkers.transactions.graph import Edges
from testbed.checkers.transactions.judge import Examined, judge, promise_of
from testbed.checkers.transactions.list_dependencies import dependencies_of, successors_of
from testbed.checkers.transactions.list_examine import examine
from testbed.checkers.transactions.list_explain import EdgeReasons
from testbed.checkers.transactions.list_findings import Findings
from testbed.checkers.transactions.list_missed import missed_by
from testbed.checkers.transactions.list_order import ordered_dependencies
from testbed.checkers.transactions.list_unfold import ListUnfolding
from testbed.checkers.transactions.list_versions import Versions, versions_of
from testbed.checkers.transactions.time_order import dependency_graph
from testbed.checkers.transactions.unread_order import depends_on_order
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.problem import HistoryError, Problem
from testbed.history.transaction_table import Access, Outcome, TransactionTable

MODEL = "list-append"
SHOWN_BY_READS = ("garbage-read", "duplicate-elements", "internal", "G1a")
"""They are found where they are, whatever the order of versions is."""
OF_ORDERS = tuple(name for name in MEANING if name not in SHOWN_BY_READS)


def check(history: TransactionTable, request: Request) -> Verdict:
    """Judge transactions of appends and reads of whole lists.

    Each value is appended to a key at most once, so that the longest read of a key is the order of
    its versions; dependencies follow from it, and an anomaly is a circle among them or something
    that single reads show (Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from
    Experimental Observations", VLDB 2020). Linear in micro-operations and elements read where there
    is no circle.

    Args:
        history: The transactions. An indeterminate one counts as committed where a read shows one
            of its appends.
        request: Levels or anomalies; strict-serializable without either, serializable where the
            history has no times.

    Raises:
        HistoryError: A micro-operation is neither an append nor a read of a list.
        OutOfBudgetError: It took too long.
    """
    _refuse_other_operations(history)
    budget = request.budget
    budget.note("no version order is known yet")
    versions = versions_of(history)
    if versions.twice is not None:
        return _ambiguous(history, versions.twice, promise_of(history, request))
    committed = committed_in(history, versions)
    budget.note("version orders are known, dependencies are not")
    successors = successors_of(history, versions, committed)
    cases = examine(history, versions, successors, committed)
    dependencies = ordered_dependencies(history, versions, successors, committed)
    cycles, unread = Cycles(), frozenset[str]()

    def missed(inside: NDArray[np.bool_]) -> tuple[Edges, int]:
        return missed_by(history, versions, successors, inside)

    if dependencies is None:
        edges, nodes = dependencies_of(history, versions, successors, committed)
        graph = dependency_graph(history, committed, edges, nodes)
        dependencies = graph.dependencies
        unfolding = ListUnfolding(history, versions, successors, committed)
        cycles = classify(graph, budget, missed, unfolding)
        unread = depends_on_order(unfolding, graph, cycles, missed, budget)
    examined = Examined(
        model=MODEL,
        findings=Findings(history, versions, cases).all(),
        cycles=cycles,
        dependencies=dependencies,
        explain=EdgeReasons(history, versions, successors),
        numbers={
            "transactions": len(history),
            "committed_transactions": int(np.count_nonzero(committed)),
            "keys": len(history.keys),
            "dependencies": dependencies,
        },
        unsought=() if versions.certain else OF_ORDERS,
        unread=unread,
        obstacle="cannot be told without the order of versions, and reads disagree about it",
    )
    return judge(history, request, examined)


def committed_in(table: TransactionTable, versions: Versions) -> NDArray[np.bool_]:
    """For each transaction whether it counts as committed."""
    observed = np.zeros(len(table), np.bool_)
    observed[versions.writer[versions.writer >= 0]] = True
    for at in versions.strays.tolist():
        observed[_writers_in(table, versions, at)] = True
    committed: NDArray[np.bool_] = (table.outcome == Outcome.OK) | (
        (table.outcome == Outcome.INFO) & observed
    )
    return committed


def _writers_in(table: TransactionTable, versions: Versions, at: int) -> list[int]:
    """Who appended the elements of a read that is no prefix of the longest."""
    first, after = table.list_starts[table.value[at] : table.value[at] + 2].tolist()
    owners = (
        versions.owner_of(table, int(table.key[at]), item)
        for item in table.list_items[first:after].tolist()
    )
    return [owner for owner in owners if owner >= 0]


def _refuse_other_operations(table: TransactionTable) -> None:
    wrong = np.flatnonzero(table.access == Access.WRITE)
    if len(wrong):
        rows = np.searchsorted(table.first, wrong, side="right") - 1
        problems = [
            Problem(int(table.line[row]), 0, "expected append or r, there is a w")
            for row in rows[:21].tolist()
        ]
        raise HistoryError(table.source, problems, len(wrong))


def _ambiguous(table: TransactionTable, twice: tuple[int, int], promise: str) -> Verdict:
    _, key, value = micro_operation(table, twice[1])
    rows = np.searchsorted(table.first, twice, side="right") - 1
    first, second = table.line[rows].tolist()
    return Verdict(
        name=MODEL,
        promise=promise,
        validity=Validity.UNKNOWN,
        reason=(
            f"{short(value)} is appended to key {short(key)} twice, in lines {first} and {second}: "
            "which of the two a read saw cannot be told"
        ),
    )
