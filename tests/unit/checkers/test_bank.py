from __future__ import annotations

import dataclasses

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


def test_one_balance_that_is_no_whole_number_spoils_its_read_and_the_line_is_named() -> None:
    history = reads({"0": 5, "1": 1.5}, {"0": 5})
    numbered = tuple(
        dataclasses.replace(line, index=index) for index, line in enumerate(history, start=7)
    )
    with pytest.raises(HistoryError) as caught:
        check(History(numbered))
    # Lines 7 and 8 are the read's invocation and completion: what is wrong was returned by it.
    assert [(problem.line, problem.column) for problem in caught.value.problems] == [(8, 0)]


def test_the_total_is_that_of_the_read_that_completed_first() -> None:
    scribe = Scribe().call("read", 0, 20, result={"0": 4}).call("read", 5, 10, result={"0": 9})
    verdict = check(scribe.history())
    assert verdict.numbers["total"] == 9
    assert [wrong["problem"] for wrong in verdict.counterexample] == [
        "the balances add up to 4, not to 9"
    ]
