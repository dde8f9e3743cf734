"""Model ``rw-register``: isolation of transactions that read and write registers."""

from __future__ import annotations

import numpy as np

from testbed.checkers.request import Request
from testbed.checkers.transactions.anomaly import implied_by
from testbed.checkers.transactions.classify import Cycles, classify
from testbed.checkers.transactions.judge import Examined, judge
from testbed.checkers.transactions.register_dependencies import (
    later_versions,
    register_dependencies,
)
from testbed.checkers.transactions.register_explain import RegisterReasons
from testbed.checkers.transactions.register_findings import RegisterFindings
from testbed.checkers.transactions.register_order import version_order
from testbed.checkers.transactions.register_versions import register_versions
from testbed.checkers.transactions.resolve import RepeatedWriteError, resolve
from testbed.checkers.transactions.resolved import Resolved
from testbed.checkers.transactions.shapes import OF_STEPS
from testbed.checkers.transactions.time_order import dependency_graph
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.transaction_table import TransactionTable

MODEL = "rw-register"


def check(history: TransactionTable, request: Request) -> Verdict:
    """Judge transactions of reads and writes by what can be inferred of the order of versions.

    As Elle does it for registers (Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from
    Experimental Observations", VLDB 2020): every value of a key is written once, so reads say who
    was read from; the order of versions is only known as far as the parameters allow to assume it
    (see :mod:`testbed.checkers.transactions.register_order`). What is found is there under these
    assumptions; what cannot be inferred is not looked for. A value that nobody wrote is no anomaly:
    it may be an initial state.

    Args:
        history: The transactions. An indeterminate one counts as committed where a read shows one
            of its writes.
        request: Levels or anomalies; strict-serializable without either, serializable where the
            history has no times. Parameters ``wfr_keys``, ``sequential_keys``,
            ``linearizable_keys``, ``transaction_order``. The initial value of every key is
            ``init``.

    Raises:
        HistoryError: A micro-operation is neither a read nor a write.
        OutOfBudgetError: It took too long.
    """
    budget = request.budget
    budget.note("no version order is known yet")
    try:
        resolved = resolve(history, request.init)
    except RepeatedWriteError as error:
        return Verdict(
            name=MODEL,
            promise="The transactions are isolated.",
            validity=Validity.UNKNOWN,
            reason=f"which write a read saw cannot be told: {error.problems[0].expected}",
        )
    return judge(history, request, inferred(MODEL, resolved, request))


def inferred(model: str, resolved: Resolved, request: Request) -> Examined:
    """All that can be inferred of a history with the parameters of a request.

    Args:
        model: Name of the model.
        resolved: The history, its reads resolved.
        request: Its parameters and budget.

    Raises:
        OutOfBudgetError: It took too long.
    """
    history, budget = resolved.table, request.budget
    versions = register_versions(resolved)
    order = version_order(versions, request.params)
    budget.note("version orders are known, dependencies are not")
    edges, nodes = register_dependencies(versions, order, len(history))
    graph = dependency_graph(history, resolved.committed, edges, nodes)
    cycles = classify(
        graph,
        budget,
        lambda inside: later_versions(versions, order, inside, len(history)),
    )
    findings = RegisterFindings(resolved, versions, order)
    # A G-cursor is a circle with one missed write: without any there is none.
    cursor, given_up = findings.cursor() if _missed_one(cycles) else ([], False)
    return Examined(
        model=model,
        findings=[*findings.all(), *cursor],
        cycles=cycles,
        dependencies=graph.dependencies,
        explain=RegisterReasons(versions, order),
        numbers={
            "transactions": len(history),
            "committed_transactions": int(np.count_nonzero(resolved.committed)),
            "keys": len(history.keys),
            "dependencies": graph.dependencies,
        },
        unsought=(*OF_STEPS, "G-cursor") if given_up else OF_STEPS,
    )


def _missed_one(cycles: Cycles) -> bool:
    """Whether there is a circle with one missed write and no order of time."""
    return "G-single" in implied_by(cycle.special for cycle in cycles.cycles)
