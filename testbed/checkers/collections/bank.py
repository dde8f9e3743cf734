"""Money is neither made nor lost: every read of all balances adds up to the same total.

Definition. Every acknowledged ``read`` maps accounts to balances. None of them is null; they add
up to the total; none is below zero unless debts are allowed; and no account appears that the first
complete read does not have. After Jepsen's ``bank`` workload
(https://jepsen-io.github.io/jepsen/jepsen.tests.bank.html); under snapshot isolation a read of all
accounts sees every transfer whole or not at all. What is not given is taken from the first
complete read, as elle-cli does (https://github.com/ligurio/elle-cli).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from testbed.checkers.collections.calls import Calls, calls
from testbed.checkers.collections.figure import figure
from testbed.checkers.collections.keyed import by_key
from testbed.checkers.collections.witness import EXAMPLES_MAX, listed, witness
from testbed.checkers.operation_shapes import refuse_functions
from testbed.checkers.request import Request
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.operation_table import OperationTable, Tag
from testbed.history.problem import HistoryError, Problem

NAME = "bank"
DEPOSITS = ("deposit", "withdraw", "withdrawal", "interest")
"""What changes the total, by the names that histories have for it: all else is passed over."""
PROMISE = "Money is neither made nor lost: all balances add up to the same total at any time."

Balances = dict[str, int | None]


@dataclass(frozen=True, slots=True)
class _Rules:
    """What a read of all balances has to obey."""

    total: int | None
    accounts: frozenset[str]
    negative_balances: bool

    def broken(self, balances: Balances) -> tuple[str, str] | None:
        """The name of the anomaly and what is wrong, or None."""
        unknown = [account for account in balances if account not in self.accounts]
        if unknown:
            return "unexpected-account", f"there is no account {listed(unknown)}"
        empty = [account for account, balance in balances.items() if balance is None]
        if empty:
            return "null-balance", f"account {listed(empty)} has no balance"
        found = sum(balance or 0 for balance in balances.values())
        if self.total is not None and found != self.total:
            return "wrong-total", f"the balances add up to {found}, not to {self.total}"
        below = [account for account, balance in balances.items() if (balance or 0) < 0]
        if below and not self.negative_balances:
            return "negative-balance", f"account {below[0]} has {balances[below[0]]}"
        return None


@by_key
def check(history: OperationTable, request: Request) -> Verdict:
    """Judge the reads of all balances: O(reads + accounts of the different ones).

    Args:
        history: ``read``, whose completion is an object, account to balance.
        request: ``total``: what balances add up to; ``negative_balances``: whether debts are
            allowed.

    Raises:
        HistoryError: An acknowledged read is no object of whole numbers and nulls, or money comes
            from outside.
        OutOfBudgetError: It took too long.
    """
    refuse_functions(history, DEPOSITS, "transfers, which keep the total")
    reads = calls(history, "read").ok
    values, which = _different(history, reads)
    request.budget.note(f"{len(reads)} reads were found, none was judged yet")
    rules = _rules(values, which, request)
    if rules is None:
        reason = "no read returned balances"
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, reason)
    judged = [rules.broken(balances) for balances in values]
    wrong = np.flatnonzero(np.array([found is not None for found in judged])[which]).tolist()
    numbers = {
        "reads": float(len(reads)),
        "wrong_reads": float(len(wrong)),
        "total": figure(rules.total or 0),
        "accounts": float(len(rules.accounts)),
    }
    if wrong:
        examples = []
        for read in wrong[:EXAMPLES_MAX]:
            anomaly, problem = judged[which[read]] or ("", "")
            examples.append(witness(history, anomaly, [f"{problem}:"], [int(reads.begun[read])]))
        _, first = judged[which[wrong[0]]] or ("", "")
        reason = f"{len(wrong)} of {len(reads)} reads are wrong; in the first {first}"
        return Verdict(NAME, PROMISE, Validity.VIOLATION, reason, tuple(examples), numbers)
    reason = f"all {len(reads)} reads add up to {rules.total}"
    return Verdict(NAME, PROMISE, Validity.VALID, reason, (), numbers)


def _different(history: OperationTable, reads: Calls) -> tuple[list[Balances], Any]:
    """The different values of reads, and for each read which of them it has."""
    other = history.tag[reads.ended] == Tag.OTHER
    found, first, which = np.unique(
        history.payload[reads.ended], return_index=True, return_inverse=True
    )
    values: list[Any] = [history.value(int(reads.ended[place])) for place in first]
    good = np.array([_is_balances(value) for value in values], dtype=np.bool_)
    wrong = reads.ended[~other | ~good[which]] if len(found) else reads.ended
    if len(wrong):
        expected = "expected an object of whole numbers, account to balance, as a read's value"
        problems = [Problem(int(history.line[row]), 0, expected) for row in wrong.tolist()]
        raise HistoryError(history.source, problems)
    return values, which


def _is_balances(value: Any) -> bool:
    return isinstance(value, dict) and all(
        balance is None or type(balance) is int for balance in value.values()
    )


def _rules(values: list[Balances], which: Any, request: Request) -> _Rules | None:
    """The rules as given, what is not given as the first complete read has it.

    Where every read has nulls, there is no total; each of them is wrong anyway.
    """
    complete = [bool(value) and None not in value.values() for value in values]
    places = which.tolist()
    whole = next((values[place] for place in places if complete[place]), None)
    first = whole or next((values[place] for place in places if values[place]), None)
    if first is None:
        return None
    total = request.params.get("total")
    if total is None and whole is not None:
        total = sum(balance or 0 for balance in whole.values())
    return _Rules(
        total=total,
        accounts=frozenset(first),
        negative_balances=bool(request.params.get("negative_balances", False)),
    )
