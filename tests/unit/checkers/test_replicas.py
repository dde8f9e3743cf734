"""What replicas show in the end, how stale they are, and what sessions see of it."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.checkers import bounded_staleness, convergence, final_counter, session_guarantees
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.history import History
from testbed.history.operation import Operation
from testbed.history.problem import HistoryError
from testbed.measures.convergence import ABSENT, converged_ms, final_rows
from tests.histories import MS, Scribe

VALID, UNKNOWN, VIOLATION = Validity.VALID, Validity.UNKNOWN, Validity.VIOLATION


def registers(*versions: tuple[str, str, Any]) -> History:
    """Reads of registers, one after the other, from 100 ms on: node, key and value."""
    scribe = Scribe().call("write", 0, 5 * MS, value=1, key="x", node="a")
    for place, (node, key, value) in enumerate(versions):
        start = (100 + 10 * place) * MS
        scribe.call("read", start, start + 5 * MS, result=value, key=key, node=node)
    return scribe.history()


class TestConvergence:
    def test_the_same_rows(self) -> None:
        history = registers(("a", "x", 1), ("b", "x", 1))
        assert convergence.check(history, ["a", "b"], 100 * MS).validity is VALID

    def test_a_differing_row_is_shown_with_each_version_and_its_history(self) -> None:
        history = registers(("a", "x", 1), ("b", "x", 2))
        verdict = convergence.check(history, ["a", "b"], 100 * MS)
        assert verdict.validity is VIOLATION
        assert verdict.counterexample[0]["versions"] == {"a": 1, "b": 2}
        assert verdict.counterexample[0]["operations"][0]["f"] == "write"

    def test_of_many_writes_those_that_stayed_and_the_last_ones_are_shown(self) -> None:
        scribe = Scribe()
        for number in range(60):
            at = number * MS
            scribe.call("write", at, at + 1, key="x", value=number, node="a")
            scribe.call("read", at, at + 1, key="x", result=number, node="a")
            scribe.call("marked", at, at + 1, value="x", result=True, node="a")
        for node, value in (("a", 3), ("b", 59)):
            scribe.call("row", 100 * MS, 101 * MS, key="x", result=value, node=node)
        verdict = convergence.check(
            scribe.history(), ["a", "b"], 90 * MS, reads=("row",), writes=("write",)
        )
        shown = [one["value"] for one in verdict.counterexample[0]["operations"]]
        assert shown == [3, *range(41, 60)]

    def test_a_row_that_was_not_read_at_a_node_is_not_absent_there(self) -> None:
        """A history whose last final read was cut off broke the promise."""
        history = registers(("a", "x", 1), ("b", "x", 1), ("a", "y", 2))
        verdict = convergence.check(history, ["a", "b"], 100 * MS)
        assert verdict.validity is UNKNOWN
        assert "b" in verdict.reason
        history = registers(("a", "x", 1), ("b", "x", 3), ("a", "y", 2))
        assert convergence.check(history, ["a", "b"], 100 * MS).validity is VIOLATION

    def test_only_the_last_read_of_a_row_counts(self) -> None:
        history = registers(("b", "x", None), ("a", "x", 1), ("b", "x", 1))
        assert convergence.check(history, ["a", "b"], 100 * MS).validity is VALID

    def test_reads_before_the_end_say_nothing(self) -> None:
        history = registers(("a", "x", 1), ("b", "x", 1))
        assert convergence.check(history, ["a", "b"], 103 * MS).validity is UNKNOWN
        assert convergence.check(history, ["a", "b", "c"], 100 * MS).validity is UNKNOWN
        assert convergence.check(history, ["a"], 100 * MS).validity is UNKNOWN

    def test_a_row_that_one_replica_was_not_asked_for(self) -> None:
        history = registers(("a", "x", 1), ("a", "y", 1), ("b", "x", 1))
        rows = final_rows(history, ["a", "b"], 100 * MS)
        assert rows.unread == ("b",)
        assert rows.differing() == ()

    def test_a_row_that_a_read_of_everything_does_not_show_is_absent(self) -> None:
        scribe = Scribe().call("read", 10, 20, result={"x": 1, "y": 1}, node="a")
        scribe.call("read", 10, 20, result={"x": 1}, node="b")
        rows = final_rows(scribe.history(), ["a", "b"], 0)
        assert rows.differing()[0].versions == {"a": 1, "b": ABSENT}

    def test_sets_and_tables(self) -> None:
        for values in (([1, 2], [2, 1]), ({"a": 1}, {"a": 1})):
            scribe = Scribe()
            for node, value in zip("ab", values, strict=True):
                scribe.call("read", 10, 20, result=value, node=node)
            assert convergence.check(scribe.history(), ["a", "b"], 0).validity is VALID
        scribe.call("read", 30, 40, result={"a": 1, "b": 0}, node="a")
        assert convergence.check(scribe.history(), ["a", "b"], 0).validity is VIOLATION

    def test_the_time_to_converge_lies_between_two_reads(self) -> None:
        history = registers(("a", "x", 1), ("b", "x", None), ("b", "x", 1), ("a", "x", 1))
        final = final_rows(history, ["a", "b"], 115 * MS)
        assert converged_ms(history, final, 100 * MS) == (10.0, 25.0)
        differing = final_rows(history, ["a", "b", "c"], 115 * MS)
        assert converged_ms(history, differing, 100 * MS) is None


class TestFinalCounter:
    def counted(self, read: int, node: str = "a") -> Verdict:
        scribe = Scribe().call("increment", 0, 5, value=3, key="k")
        scribe.call("increment", 0, 9, "info", value=2, key="k")
        scribe.call("increment", 0, 9, "fail", value=7, key="k")
        scribe.call("read", 10, 20, result=read, key="k", node=node)
        return final_counter.check(scribe.history(), ["a"])

    @pytest.mark.parametrize("read", [3, 5])
    def test_within_what_is_possible(self, read: int) -> None:
        assert self.counted(read).validity is VALID

    @pytest.mark.parametrize(("read", "anomaly"), [(2, "lost-increment"), (6, "phantom-increment")])
    def test_lost_and_phantom_increments(self, read: int, anomaly: str) -> None:
        verdict = self.counted(read)
        assert verdict.validity is VIOLATION
        assert verdict.counterexample[0]["anomaly"] == anomaly

    def test_a_node_that_was_not_read(self) -> None:
        assert self.counted(3, node="b").validity is UNKNOWN

    def test_what_is_no_number_is_refused(self) -> None:
        with pytest.raises(HistoryError):
            final_counter.check(Scribe().call("increment", 0, 5, value="3").history(), ["a"])
        with pytest.raises(HistoryError):
            final_counter.check(Scribe().call("read", 0, 5, result=1.5, node="a").history(), ["a"])

    @pytest.mark.parametrize(
        ("increment", "read", "final"),
        [
            ((0, 50, "ok"), (51, 60), True),
            ((0, 50, "ok"), (50, 60), False),
            ((0, 50, "ok"), (10, 20), False),
            ((30, None, "info"), (10, 20), False),
            ((30, None, "info"), (31, 40), True),
            ((30, 50, "info"), (40, 60), False),
        ],
    )
    def test_a_read_is_final_when_no_increment_is_under_way(
        self, increment: Any, read: tuple[int, int], final: bool
    ) -> None:
        scribe = Scribe().call("increment", 0, 1, value=3, node="a")
        scribe.call("increment", *increment, value=0)
        scribe.call("read", *read, result=7, node="a")
        verdict = final_counter.check(scribe.history(), ["a"])
        assert verdict.validity is (VIOLATION if final else UNKNOWN)
        assert verdict.numbers["final_reads"] == final

    @pytest.mark.parametrize(("first", "last", "validity"), [(9, 3, VALID), (3, 9, VIOLATION)])
    def test_of_several_the_read_counts_that_completed_last(
        self, first: int, last: int, validity: Validity
    ) -> None:
        scribe = Scribe().call("increment", 0, 1, value=3)
        scribe.call("read", 10, 40, result=last, node="a")
        scribe.call("read", 12, 20, result=first, node="a")
        assert final_counter.check(scribe.history(), ["a"]).validity is validity

    def test_the_refused_line_is_named(self) -> None:
        line = Operation(0, 1, "invoke", "increment", "3", index=7)
        with pytest.raises(HistoryError) as caught:
            final_counter.check(History((line,)), ["a"])
        assert [(problem.line, problem.column) for problem in caught.value.problems] == [(7, 0)]

    def test_what_is_missing_is_said(self) -> None:
        assert "no final read of a k" in self.counted(3, node="b").reason
        assert final_counter.check(Scribe().history(), ["a"]).reason == "nothing was read"


class TestBoundedStaleness:
    def history(self) -> History:
        scribe = Scribe().call("add", 0, 10 * MS, value=1, node="a")
        scribe.call("read", 40 * MS, 50 * MS, result=[], node="b")
        return scribe.call("read", 60 * MS, 70 * MS, result=[1], node="b").history()

    def test_within_the_bound(self) -> None:
        verdict = bounded_staleness.check(self.history(), 30)
        assert verdict.validity is VALID
        assert verdict.numbers["staleness_max_ms"] == 30

    def test_older_than_the_bound(self) -> None:
        verdict = bounded_staleness.check(self.history(), 29)
        assert verdict.validity is VIOLATION
        assert verdict.counterexample[0]["staleness_ms"] == 30

    def test_the_worst_of_several_is_named_and_stands_first(self) -> None:
        scribe = Scribe().call("add", 0, 10 * MS, value=1, node="a")
        for start in (40, 90, 20, 15):
            scribe.call("read", start * MS, (start + 1) * MS, result=[], node="b")
        scribe.call("read", 5 * MS, 200 * MS, result=[], node="b")
        verdict = bounded_staleness.check(scribe.history(), 6)
        assert [one["staleness_ms"] for one in verdict.counterexample] == [80, 30, 10]
        assert verdict.reason.startswith("3 of 5 reads are older than 6 ms; the worst")
        assert verdict.reason.endswith("by 80 ms")
        assert verdict.numbers == {
            "reads": 5,
            "bound_ms": 6,
            "stale_reads": 4,
            "staleness_p50_ms": 10,
            "staleness_p99_ms": pytest.approx(80, abs=2.1),
            "staleness_max_ms": 80,
        }

    def test_nothing_written_or_read_is_unknown(self) -> None:
        assert bounded_staleness.check(Scribe().history(), 5).validity is UNKNOWN
        read = Scribe().call("read", 0, 1, key="x", node="a").history()
        assert bounded_staleness.check(read, 5).validity is UNKNOWN


def judged(scribe: Scribe) -> dict[str, Validity]:
    verdicts = session_guarantees.check(scribe.history())
    return {verdict.name: verdict.validity for verdict in verdicts}


class TestSessionGuarantees:
    def test_a_register_that_forgets_the_sessions_write(self) -> None:
        scribe = Scribe().call("write", 0, 5, value=1, key="x", process=1)
        scribe.call("read", 10, 15, result=None, key="x", process=1, node="b")
        assert judged(scribe)["read-your-writes"] is VIOLATION

    def test_another_session_promises_nothing(self) -> None:
        scribe = Scribe().call("write", 0, 5, value=1, key="x", process=1)
        scribe.call("read", 10, 15, result=None, key="x", process=2, node="b")
        assert judged(scribe)["read-your-writes"] is UNKNOWN

    def test_a_write_that_may_be_newer_is_no_contradiction(self) -> None:
        scribe = Scribe().call("write", 0, 5, value=1, key="x", process=1)
        scribe.call("write", 4, 9, value=2, key="x", process=2)
        scribe.call("read", 10, 15, result=2, key="x", process=1, node="b")
        assert judged(scribe)["read-your-writes"] is VALID

    def test_a_compare_and_set_reads_and_writes(self) -> None:
        scribe = Scribe().call("write", 0, 1, value=1, key="x", process=2)
        scribe.call("cas", 2, 3, value=[1, 2], key="x", process=1)
        scribe.call("read", 10, 15, result=1, key="x", process=1, node="b")
        found = judged(scribe)
        assert found["read-your-writes"] is VIOLATION
        assert found["monotonic-reads"] is VALID

    def test_what_was_seen_before_it_was_written_is_not_missing(self) -> None:
        scribe = Scribe().call("read", 0, 1, result=[2], process=1, node="a")
        scribe.call("add", 2, 3, value=2, process=1)
        scribe.call("read", 4, 5, result=[2], process=2, node="b")
        assert judged(scribe)["writes-follow-reads"] is VALID

    def test_transactions_of_lists(self) -> None:
        scribe = Scribe()
        scribe.call("txn", 0, 5, value=[["append", "x", 1]], process=1)
        result = [["r", "x", []], ["append", "y", 2]]
        scribe.call("txn", 10, 15, value=[["r", "x", None]], result=result, process=1)
        assert judged(scribe)["read-your-writes"] is VIOLATION

    def test_a_node_that_shows_an_overwritten_value_again(self) -> None:
        scribe = Scribe().call("write", 0, 1, value=1, key="x", process=1)
        scribe.call("write", 2, 3, value=2, key="x", process=1)
        scribe.call("read", 4, 5, result=2, key="x", node="b")
        scribe.call("read", 6, 7, result=1, key="x", node="b")
        assert judged(scribe)["monotonic-writes"] is VIOLATION

    @pytest.mark.parametrize(
        ("shown", "broken"),
        [
            # Process 1 wrote 2, saw 1, wrote 3, saw 4 and wrote 5.
            ((3, 1), True),
            ((1, 3), False),
            ((2, 1), False),
            ((2, 3, 1), True),
            ((5, 1), True),
            ((3, 5, 4), True),
            ((5, 3, 4), True),
            ((3, 4), False),
            ((3, 3), False),
            ((99, 98, 3, 99, 1), True),
        ],
    )
    def test_a_node_shows_nothing_of_what_the_writer_of_a_shown_value_had_seen(
        self, shown: tuple[int, ...], broken: bool
    ) -> None:
        scribe = Scribe().call("write", 0, 90, value=1, key="x", process=2)
        scribe.call("write", 0, 90, value=4, key="x", process=3)
        for at, (f, value) in enumerate(
            (("write", 2), ("read", 1), ("write", 3), ("read", 4), ("write", 5))
        ):
            more: dict[str, Any] = {"value" if f == "write" else "result": value}
            scribe.call(f, 10 * at, 10 * at + 5, key="x", process=1, **more)
        for place, value in enumerate(shown):
            at = 100 + 10 * place
            scribe.call("read", at, at + 5, result=value, key="x", node="b")
        assert (judged(scribe)["writes-follow-reads"] is VIOLATION) == broken

    @pytest.mark.parametrize(
        ("shown", "broken"), [((1, 3, 2), True), ((3, 2), True), ((1, 2, 3), False)]
    )
    def test_a_node_keeps_to_the_latest_of_a_sessions_writes_that_it_showed(
        self, shown: tuple[int, ...], broken: bool
    ) -> None:
        scribe = Scribe()
        for value in (1, 2, 3):
            scribe.call("write", 10 * value, 10 * value + 5, value=value, key="x", process=1)
        for place, value in enumerate(shown):
            scribe.call("read", 100 + 10 * place, 105 + 10 * place, result=value, key="x", node="b")
        assert (judged(scribe)["monotonic-writes"] is VIOLATION) == broken

    @pytest.mark.parametrize(("start", "broken"), [(131, True), (130, False)])
    def test_only_reads_that_were_complete_have_shown_something_before(
        self, start: int, broken: bool
    ) -> None:
        scribe = Scribe()
        for value in (1, 2):
            scribe.call("write", 10 * value, 10 * value + 5, value=value, key="x", process=1)
        scribe.call("read", 110, 160, result=99, key="x", node="b")
        scribe.call("read", 111, 115, result=98, key="x", node="b")
        scribe.call("read", 112, 130, result=2, key="x", node="b")
        scribe.call("read", start, start + 5, result=1, key="x", node="b")
        assert (judged(scribe)["monotonic-writes"] is VIOLATION) == broken

    def test_of_a_value_that_was_written_twice_nobody_knows_which_is_shown(self) -> None:
        scribe = Scribe()
        for place, value in enumerate((1, 2, 1)):
            scribe.call("write", 4 * place, 4 * place + 1, value=value, key="x", process=1)
        for place, value in enumerate((1, 2, 1)):
            scribe.call("read", 20 + place * 4, 21 + place * 4, result=value, key="x", node="b")
        assert judged(scribe)["monotonic-writes"] is VALID

    def test_what_was_seen_before_a_read_that_lacked_it_still_comes_before_a_write(self) -> None:
        scribe = Scribe().call("add", 0, 1, value=1, process=9)
        scribe.call("read", 2, 3, result=[1], process=1, node="a")
        scribe.call("read", 4, 5, result=[], process=1, node="b")
        scribe.call("add", 6, 7, value=2, process=1)
        scribe.call("read", 8, 9, result=[2], process=2, node="b")
        found = judged(scribe)
        assert found["writes-follow-reads"] is VIOLATION
        assert found["monotonic-writes"] is UNKNOWN

    def test_a_session_whose_appends_were_swapped_still_misses_the_first(self) -> None:
        scribe = Scribe().call("append", 0, 1, value=1, key="x", process=1)
        scribe.call("append", 2, 3, value=2, key="x", process=1)
        scribe.call("read", 4, 5, result=[2], key="x", process=1, node="b")
        scribe.call("read", 6, 7, result=[2, 1], key="x", process=2, node="b")
        found = judged(scribe)
        assert found["read-your-writes"] is VIOLATION
        assert found["monotonic-writes"] is VIOLATION

    def test_a_value_that_nobody_had_written_yet_is_no_matter_of_sessions(self) -> None:
        """The session's own write is older than that only because it came from the future."""
        scribe = Scribe().call("read", 0, 1, result=5, key="x", process=1, node="a")
        scribe.call("write", 2, 3, value=6, key="x", process=1)
        scribe.call("write", 4, 5, value=5, key="x", process=2)
        scribe.call("read", 6, 7, result=5, key="x", process=3, node="a")
        assert judged(scribe)["writes-follow-reads"] is VALID

    def test_each_violation_is_counted_once_and_told_by_both_operations(self) -> None:
        scribe = Scribe().call("append", 0, 1 * MS, value="é", key="x", process=1, node="a")
        scribe.call("read", 2 * MS, 3 * MS, result=[], key="x", process=1, node="b")
        scribe.call("read", 4 * MS, 5 * MS, result=["é"], key="x", process=2, node="a")
        verdict = session_guarantees.check(scribe.history())[0]
        assert verdict.numbers == {"sessions": 2, "reads": 2, "writes": 1, "violations": 1}
        assert verdict.counterexample[0]["text"] == [
            "the list is shorter than what the session wrote, or in another order:",
            '  process 1 append "é" at a (0.000 s to 0.001 s)',
            "  process 1 read [] at b (0.002 s to 0.003 s)",
        ]

    def test_an_older_value_is_told_with_the_newer_one(self) -> None:
        scribe = Scribe().call("write", 0, 1 * MS, value=1, key="x", process=1)
        scribe.call("write", 2 * MS, 3 * MS, value=2, key="x", process=2)
        scribe.call("read", 4 * MS, 5 * MS, result=2, key="x", process=3, node="a")
        scribe.call("read", 6 * MS, 7 * MS, result=1, key="x", process=3, node="b")
        verdict = session_guarantees.check(scribe.history())[1]
        assert verdict.counterexample[0]["text"][0] == "1 is older than 2, which the session saw:"

    def test_values_of_another_shape_are_refused(self) -> None:
        for f, value in (("cas", 1), ("txn", 1), ("txn", [["q", 1, 2]])):
            with pytest.raises(HistoryError):
                session_guarantees.check(Scribe().call(f, 0, 1, value=value).history())
