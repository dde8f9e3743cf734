"""Who may win a row, by hand."""

from __future__ import annotations

import pytest

from testbed.checkers import winner
from testbed.checkers.verdict import Validity, Verdict
from tests.histories import MS, Scribe

WEST, EAST = "west-db1", "east-db1"


def judged(scribe: Scribe, value: int | None) -> Verdict:
    """The verdict when every node shows a value in the end."""
    for node in (WEST, EAST):
        scribe.call("row", 1000 * MS, 1001 * MS, key=1, result=value, node=node)
    return winner.check(scribe.history(), (WEST, EAST))


def write(scribe: Scribe, value: int, start: int, end: int | None, node: str) -> Scribe:
    return scribe.call("write", start * MS, end and end * MS, key=1, value=value, node=node)


def test_of_two_writes_that_knew_nothing_of_each_other_any_may_win() -> None:
    for value in (1, 2):
        scribe = write(write(Scribe(), 1, 0, 10, WEST), 2, 100, 110, EAST)
        assert judged(scribe, value).validity is Validity.VALID


def test_the_first_of_two_writes_at_one_node_may_not_win() -> None:
    found = judged(write(write(Scribe(), 1, 0, 10, WEST), 2, 20, 30, WEST), 1)
    assert found.validity is Validity.VIOLATION
    assert found.counterexample[0]["text"] == [
        "it shows 1, which was replaced at west-db1 by a later write"
    ]
    assert [each["value"] for each in found.counterexample[0]["operations"]] == [1, 2]


def test_writes_at_one_node_that_overlap_are_in_any_order() -> None:
    assert judged(write(write(Scribe(), 1, 0, 25, WEST), 2, 20, 30, WEST), 1).validity is (
        Validity.VALID
    )


@pytest.mark.parametrize(("read_at", "validity"), [(40, Validity.VIOLATION), (60, Validity.VALID)])
def test_a_write_after_a_read_that_showed_the_other_must_win(
    read_at: int, validity: Validity
) -> None:
    scribe = write(Scribe(), 1, 0, 10, WEST)
    scribe.call("read", read_at * MS, (read_at + 1) * MS, key=1, result=1, node=EAST)
    assert judged(write(scribe, 2, 50, 55, EAST), 1).validity is validity


def test_a_later_write_of_unknown_outcome_replaces_nothing() -> None:
    assert judged(write(write(Scribe(), 1, 0, 10, WEST), 2, 20, None, WEST), 1).validity is (
        Validity.VALID
    )


def test_a_value_that_nobody_wrote_is_wrong() -> None:
    assert "nobody wrote" in judged(write(Scribe(), 1, 0, 10, WEST), 7).reason


def test_an_absent_row_was_deleted_by_somebody_whom_no_write_followed() -> None:
    assert "nobody deleted" in judged(write(Scribe(), 1, 0, 10, WEST), None).reason
    for node, broken in ((WEST, True), (EAST, False)):
        scribe = Scribe().call("delete", 0, 10 * MS, key=1, node=WEST)
        scribe.call("row", 1000 * MS, 1001 * MS, key=2, result=9, node=WEST)
        scribe.call("write", 0, MS, key=2, value=9, node=WEST)
        found = judged(write(scribe, 1, 20, 30, node), None)
        assert found.validity is (Validity.VIOLATION if broken else Validity.VALID)


def test_without_any_row_there_is_nothing_to_judge() -> None:
    assert judged(Scribe(), None).validity is Validity.UNKNOWN


def test_a_write_that_failed_can_not_win() -> None:
    scribe = write(Scribe(), 1, 0, 10, WEST).call(
        "write", 20, 30, "fail", key=1, value=2, node=WEST
    )
    assert "nobody wrote" in judged(scribe, 2).reason


def test_a_write_that_follows_at_the_very_moment_may_have_run_beside_it() -> None:
    assert judged(write(write(Scribe(), 1, 0, 10, WEST), 2, 10, 30, WEST), 1).validity is (
        Validity.VALID
    )


def test_a_write_of_unknown_outcome_may_take_effect_after_a_later_one() -> None:
    scribe = Scribe().call("write", 0, 10 * MS, "info", key=1, value=1, node=WEST)
    assert judged(write(scribe, 2, 20, 30, WEST), 1).validity is Validity.VALID


def test_a_node_knows_a_value_from_the_first_read_that_showed_it() -> None:
    """Also before the write is acknowledged, and however often it is read again."""
    for start in (0, 35):
        scribe = write(Scribe(), 1, start, 200, WEST)
        for at in (40, 100, 60):
            scribe.call("read", at * MS, (at + 1) * MS, key=1, result=1, node=WEST)
        found = judged(write(scribe, 2, 50, 55, WEST), 1)
        assert found.validity is Validity.VIOLATION


def test_the_first_read_counts_also_at_another_node_than_the_writers() -> None:
    scribe = write(Scribe(), 1, 0, 10, WEST)
    for at in (40, 100):
        scribe.call("read", at * MS, (at + 1) * MS, key=1, result=1, node=EAST)
    assert judged(write(scribe, 2, 50, 55, EAST), 1).validity is Validity.VIOLATION
