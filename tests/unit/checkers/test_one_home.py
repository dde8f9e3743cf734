"""Where rows with homes are written, by hand."""

from __future__ import annotations

import pytest

from testbed.checkers import one_home, winner
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.history import REFUSED
from testbed.history.operation import OperationType
from testbed.measures.homes import Homes
from tests.histories import MS, Scribe

NODES = ("west-db1", "east-db1", "north-db1")
REGION_OF = {node: node[:-4] for node in NODES}


class Rows(Scribe):
    """Operations on row 1, at times in ms, each 5 ms long."""

    def at(
        self,
        start: int,
        f: str,
        region: str,
        value: object = None,
        outcome: OperationType = "ok",
        **more: object,
    ) -> Rows:
        node, key = f"{region}-db1", more.pop("key", 1)
        start, end = start * MS, (start + 5) * MS
        self.call(f, start, end, outcome, value=value, node=node, key=key, **more)
        return self

    def ends(self, value: int | None) -> Rows:
        for node in NODES:
            self.call("row", 9000 * MS, 9001 * MS, key=1, result=value, node=node)
        return self

    def refused(self, start: int, region: str) -> Rows:
        error = f"{REFUSED}row (1, 1) is at home in east"
        return self.at(start, "write", region, 999, outcome="fail", error=error)

    def homes(self) -> Homes:
        return Homes(self.history(), REGION_OF)

    def judged(self) -> Verdict:
        return one_home.check(self.history(), self.homes(), NODES)

    def won(self) -> Verdict:
        return winner.check(self.history(), NODES, homes=self.homes())


def home() -> Rows:
    """A row at home in the west."""
    return Rows().at(0, "write", "west", 1)


def test_a_row_that_is_written_at_home_is_valid() -> None:
    verdict = home().at(10, "write", "west", 2).ends(2).judged()
    assert verdict.validity is Validity.VALID
    assert verdict.numbers["writes"] == 2


def test_a_move_that_begins_as_a_write_is_acknowledged_may_have_been_first() -> None:
    for start, validity in ((15, Validity.VALID), (16, Validity.VIOLATION)):
        rows = home().at(10, "write", "east", 2).at(start, "take-over", "east")
        assert rows.ends(2).judged().validity is validity


@pytest.mark.parametrize(("start", "validity"), [(15, Validity.VALID), (16, Validity.VIOLATION)])
def test_a_row_may_come_back_at_the_moment_at_which_it_is_taken(
    start: int, validity: Validity
) -> None:
    rows = home().at(5, "hand-over", "west", "east").at(10, "hand-over", "east", "west")
    rows.at(start, "take-over", "east")
    rows.at(25, "write", "east", 5, key=2).at(35, "read", "west", key=2, result=5)
    assert rows.at(45, "write", "west", 2).ends(2).judged().validity is validity


def test_two_regions_that_write_a_row_that_never_moved_are_found() -> None:
    verdict = home().at(10, "write", "east", 2).ends(2).judged()
    assert verdict.validity is Validity.VIOLATION
    assert "east and west without having moved" in verdict.reason


def test_a_delete_of_what_is_not_there_is_no_write() -> None:
    assert home().at(10, "delete", "east").ends(1).judged().validity is Validity.VALID


@pytest.mark.parametrize("start", [20, 14])
def test_a_home_that_handed_over_and_writes_on_is_found(start: int) -> None:
    """Not where the write began before the hand-over was acknowledged: it may have been first."""
    rows = home().at(10, "hand-over", "west", "east").at(start, "write", "west", 2).ends(2)
    assert (rows.judged().validity is Validity.VIOLATION) is (start == 20)


def test_a_row_that_was_handed_back_may_be_written_again() -> None:
    rows = home().at(10, "hand-over", "west", "east").at(20, "write", "east", 2)
    rows.at(30, "hand-over", "east", "west").at(40, "write", "west", 3).ends(3)
    assert rows.judged().validity is Validity.VALID


def test_an_old_home_that_has_not_heard_of_a_take_over_is_counted() -> None:
    rows = home().at(10, "take-over", "east").at(20, "write", "west", 2).at(45, "write", "west", 3)
    verdict = rows.at(50, "write", "east", 4).ends(4).judged()
    assert verdict.validity is Validity.VALID
    assert verdict.numbers["writes_unheard"] == 2
    assert verdict.numbers["unheard_ms_max"] == 30
    told = "2 writes by old homes that had not heard of a take-over, the last 30 ms after it"
    assert verdict.reason.endswith(told)
    nobody = home().ends(1).judged()
    assert nobody.numbers["unheard_ms_max"] == 0
    assert "old homes" not in nobody.reason


def test_an_old_home_that_refused_and_then_writes_is_found() -> None:
    rows = home().at(10, "take-over", "east").refused(20, "west").at(30, "write", "west", 2)
    verdict = rows.ends(1).judged()
    assert verdict.validity is Validity.VIOLATION
    assert "which had refused to" in verdict.reason


def test_what_was_acknowledged_before_it_refused_is_no_sign() -> None:
    rows = home().at(10, "take-over", "east").at(20, "write", "west", 2).refused(30, "west")
    verdict = rows.at(50, "write", "east", 4).ends(4).judged()
    assert verdict.validity is Validity.VALID


def heard(rows: Rows) -> Rows:
    """The west shows, at 30 ms, what the east wrote at 20 ms."""
    rows.at(20, "write", "east", 5, key=2)
    return rows.at(30, "read", "west", key=2, result=5)


def test_an_old_home_that_shows_what_came_after_the_take_over_has_heard_of_it() -> None:
    rows = heard(home().at(10, "take-over", "east"))
    assert rows.at(40, "write", "west", 2).ends(1).judged().validity is Validity.VIOLATION


def test_of_two_take_overs_that_did_not_know_of_each_other_either_may_count() -> None:
    rows = heard(home().at(8, "take-over", "west").at(10, "take-over", "east"))
    assert rows.at(40, "write", "west", 2).ends(2).judged().validity is Validity.VALID


def test_what_a_third_region_may_have_sent_is_no_sign() -> None:
    rows = heard(home().at(10, "take-over", "east").at(21, "take-over", "north", key=2))
    assert rows.at(40, "write", "west", 2).ends(1).judged().validity is Validity.VALID


@pytest.mark.parametrize(("start", "validity"), [(20, Validity.VIOLATION), (5, Validity.VALID)])
def test_what_an_old_home_wrote_after_a_take_over_may_not_be_the_end(
    start: int, validity: Validity
) -> None:
    rows = home().at(10, "take-over", "east").at(start, "write", "west", 2).ends(2)
    assert rows.judged().validity is validity


def test_a_write_that_a_take_over_did_not_know_of_may_lose() -> None:
    rows = home().at(6, "write", "west", 2).at(10, "take-over", "east").ends(1)
    assert rows.won().validity is Validity.VALID
    assert rows.won().numbers["rows_overtaken"] == 1


def test_a_write_that_its_new_home_had_shown_may_not_lose() -> None:
    rows = home().at(6, "write", "west", 2).at(20, "read", "east", result=2)
    assert rows.at(30, "take-over", "east").ends(1).won().validity is Validity.VIOLATION


@pytest.mark.parametrize(("start", "validity"), [(25, Validity.VALID), (26, Validity.VIOLATION)])
def test_what_is_shown_at_the_moment_of_the_take_over_may_lose(
    start: int, validity: Validity
) -> None:
    rows = home().at(6, "write", "west", 2).at(20, "read", "east", result=2)
    assert rows.at(start, "take-over", "east").ends(1).won().validity is validity


@pytest.mark.parametrize(("start", "validity"), [(35, Validity.VALID), (36, Validity.VIOLATION)])
def test_what_begins_at_the_moment_at_which_the_take_over_is_heard_of_may_lose(
    start: int, validity: Validity
) -> None:
    rows = heard(home().at(10, "take-over", "east"))
    assert rows.at(start, "write", "west", 2).ends(1).won().validity is validity


def test_a_hand_over_alone_excuses_no_loss() -> None:
    rows = home().at(6, "write", "west", 2).at(10, "hand-over", "west", "east").ends(1)
    assert rows.won().validity is Validity.VIOLATION


def test_a_row_whose_only_write_was_overtaken_may_be_absent() -> None:
    rows = home().at(10, "take-over", "east").ends(None).at(20, "write", "west", 7, key=3)
    rows.call("row", 9000 * MS, 9001 * MS, key=3, result=7, node=NODES[0])
    assert rows.won().validity is Validity.VALID
    found = home().ends(None).at(20, "write", "west", 7, key=3)
    found.call("row", 9000 * MS, 9001 * MS, key=3, result=7, node=NODES[0])
    assert found.won().validity is Validity.VIOLATION


def test_nothing_written_says_nothing() -> None:
    assert Rows().ends(None).judged().validity is Validity.UNKNOWN
