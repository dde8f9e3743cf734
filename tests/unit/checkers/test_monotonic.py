from __future__ import annotations

import pytest

from testbed.checkers.monotonic import check_counts, check_versions
from testbed.checkers.verdict import Validity
from testbed.history.history import History
from testbed.history.operation import Operation
from testbed.history.problem import HistoryError
from tests.histories import Scribe


def counted(*reads: tuple[int, str]) -> Scribe:
    scribe = Scribe()
    for number, (value, node) in enumerate(reads):
        scribe.call("count", 10 * number, 10 * number + 5, process=1, result=value, node=node)
    return scribe


def test_a_count_that_falls_is_shown_with_the_one_before() -> None:
    verdict = check_counts(counted((5, "a"), (9, "a"), (7, "a"), (8, "a")).history())
    assert verdict.validity is Validity.VIOLATION
    assert verdict.numbers["backwards"] == 2
    before, after = verdict.counterexample[0]
    assert (before["value"], after["value"], after["node"]) == (9, 7, "a")


def test_another_node_begins_anew() -> None:
    assert check_counts(counted((5, "a"), (9, "a"), (7, "b"), (8, "b")).history()).validity is (
        Validity.VALID
    )


def test_a_connection_that_was_lost_begins_anew() -> None:
    scribe = counted((5, "a"), (9, "a"))
    scribe.call("count", 20, 25, "fail", process=1, node="a")
    scribe.call("count", 30, 35, process=1, node="a", result=2)
    assert check_counts(scribe.history()).validity is Validity.VALID


def test_nothing_to_compare_is_unknown() -> None:
    assert check_counts(counted((5, "a"), (4, "b")).history()).validity is Validity.UNKNOWN
    assert check_versions(counted().history()).validity is Validity.UNKNOWN


def test_a_count_that_is_no_number_is_refused() -> None:
    with pytest.raises(HistoryError, match="whole number"):
        check_counts(Scribe().call("count", 1, 2, result="many", node="a").history())


def test_an_older_version_of_a_register_is_a_violation() -> None:
    scribe = Scribe()
    scribe.call("write", 0, 5, value=1, key=0).call("cas", 10, 15, value=[1, 2], key=0)
    scribe.call("read-replica", 20, 25, process=1, result=2, node="a", key=0)
    scribe.call("read-replica", 30, 35, process=1, result=1, node="a", key=0)
    assert check_versions(scribe.history()).validity is Validity.VIOLATION


def test_versions_written_at_one_time_may_come_in_any_order() -> None:
    scribe = Scribe()
    scribe.call("write", 0, 15, value=1, key=0).call("write", 10, 20, value=2, key=0)
    for at, value in ((30, 2), (40, 1)):
        scribe.call("read-replica", at, at + 5, process=1, result=value, node="a", key=0)
    assert check_versions(scribe.history()).validity is Validity.VALID


def versions(*reads: int | None) -> Validity:
    """Reads, one after the other, of a register with these writes: value, start and end."""
    scribe = Scribe()
    for value, start, end in ((1, 0, 5), (2, 10, 40), (3, 20, 30), (4, 6, 15)):
        scribe.call("write", start, end, value=value, key=0)
    for place, seen in enumerate(reads):
        at = 50 + 10 * place
        scribe.call("read-replica", at, at + 5, process=1, result=seen, node="a", key=0)
    return check_versions(scribe.history()).validity


def test_the_newest_of_all_earlier_reads_counts_and_not_the_last() -> None:
    assert versions(3, 2) is Validity.VALID
    assert versions(2, 4) is Validity.VALID
    assert versions(3, 4) is Validity.VIOLATION
    assert versions(3, 2, 4) is Validity.VIOLATION


def test_nothing_is_the_oldest_and_of_a_strange_value_nobody_knows() -> None:
    assert versions(1, None) is Validity.VIOLATION
    assert versions(None, 1) is Validity.VALID
    assert versions(1, 99, 1) is Validity.VALID


def test_the_line_of_a_refused_count_is_named() -> None:
    lines = (Operation(0, 1, "invoke", "count", index=7), Operation(1, 1, "ok", "count", "many"))
    with pytest.raises(HistoryError) as caught:
        check_counts(History(lines))
    assert [(problem.line, problem.column) for problem in caught.value.problems] == [(7, 0)]


def test_writes_that_only_touch_may_be_read_in_either_order() -> None:
    scribe = Scribe().call("write", 0, 10, value=1, key=0).call("write", 10, 20, value=2, key=0)
    for at, value in ((30, 2), (40, 1)):
        scribe.call("read-replica", at, at + 5, process=1, result=value, node="a", key=0)
    assert check_versions(scribe.history()).validity is Validity.VALID
