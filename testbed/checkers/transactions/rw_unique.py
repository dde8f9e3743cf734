"""Model ``rw-register-unique-writes``: registers in which no value is written twice to a key.

Each level asked for is decided by the best algorithm known for it: read committed, read atomic and
causal consistency in polynomial time, the stronger ones polynomially where every write reads its
key first, else by a search (:mod:`testbed.checkers.transactions.order_search`).
"""

from __future__ import annotations

import contextlib

import numpy as np

from testbed.checkers.budget import OutOfBudgetError
from testbed.checkers.counted import counted
from testbed.checkers.request import Request
from testbed.checkers.transactions.order_search import Answer
from testbed.checkers.transactions.resolve import resolve
from testbed.checkers.transactions.resolved import Resolved
from testbed.checkers.transactions.unique_anomalies import AnomalyJudge, Judged
from testbed.checkers.transactions.unique_levels import LevelJudge, decided_name
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.transaction_table import TransactionTable

NAME = "rw-register-unique-writes"
PROMISE = "An order of all commits explains what every transaction read, under {}."
NONE_OF = "An order of the versions that agrees with what was read shows none of {}."
SIDE_EFFORT = 200
"""Conflicts that a search may meet for a level that nobody asked for."""
SIDE_ROWS = 3_000
"""Transactions up to which levels that need a search are looked at unasked."""
SIDE_LEVELS = (
    "strict-serializable",
    "serializable",
    "strong-snapshot-isolation",
    "snapshot-isolation",
    "strong-prefix",
    "strong-parallel-snapshot-isolation",
    "prefix",
    "parallel-snapshot-isolation",
    "strong-causal-cerone",
)
"""The strongest first: where it holds the others are not looked at."""


def check(history: TransactionTable, request: Request) -> Verdict:
    """Judge a history of reads and writes.

    Args:
        history: The transactions.
        request: Levels or anomalies; the default is strict-serializable, serializable where there
            are no times.

    Raises:
        HistoryError: A value is written twice, or there is an append.
        OutOfBudgetError: It took too long.
    """
    wanted = () if request.anomalies else _wanted(history, request)
    resolved = resolve(history, request.init)
    promise = PROMISE.format(", ".join(wanted))
    if request.anomalies:
        promise = NONE_OF.format(", ".join(request.anomalies))
    numbers = _numbers(resolved)
    if not np.any(resolved.source[history.access == 0] != -3):
        reason = "no committed transaction read anything"
        return Verdict(NAME, promise, Validity.UNKNOWN, reason, numbers=numbers)
    judge = LevelJudge(resolved, request.budget)
    if request.anomalies:
        answer = AnomalyJudge(resolved, request).answer()
    else:
        answer = _merged({level: judge.decide(decided_name(level)) for level in wanted}, numbers)
    _look_around(judge, resolved)
    return Verdict(
        NAME,
        promise,
        answer.validity,
        answer.reason,
        counterexample=answer.counterexample,
        numbers=numbers,
        levels=judge.levels(),
    )


def _wanted(history: TransactionTable, request: Request) -> tuple[str, ...]:
    default = "strict-serializable" if history.timed else "serializable"
    return request.levels or (default,)


def _look_around(judge: LevelJudge, resolved: Resolved) -> None:
    """Place the history among the levels that nobody asked for, as far as that is cheap."""
    # What was asked for is answered; the time may end here.
    with contextlib.suppress(OutOfBudgetError):
        for level in ("item-cut-isolation", "causal"):
            judge.decide(level)
        if len(resolved) <= SIDE_ROWS and judge.decide("causal").holds:
            for level in SIDE_LEVELS:
                judge.decide(level, SIDE_EFFORT)


def _merged(decisions: dict[str, Answer], numbers: dict[str, float]) -> Judged:
    for level, decision in decisions.items():
        if decision.holds is False:
            assert decision.counterexample is not None
            reason = f"{level} is violated: {decision.counterexample['anomaly']}"
            return Judged(Validity.VIOLATION, reason, (decision.counterexample,))
    for level, decision in decisions.items():
        if decision.holds is None:
            return Judged(Validity.UNKNOWN, f"{level}: {decision.reason}")
    transactions = counted(int(numbers["transactions"]), "transaction")
    what = f"{transactions} with {counted(int(numbers['reads']), 'read')}"
    return Judged(Validity.VALID, f"an order of commits explains {what}")


def _numbers(resolved: Resolved) -> dict[str, float]:
    return {
        "transactions": float(np.count_nonzero(resolved.committed)),
        "reads": float(len(resolved.read_op)),
        "writes": float(len(resolved.write_op)),
    }
