from __future__ import annotations

import pytest

from testbed.checkers.durability import check
from testbed.checkers.verdict import Validity
from testbed.history.problem import HistoryError
from tests.histories import MS, S, Scribe

NODES = ("eu-west-db1", "eu-central-db1")


def scribe(*, kept: int = 100, mark_at: int = 60 * S) -> Scribe:
    """100 adds, one every 100 ms; eu-west is cut off at 5 s and goes on acknowledging to 10 s."""
    written = Scribe()
    for number in range(100):
        written.call(
            "add",
            number * 100 * MS,
            (number * 100 + 10) * MS,
            value=number,
            node="eu-west-db1",
            region="eu-west",
        )
    written.window(5 * S, 30 * S)
    written.call("mark", mark_at, mark_at + MS, value=1, node="eu-central-db1")
    for node in NODES:
        written.call("marked", 61 * S, 62 * S, value=1, result=True, node=node)
        written.call("read", 63 * S, 64 * S, result=list(range(kept)), node=node)
    return written


def test_lost_writes_are_listed_with_time_region_node_and_fault() -> None:
    verdict = check(scribe(kept=48).history(), NODES, delay_ms=200)
    assert verdict.validity is Validity.VIOLATION
    assert verdict.numbers["lost_writes"] == 52
    first = verdict.counterexample[0]
    assert (first["kind"], first["value"], first["region"], first["node"]) == (
        "lost",
        48,
        "eu-west",
        "eu-west-db1",
    )
    assert first["end_ns"] == 4810 * MS
    # Acknowledged before any fault was injected, so none is named.
    assert "last_fault" not in first
    assert verdict.counterexample[2]["last_fault"] == "region-cut eu-west"
    assert verdict.counterexample[2]["after_fault_ms"] == 10.0
    assert first["missing_at"] == list(NODES)


def test_rate_times_time_explains_the_number_of_lost_writes() -> None:
    numbers = check(scribe(kept=48).history(), NODES, delay_ms=200).numbers
    # 5 s at 10/s after the cut, and what 200 ms of delay held before it.
    assert numbers["expected_lost_min"] == pytest.approx(50, abs=1)
    assert numbers["expected_lost_max"] == pytest.approx(52, abs=1)
    assert numbers["explained_lost"] == 52
    assert numbers["rpo_ms"] == 5100


def test_nothing_lost_is_valid() -> None:
    verdict = check(scribe().history(), NODES)
    assert verdict.validity is Validity.VALID
    assert verdict.reason == "all 100 acknowledged writes are at all 2 nodes"


def test_a_marker_that_was_written_before_the_last_add_settles_nothing() -> None:
    written = scribe(kept=100, mark_at=5 * S)
    written.call("read", 65 * S, 66 * S, result=list(range(99)), node=NODES[1])
    verdict = check(written.history(), NODES)
    assert verdict.validity is Validity.UNKNOWN
    assert "eu-central-db1" in verdict.reason


def test_a_node_that_was_not_read_is_unknown() -> None:
    verdict = check(scribe().history(), (*NODES, "us-east-db1"))
    assert verdict.validity is Validity.UNKNOWN
    assert "us-east-db1" in verdict.reason


def test_the_last_read_of_a_node_counts() -> None:
    written = scribe(kept=90)
    for node in NODES:
        written.call("read", 65 * S, 66 * S, result=list(range(100)), node=node)
    assert check(written.history(), NODES).validity is Validity.VALID


def test_numbers_that_were_asked_for_twice_prove_nothing() -> None:
    written = scribe().call("add", 11 * S, 12 * S, value=3, node=NODES[0])
    verdict = check(written.history(), NODES)
    assert verdict.validity is Validity.UNKNOWN
    assert "another one asks for" in verdict.reason


def test_no_node_and_no_write_are_unknown() -> None:
    assert check(scribe().history(), ()).validity is Validity.UNKNOWN
    assert check(Scribe().history(), NODES).validity is Validity.UNKNOWN


def test_values_that_are_no_numbers_are_refused() -> None:
    written = Scribe().call("add", 1, 2, value="x").call("add", 3, 4, value=[1])
    with pytest.raises(HistoryError) as caught:
        check(written.history(), NODES)
    assert caught.value.total == 2
    with pytest.raises(HistoryError, match="list of numbers"):
        check(Scribe().call("read", 1, 2, result=[1, "x"], node="a").history(), NODES)


def test_what_no_node_has_is_not_lost_while_one_was_not_read() -> None:
    written = Scribe().call("add", 0, 1, value=1, node="a")
    written.call("read", 10, 20, result=[], node="a")
    assert check(written.history(), ("a", "b")).validity is Validity.UNKNOWN
    written.call("read", 10, 20, result=[], node="b")
    assert check(written.history(), ("a", "b")).validity is Validity.VIOLATION


def test_a_marker_settles_what_is_read_after_it_was_seen_and_stays_seen() -> None:
    written = Scribe().call("add", 0, 1, value=1, node="b").call("mark", 2, 3, value=1)
    written.call("read", 10, 20, result=[], node="a").call("read", 10, 20, result=[1], node="b")
    late = written.call("marked", 11, 12, value=1, result=True, node="a")
    assert check(late.history(), ("a", "b")).validity is Validity.UNKNOWN
    early = written.call("marked", 4, 5, value=1, result=True, node="a")
    assert check(early.history(), ("a", "b")).validity is Validity.VIOLATION


def test_a_marker_that_an_earlier_try_may_have_written_settles_nothing() -> None:
    written = Scribe().call("mark", 0, 1, "info", value=1).call("add", 2, 3, value=1, node="b")
    written.call("mark", 4, 5, value=1).call("marked", 6, 7, value=1, result=True, node="a")
    written.call("read", 10, 20, result=[], node="a").call("read", 10, 20, result=[1], node="b")
    assert check(written.history(), ("a", "b")).validity is Validity.UNKNOWN


def test_a_number_that_failed_and_was_asked_for_again_may_be_there() -> None:
    written = Scribe().call("add", 0, 1, "fail", value=1, node="a")
    written.call("add", 2, 3, value=1, node="a").call("read", 10, 20, result=[1], node="a")
    verdict = check(written.history(), ("a",))
    assert verdict.validity is Validity.UNKNOWN
    assert verdict.numbers["wrong_elements"] == 0


def test_writes_of_unknown_outcome_are_counted() -> None:
    written = scribe().call("add", 0, 1, "info", value=200, node=NODES[0])
    written.call("add", 0, value=201, node=NODES[0]).call("add", 0, 1, "fail", value=202)
    assert check(written.history(), NODES).numbers["unknown_writes"] == 2


def test_a_lost_write_is_put_down_to_the_last_fault_before_it() -> None:
    written = scribe(kept=0).window(8 * S, 9 * S, "region-cut eu-central")
    lost = {example["value"]: example for example in check(written.history(), NODES).counterexample}
    assert lost[70]["last_fault"] == "region-cut eu-west"
    assert lost[90]["last_fault"] == "region-cut eu-central"


def test_a_fault_in_which_nothing_was_lost_explains_nothing() -> None:
    alone = check(scribe(kept=48).history(), NODES).numbers
    more = scribe(kept=48).window(40 * S, 50 * S, "region-cut us-east")
    assert check(more.history(), NODES).numbers == alone
    assert check(more.history(), NODES, delay_ms=0).numbers == alone


def test_without_a_fault_nothing_explains_a_loss() -> None:
    written = Scribe().call("add", 0, 1, value=1, node="a")
    verdict = check(written.call("read", 10, 20, result=[], node="a").history(), ("a",))
    assert verdict.validity is Validity.VIOLATION
    assert "explained_lost" not in verdict.numbers
