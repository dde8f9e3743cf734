from __future__ import annotations

import pytest

from testbed.checkers.single_primary import check
from testbed.checkers.verdict import Validity, Verdict
from tests.histories import MS, S, Scribe


def judged(*writes: tuple[int, str, int | None]) -> Verdict:
    """Writes of 10 ms at their times in milliseconds."""
    scribe = Scribe()
    for at_ms, node, term in writes:
        scribe.call("add", at_ms * MS, (at_ms + 10) * MS, value=at_ms, node=node, term=term)
    return check(scribe.history(), {"add"})


def test_a_failover_is_no_violation() -> None:
    verdict = judged((0, "a", 1), (100, "a", 1), (9000, "b", 2), (9100, "b", 2))
    assert verdict.validity is Validity.VALID
    assert verdict.reason == "2 tenures lie one after the other: a (term 1), then b (term 2)"


def test_of_several_clusters_each_has_a_primary_of_its_own() -> None:
    scribe = Scribe()
    for at_ms, node, term in (
        (0, "a", 1),
        (100, "b", 1),
        (200, "a", 1),
        (300, "b2", 2),
        (400, "b", 1),
    ):
        scribe.call("add", at_ms * MS, (at_ms + 10) * MS, value=at_ms, node=node, term=term)
    history = scribe.history()
    assert check(history, {"add"}, nodes={"a"}).validity is Validity.VALID
    assert check(history, {"add"}, nodes={"b", "b2"}).validity is Validity.VIOLATION
    assert check(history, {"add"}, nodes={"c"}).validity is Validity.UNKNOWN


def test_a_switchover_and_back_under_new_terms_is_no_violation() -> None:
    assert judged((0, "a", 1), (1000, "b", 2), (2000, "a", 3)).validity is Validity.VALID


def test_two_primaries_are_a_violation_with_the_time_and_the_writes() -> None:
    verdict = judged((0, "a", 1), (1000, "b", 2), (1500, "a", 1), (2000, "b", 2), (2500, "a", 1))
    assert verdict.validity is Validity.VIOLATION
    assert verdict.numbers["dual_primary_ms"] == 990  # 1010, b had begun, to 2000, b went on
    [example] = verdict.counterexample
    assert (example["old"], example["new"]) == ("a (term 1)", "b (term 2)")
    assert (example["new_had_begun"]["value"], example["old_was_ongoing"]["value"]) == (1000, 2500)


def test_an_old_primary_that_speaks_once_more_is_a_violation() -> None:
    verdict = judged((0, "a", 1), (1000, "b", 2), (30_000, "a", 1))
    assert verdict.validity is Validity.VIOLATION


def test_an_old_primary_that_was_asked_before_is_none() -> None:
    scribe = Scribe().call("add", 0, 10 * S, value=1, node="a", term=1)
    scribe.call("add", 2 * S, 3 * S, value=2, node="b", term=2)
    assert check(scribe.history(), {"add"}).validity is Validity.VALID


def test_two_promotions_to_one_term_that_overlap_are_a_violation() -> None:
    verdict = judged((0, "b", 2), (100, "c", 2), (200, "b", 2), (300, "c", 2))
    assert verdict.validity is Validity.VIOLATION


def test_without_terms_a_quick_return_is_a_violation_and_a_slow_one_unknown() -> None:
    quick = judged((0, "a", None), (100, "b", None), (200, "a", None))
    slow = judged((0, "a", None), (100, "b", None), (2000, "a", None))
    assert quick.validity is Validity.VIOLATION
    assert slow.validity is Validity.UNKNOWN
    assert "term" in slow.reason
    assert judged((0, "a", None), (100, "b", None)).validity is Validity.VALID


def test_what_names_no_node_is_unknown() -> None:
    scribe = Scribe().call("add", 0, 1, value=1).call("add", 2, 3, value=2, node="a", term=1)
    verdict = check(scribe.history(), {"add"})
    assert verdict.validity is Validity.UNKNOWN
    assert check(Scribe().history(), {"add"}).validity is Validity.UNKNOWN


def test_a_connection_that_is_older_than_the_promotion_says_no_term() -> None:
    verdict = judged((0, "a", 1), (1000, "b", None), (1100, "b", 2), (5000, "b", None))
    assert verdict.validity is Validity.VALID
    assert verdict.numbers["writes_without_term"] == 2


def test_what_only_a_guessed_term_breaks_is_unknown() -> None:
    verdict = judged((0, "a", 1), (1000, "b", 2), (2000, "a", None))
    assert verdict.validity is Validity.UNKNOWN
    assert "do not say their term" in verdict.reason


@pytest.mark.parametrize("at_ms", [900, 1100, 8900, 9100])
def test_a_missing_term_is_that_of_the_closest_acknowledgement(at_ms: int) -> None:
    verdict = judged((1000, "b", 2), (5000, "c", 3), (9000, "b", 4), (at_ms, "b", None))
    assert verdict.validity is Validity.VALID


def test_a_node_that_never_says_a_term_is_ordered_by_time_alone() -> None:
    assert judged((0, "b", 2), (1000, "a", None)).validity is Validity.VALID
    between = judged((0, "b", 2), (1000, "a", None), (2000, "b", 2))
    assert between.validity is Validity.UNKNOWN


def test_tenures_of_one_term_that_only_touch_may_follow_each_other() -> None:
    scribe = Scribe()
    for start, end, node in ((0, 10, "a"), (30, 40, "a"), (10, 35, "b"), (30, 35, "b")):
        scribe.call("add", start * MS, end * MS, node=node, term=2)
    assert check(scribe.history(), {"add"}).validity is Validity.VALID


@pytest.mark.parametrize("crowded", ["before", "after"])
def test_of_writes_at_one_time_the_closest_ones_measure_a_return(crowded: str) -> None:
    crowd, single = [(0, 100), (50, 80), (10, 70)], [(0, 1)]
    scribe = Scribe().call("add", 200 * MS, 201 * MS, node="b")
    for start, end in crowd if crowded == "before" else single:
        scribe.call("add", start * MS, end * MS, node="a")
    for start, end in crowd if crowded == "after" else single:
        scribe.call("add", (300 + start) * MS, (300 + end) * MS, node="a")
    took_ms = 251 if crowded == "before" else 370
    history = scribe.history()
    assert check(history, {"add"}, took_ms).validity is Validity.UNKNOWN
    assert check(history, {"add"}, took_ms + 1).validity is Validity.VIOLATION


def test_a_write_may_be_complete_before_another_that_was_sent_sooner() -> None:
    scribe = Scribe().call("add", 65 * MS, 66 * MS, node="b")
    for start, end in ((0, 100), (10, 90), (20, 70), (50, 60), (300, 301)):
        scribe.call("add", start * MS, end * MS, node="a")
    verdict = check(scribe.history(), {"add"})
    assert verdict.validity is Validity.VIOLATION
    assert verdict.numbers["return_ms_min"] == 251


@pytest.mark.parametrize(
    ("again_ms", "validity"), [(489, Validity.VIOLATION), (490, Validity.UNKNOWN)]
)
def test_half_a_second_is_too_quick_for_two_promotions(again_ms: int, validity: Validity) -> None:
    verdict = judged((0, "a", None), (100, "b", None), (again_ms, "a", None))
    assert verdict.validity is validity
    assert verdict.numbers["return_ms_min"] == again_ms + 10


def test_of_several_returns_the_quickest_decides() -> None:
    slow = ((0, "a", None), (1000, "b", None), (3000, "a", None))
    quick = ((5000, "c", None), (5100, "a", None), (5200, "c", None))
    for writes in ((*slow, *quick), (*quick, *slow)):
        verdict = judged(*writes)
        assert verdict.validity is Validity.VIOLATION
        assert verdict.numbers["return_ms_min"] == 210


def test_of_several_pairs_of_primaries_the_longest_time_is_told() -> None:
    verdict = judged(
        *((0, "a", 1), (1000, "b", 2), (1500, "a", 1), (2000, "b", 2)),
        *((3000, "c", 3), (3500, "b", 2), (9000, "c", 3), (9500, "b", 2)),
    )
    longest = max((one["to_ns"] - one["from_ns"]) / MS for one in verdict.counterexample)
    shortest = min((one["to_ns"] - one["from_ns"]) / MS for one in verdict.counterexample)
    assert verdict.numbers["dual_primary_ms"] == longest > shortest
