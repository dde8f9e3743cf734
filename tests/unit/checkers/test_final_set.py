"""Which elements a set with removals may have in the end, by hand."""

from __future__ import annotations

import pytest

from testbed.checkers import final_set
from testbed.checkers.verdict import Validity, Verdict
from tests.histories import MS, Scribe

WEST, EAST = "west-db1", "east-db1"

Step = tuple[str, int, int | None, str]


def judged(steps: list[Step], *, there: bool) -> Verdict:
    """The verdict on steps (function, start and end in ms, node), shown alike at both nodes."""
    scribe = Scribe()
    for function, start, end, node in steps:
        scribe.call(function, start * MS, end and end * MS, key=1, node=node)
    for node in (WEST, EAST):
        scribe.call("member", 1000 * MS, 1001 * MS, key=1, result=there, node=node)
    return final_set.check(scribe.history(), (WEST, EAST))


ADD: Step = ("include", 10, 20, WEST)


@pytest.mark.parametrize(
    ("steps", "may"),
    [
        ([ADD], {True}),
        ([("exclude", 0, 5, WEST), ADD], {True}),
        ([ADD, ("exclude", 30, 40, WEST)], {False}),
        # Elsewhere it need not have been seen, and an unknown outcome may come later.
        ([ADD, ("exclude", 30, 40, EAST)], {True, False}),
        ([("exclude", 0, None, WEST), ADD], {True, False}),
        ([ADD, ("exclude", 15, 40, WEST)], {True, False}),
        ([ADD, ("include", 12, None, EAST), ("exclude", 30, 40, WEST)], {True, False}),
        ([ADD, ("exclude", 30, 40, WEST), ("include", 50, 60, EAST)], {True}),
        # What ends at the moment at which the other begins may have been seen, or not.
        ([("exclude", 0, 10, WEST), ADD], {True, False}),
        ([ADD, ("exclude", 20, 40, WEST)], {True, False}),
    ],
)
def test_what_may_be_there_in_the_end(steps: list[Step], may: set[bool]) -> None:
    for there in (True, False):
        wanted = Validity.VALID if there in may else Validity.VIOLATION
        assert judged(steps, there=there).validity is wanted


def test_what_is_wrong_is_told_and_counted() -> None:
    lost = judged([ADD], there=False)
    assert lost.reason == "2 of 2 final reads are wrong: element 1 is lost at west-db1"
    assert (lost.numbers["final_reads"], lost.numbers["rows_that_lost"]) == (2, 1)
    back = judged([ADD, ("exclude", 30, 40, WEST)], there=True)
    assert back.reason.endswith("element 1 is there, and should not be at west-db1")
    assert back.numbers["rows_that_lost"] == 0


def test_an_add_that_failed_added_nothing() -> None:
    scribe = Scribe().call("include", 10 * MS, 20 * MS, "fail", key=1, node=WEST)
    scribe.call("member", 30 * MS, 31 * MS, key=1, result=True, node=WEST)
    assert final_set.check(scribe.history(), (WEST,)).validity is Validity.VIOLATION


def test_reads_of_other_nodes_and_elements_that_were_never_added_count_for_nothing() -> None:
    scribe = Scribe().call("include", 10 * MS, 20 * MS, key=1, node=WEST)
    for key, there, node in ((1, True, WEST), (2, False, WEST), (1, False, EAST)):
        scribe.call("member", 30 * MS, 31 * MS, key=key, result=there, node=node)
    verdict = final_set.check(scribe.history(), (WEST,))
    assert verdict.validity is Validity.VALID
    assert verdict.reason == "2 final reads are right"


def test_what_nobody_added_is_not_there_and_nothing_added_says_nothing() -> None:
    assert judged([("exclude", 0, 5, WEST)], there=True).validity is Validity.VIOLATION
    assert judged([("exclude", 0, 5, WEST)], there=False).validity is Validity.UNKNOWN
    assert judged([], there=True).validity is Validity.VIOLATION


def test_a_node_that_was_not_asked_for_an_element_leaves_it_open() -> None:
    scribe = Scribe()
    for key in (1, 2):
        scribe.call("include", 10 * MS, 20 * MS, key=key, node=WEST)
        scribe.call("member", 30 * MS, 31 * MS, key=key, result=True, node=WEST)
    scribe.call("member", 30 * MS, 31 * MS, key=1, result=True, node=EAST)
    verdict = final_set.check(scribe.history(), (WEST, EAST))
    assert verdict.validity is Validity.UNKNOWN
    assert verdict.reason.startswith(f"{EAST} was not asked for element 2 at the end")
