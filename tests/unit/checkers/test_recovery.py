from __future__ import annotations

from testbed.checkers.recovery import check
from testbed.checkers.verdict import Validity, Verdict
from tests.histories import S, Scribe


def judged(scribe: Scribe, *nodes: str) -> Verdict:
    return check(scribe.history(), nodes or ("a",), healed_ns=10 * S, bound_ms=20_000)


def test_a_marker_seen_in_time_is_valid() -> None:
    scribe = Scribe().call("mark", 12 * S, 13 * S, value=1, node="b")
    scribe.call("marked", 14 * S, 15 * S, value=1, result=False, node="a")
    scribe.call("marked", 16 * S, 17 * S, value=1, result=True, node="a")
    verdict = judged(scribe)
    assert verdict.validity is Validity.VALID
    assert verdict.numbers["recovery_ms_max"] == 5000
    assert "5000 ms after it was first tried, which was 2000 ms after the heal" in verdict.reason


def test_a_node_that_refuses_connections_past_the_bound_is_late() -> None:
    scribe = Scribe().call("mark", 12 * S, 13 * S, value=1, node="b")
    scribe.call("marked", 14 * S, 15 * S, value=1, result=True, node="b")
    # The connection failed, so only the invocation knows the node.
    scribe.call("marked", 31 * S, 32 * S, "fail", value=1, asked="a", error="connect: refused")
    verdict = judged(scribe, "a", "b")
    assert verdict.validity is Validity.VIOLATION
    assert "a did not show" in verdict.reason


def test_a_late_marker_has_its_grace() -> None:
    scribe = Scribe().call("mark", 60 * S, 61 * S, value=1, node="b")
    scribe.call("marked", 61 * S, 62 * S, value=1, result=False, node="a")
    scribe.call("marked", 64 * S, 65 * S, value=1, result=True, node="a")
    assert judged(scribe).validity is Validity.VALID


def test_a_node_that_was_not_asked_is_unknown() -> None:
    scribe = Scribe().call("mark", 12 * S, 13 * S, value=1, node="b")
    verdict = judged(scribe)
    assert verdict.validity is Validity.UNKNOWN
    assert "a was not asked" in verdict.reason


def test_no_marker_ever_acknowledged() -> None:
    early = Scribe().call("mark", 12 * S, 13 * S, "info", value=1)
    assert judged(early).validity is Validity.UNKNOWN
    late = early.call("mark", 31 * S, 32 * S, "info", value=2)
    assert judged(late).validity is Validity.VIOLATION
    assert judged(Scribe()).validity is Validity.UNKNOWN


def test_the_slowest_node_is_the_one_that_is_told() -> None:
    scribe = Scribe().call("mark", 12 * S, 13 * S, value=1, node="b")
    for node, at in (("a", 16), ("b", 14), ("c", 20)):
        scribe.call("marked", at * S, (at + 1) * S, value=1, result=True, node=node)
        scribe.call("marked", 40 * S, 41 * S, value=1, result=True, node=node)
    verdict = judged(scribe, "a", "b", "c")
    assert verdict.validity is Validity.VALID
    assert verdict.numbers["recovery_ms_max"] == 9000
    assert "9000 ms" in verdict.reason


def test_a_marker_seen_at_the_last_moment_is_in_time() -> None:
    scribe = Scribe().call("mark", 12 * S, 13 * S, value=1, node="b")
    scribe.call("marked", 29 * S, 30 * S, value=1, result=True, node="a")
    assert judged(scribe).validity is Validity.VALID


def test_a_marker_that_is_sent_at_the_moment_of_the_heal_counts() -> None:
    scribe = Scribe().call("mark", 10 * S, 11 * S, value=1, node="a")
    scribe.call("marked", 12 * S, 13 * S, value=1, result=True, node="a")
    assert judged(scribe).validity is Validity.VALID


def test_a_marker_whose_grace_is_not_over_yet() -> None:
    """Without a grace of its own a marker has the checker's, counted from its acknowledgement."""
    scribe = Scribe().call("mark", 60 * S, 61 * S, value=1, node="b")
    before = scribe.call("marked", 66 * S - 1, 67 * S, value=1, result=False, node="a")
    assert judged(before).validity is Validity.UNKNOWN
    after = before.call("marked", 66 * S, 68 * S, value=1, result=False, node="a")
    assert judged(after).validity is Validity.VIOLATION


def test_a_marker_that_is_tried_when_the_bound_is_over_and_fails() -> None:
    last = Scribe().call("mark", 30 * S, 31 * S, "info", value=1)
    assert judged(last).validity is Validity.VIOLATION


def test_a_question_that_overlaps_with_a_yes_may_have_been_answered_before_it() -> None:
    scribe = Scribe().call("mark", 12 * S, 13 * S, value=1, node="b")
    scribe.call("marked", 31 * S, 32 * S, value=1, result=True, node="a")
    scribe.call("marked", 32 * S, 33 * S, value=1, result=False, node="a")
    # Seen too late, but nobody had asked before when the bound was over.
    assert judged(scribe).validity is Validity.UNKNOWN


def test_a_node_that_is_late_is_shown_with_its_own_answer() -> None:
    scribe = Scribe().call("mark", 12 * S, 13 * S, value=1, node="b")
    scribe.call("marked", 30 * S, 31 * S, value=1, result=True, node="b")
    scribe.call("marked", 31 * S, 36 * S, value=1, result=True, node="a")
    scribe.call("marked", 30 * S, 35 * S, value=1, result=False, node="c")
    scribe.call("marked", 32 * S, 33 * S, value=1, result=False, node="a")
    verdict = judged(scribe, "a", "b", "c")
    assert verdict.validity is Validity.VIOLATION
    written, *answers = verdict.counterexample
    assert written["f"] == "mark"
    assert [(one["node"], one["start_ns"] // S) for one in answers] == [("a", 32), ("c", 30)]
