from __future__ import annotations

import pytest

from testbed.checkers.register import check
from testbed.checkers.verdict import Validity
from testbed.history.problem import HistoryError
from tests.histories import Scribe


def test_a_stale_read_is_a_violation_with_the_operations() -> None:
    scribe = Scribe()
    scribe.call("write", 0, 5, value=1, key=3).call("write", 10, 15, value=2, key=3)
    scribe.call("read", 20, 25, result=1, key=3, node="db1").call("read", 30, 35, result=2, key=3)
    verdict = check(scribe.history())
    assert verdict.validity is Validity.VIOLATION
    assert "key 3" in verdict.reason
    [example] = verdict.counterexample
    assert [one["start_ns"] for one in example["operations"]] == [20]
    assert example["operations"][0]["node"] == "db1"


def test_a_lost_update_is_a_violation() -> None:
    scribe = Scribe().call("write", 0, 5, value=1, key=0)
    scribe.call("cas", 10, 15, value=[1, 2], key=0).call("cas", 20, 25, value=[1, 3], key=0)
    verdict = check(scribe.history())
    assert verdict.validity is Validity.VIOLATION


def test_a_lost_write_is_a_violation() -> None:
    scribe = Scribe().call("write", 0, 5, value=1, key=0).call("write", 10, 15, value=2, key=0)
    scribe.call("read", 20, 25, result=1, key=0)
    assert check(scribe.history()).validity is Validity.VIOLATION


def test_a_circle_of_swaps_is_a_violation() -> None:
    scribe = Scribe().call("cas", 0, 9, value=[1, 2], key=0).call("cas", 1, 8, value=[2, 1], key=0)
    verdict = check(scribe.history())
    assert verdict.validity is Validity.VIOLATION


def test_a_write_of_unknown_outcome_may_take_effect_late_or_never() -> None:
    scribe = Scribe().call("write", 0, 5, value=1, key=0).call("write", 10, 12, "info", value=2)
    scribe.call("write", 10, 12, "info", value=2, key=0)
    scribe.call("read", 20, 25, result=1, key=0).call("read", 30, 35, result=2, key=0)
    assert check(scribe.history()).validity is Validity.VALID
    back = scribe.call("read", 40, 45, result=1, key=0)
    assert check(back.history()).validity is Validity.VIOLATION


def test_reads_at_replicas_may_be_old() -> None:
    scribe = Scribe().call("write", 0, 5, value=1, key=0)
    scribe.call("read-replica", 20, 25, key=0).call("read", 30, 35, result=1, key=0)
    assert check(scribe.history()).validity is Validity.VALID


def test_repeated_values_are_searched_and_given_up_beyond_the_budget() -> None:
    scribe = Scribe()
    for number in range(12):
        scribe.call("write", number, 100 + number, value=number % 3, key=0)
    scribe.call("read", 200, 210, result=1, key=0)
    assert check(scribe.history()).validity is Validity.VALID
    verdict = check(scribe.history(), timeout_s=0)
    assert verdict.validity is Validity.UNKNOWN
    assert "given up after 0 s" in verdict.reason
    broken = scribe.call("read", 220, 230, result=7, key=0)
    assert check(broken.history()).validity is Validity.VIOLATION


def test_no_read_is_unknown() -> None:
    assert check(Scribe().call("write", 0, 5, value=1).history()).validity is Validity.UNKNOWN


def test_malformed_values_are_all_refused() -> None:
    scribe = Scribe().call("cas", 0, 1, value=7).call("cas", 2, 3, value=[1])
    with pytest.raises(HistoryError) as caught:
        check(scribe.call("read", 4, 5, result=1).history())
    assert caught.value.total == 2


def test_an_operation_that_begins_when_the_last_one_ended_follows_it() -> None:
    scribe = Scribe().call("write", 0, 5, value=1, key=0, process=1)
    scribe.call("read", 5, 5, result=1, key=0, process=1)
    assert check(scribe.history()).validity is Validity.VALID


@pytest.mark.parametrize("other", [(6, 10), (5, 9)])
def test_operations_that_only_touch_in_time_may_come_in_either_order(
    other: tuple[int, int],
) -> None:
    scribe = Scribe().call("write", 0, 5, value=1, key=0).call("read", 10, 15, result=1, key=0)
    scribe.call("write", *other, value=2, key=0)
    assert check(scribe.history()).validity is Validity.VALID
    # Read later as well, the other value fills the time from its write on.
    scribe.call("read", 20, 25, result=2, key=0)
    expected = Validity.VALID if other[1] >= 10 else Validity.VIOLATION
    assert check(scribe.history()).validity is expected
