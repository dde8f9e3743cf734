from __future__ import annotations

import pytest

from testbed.checkers.bank import check
from testbed.checkers.verdict import Validity
from testbed.history.history import History
from testbed.history.problem import HistoryError
from tests.histories import Scribe


def reads(*balances: object) -> History:
    scribe = Scribe()
    for number, value in enumerate(balances):
        scribe.call("read", 10 * number, 10 * number + 5, result=value, node="a")
    return scribe.history()


def test_the_same_total_in_every_read_is_valid() -> None:
    verdict = check(reads({"0": 5, "1": 5}, {"0": 9, "1": 1}), total=10)
    assert verdict.validity is Validity.VALID
    assert verdict.numbers["reads"] == 2


def test_another_total_is_a_violation() -> None:
    verdict = check(reads({"0": 5, "1": 5}, {"0": 9, "1": 2}))
    assert verdict.validity is Validity.VIOLATION
    assert verdict.counterexample[0]["problem"] == "the balances add up to 11, not to 10"


def test_the_plans_total_counts_and_not_the_first_read() -> None:
    assert check(reads({"0": 5}), total=10).validity is Validity.VIOLATION


def test_a_balance_below_zero_is_a_violation_unless_debts_are_allowed() -> None:
    history = reads({"0": -1, "1": 11})
    assert check(history, total=10).validity is Validity.VIOLATION
    assert check(history, total=10, negative_balances=True).validity is Validity.VALID


def test_reads_at_replicas_count_and_failed_ones_do_not() -> None:
    scribe = Scribe().call("read-replica", 0, 5, result={"0": 3}, node="a")
    scribe.call("read", 6, 7, "fail").call("read", 8, 9, "info")
    assert check(scribe.history(), total=10).validity is Validity.VIOLATION
    assert check(scribe.history(), total=3).validity is Validity.VALID


def test_no_read_is_unknown() -> None:
    assert check(Scribe().history(), total=10).validity is Validity.UNKNOWN


def test_what_is_no_balance_is_refused() -> None:
    with pytest.raises(HistoryError) as caught:
        check(reads([1, 2], {"0": 1.5}, {"0": True}))
    assert caught.value.total == 3
