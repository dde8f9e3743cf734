"""Money is neither made nor lost: every read of all balances adds up to the same total.

Definition. Each complete read of all accounts, at the primary or at a replica, sums to the
total, and where debts are not allowed no balance is below zero. After Jepsen's ``bank``
workload (https://github.com/jepsen-io/jepsen, ``jepsen.tests.bank``): a wrong total shows a
transaction that was half seen or half done.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from testbed.checkers.operation_view import shown
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.history import History, Pair
from testbed.history.problem import HistoryError, Problem

NAME = "bank"
PROMISE = "Money is neither made nor lost: all balances add up to the same total at any time."


def check(
    history: History,
    total: int | None = None,
    *,
    reads: Iterable[str] = ("read", "read-replica"),
    negative_balances: bool = False,
) -> Verdict:
    """Judge every read of all balances.

    Args:
        history: What clients saw; the value of a read is an object, account to balance.
        total: What balances add up to; taken from the first complete read if None.
        reads: The functions that read all balances.
        negative_balances: Whether a balance may be below zero.

    Raises:
        HistoryError: The history cannot be paired, or a balance is no whole number.
    """
    complete = sorted(history.of(reads, "ok"), key=lambda pair: pair.end_ns or 0)
    _refuse_malformed(history, complete)
    if not complete:
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, "no read of the balances completed")
    expected = sum(complete[0].value.values()) if total is None else total
    wrong = [
        (pair, problem)
        for pair in complete
        if (problem := _problem(pair.value, expected, negative_balances)) is not None
    ]
    numbers = {
        "reads": float(len(complete)),
        "wrong_reads": float(len(wrong)),
        "total": float(expected),
    }
    if wrong:
        examples = tuple(shown(pair, problem=problem) for pair, problem in wrong[:20])
        reason = f"{len(wrong)} of {len(complete)} reads are wrong; in the first {wrong[0][1]}"
        return Verdict(NAME, PROMISE, Validity.VIOLATION, reason, examples, numbers)
    reason = f"all {len(complete)} reads add up to {expected}"
    return Verdict(NAME, PROMISE, Validity.VALID, reason, (), numbers)


def _problem(balances: dict[str, int], total: int, negative_balances: bool) -> str | None:
    found = sum(balances.values())
    if found != total:
        return f"the balances add up to {found}, not to {total}"
    below = [account for account, balance in balances.items() if balance < 0]
    if below and not negative_balances:
        return f"account {below[0]} has {balances[below[0]]}"
    return None


def _refuse_malformed(history: History, reads: Iterable[Pair]) -> None:
    expected = "expected an object of whole numbers, account to balance, as the value of a read"
    problems = [
        Problem(0 if pair.completion is None else pair.completion.index or 0, 0, expected)
        for pair in reads
        if not _is_balances(pair.value)
    ]
    if problems:
        raise HistoryError(history.source, problems)


def _is_balances(value: Any) -> bool:
    return isinstance(value, dict) and all(type(balance) is int for balance in value.values())
