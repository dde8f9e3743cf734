"""Each model on histories made by hand: valid, each anomaly, unknown, malformed."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from testbed.checkers.request import Request, RequestError
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.problem import HistoryError
from tests.columns import Columns

VALID, UNKNOWN, VIOLATION = Validity.VALID, Validity.UNKNOWN, Validity.VIOLATION


def judged(model: str, columns: Columns, init: Any = None, **params: Any) -> Verdict:
    module = importlib.import_module(f"testbed.checkers.collections.{model}")
    verdict: Verdict = module.check(columns.table(), Request(init=init, params=params))
    return verdict


def anomalies(verdict: Verdict) -> set[str]:
    return {one["anomaly"] for one in verdict.counterexample}


@pytest.mark.parametrize(
    ("model", "other", "named"),
    [
        ("counter", "decrement", "'add' or 'read' as 'f', not 'decrement'"),
        ("simple_set", "remove", "a set that only grows, not 'remove'"),
        ("set_full", "delete", "a set that only grows, not 'delete'"),
        ("bank", "deposit", "transfers, which keep the total, not 'deposit'"),
    ],
)
def test_what_would_change_the_meaning_of_the_rest_is_refused(
    model: str, other: str, named: str
) -> None:
    columns = Columns().call(0, "add", 1).call(0, other, 1)
    with pytest.raises(HistoryError, match=named) as refused:
        judged(model, columns.call(1, "read", result={"counter": 0, "bank": {}}.get(model, [])))
    assert [problem.line for problem in refused.value.problems] == [3, 4]


class TestSet:
    def test_functions_that_remove_nothing_are_passed_over(self) -> None:
        columns = Columns().call(0, "mark", 1).call(0, "add", 1).call(1, "read", result=[1])
        assert judged("simple_set", columns).validity is VALID

    def test_all_that_was_acknowledged_is_there(self) -> None:
        columns = (
            Columns().call(0, "add", 1).call(0, "add", "two").call(1, "read", result=["two", 1])
        )
        assert judged("simple_set", columns).validity is VALID

    def test_what_is_missing_is_lost(self) -> None:
        columns = Columns().call(0, "add", 1).call(0, "add", 2).call(1, "read", result=[2])
        verdict = judged("simple_set", columns)
        assert verdict.validity is VIOLATION
        assert anomalies(verdict) == {"lost"}
        assert verdict.counterexample[0]["element"] == 1
        assert [one["line"] for one in verdict.counterexample[0]["operations"]] == [1, 5]

    def test_what_nobody_added_is_unexpected(self) -> None:
        verdict = judged("simple_set", Columns().call(0, "add", 1).call(1, "read", result=[1, 7]))
        assert verdict.validity is VIOLATION
        assert anomalies(verdict) == {"unexpected"}

    @pytest.mark.parametrize(("there", "validity"), [([1], VALID), ([], VIOLATION)])
    def test_what_only_the_completion_names_was_asked_for(
        self, there: list[int], validity: Validity
    ) -> None:
        """And what was asked for is what the invocation says, whatever the completion does."""
        named_late = Columns().call(0, "add", None, 1).call(1, "read", result=there)
        assert judged("simple_set", named_late).validity is validity
        other = Columns().call(0, "add", 1, 5).call(1, "read", result=there)
        assert judged("simple_set", other).validity is validity

    @pytest.mark.parametrize(("read", "validity"), [(3, VALID), (4, VIOLATION), (0, VIOLATION)])
    def test_an_amount_that_only_the_completion_names_was_added(
        self, read: int, validity: Validity
    ) -> None:
        columns = Columns().call(0, "add", None, 3).call(1, "read", result=read)
        assert judged("counter", columns).validity is validity

    def test_what_surely_failed_is_unexpected(self) -> None:
        columns = Columns().call(0, "add", 1, outcome="fail").call(1, "read", result=[1])
        verdict = judged("simple_set", columns)
        assert verdict.validity is VIOLATION
        assert "failed" in verdict.counterexample[0]["text"][0]

    def test_what_may_have_been_added_may_be_there_or_not(self) -> None:
        for there in ([1], [1, 2]):
            columns = Columns().call(0, "add", 1).call(1, "add", 2, outcome="info")
            verdict = judged("simple_set", columns.call(2, "read", result=there))
            assert verdict.validity is VALID
            assert verdict.numbers["recovered"] == len(there) - 1

    def test_what_was_acknowledged_during_the_final_read_is_never_read(self) -> None:
        columns = Columns().line("invoke", 1, "read").call(0, "add", 1).line("ok", 1, "read", [])
        verdict = judged("simple_set", columns)
        assert verdict.validity is UNKNOWN
        assert verdict.numbers["never_read"] == 1

    def test_only_the_last_read_is_final(self) -> None:
        columns = Columns().call(0, "add", 1).call(1, "read", result=[]).call(1, "read", result=[1])
        assert judged("simple_set", columns).validity is VALID

    def test_without_a_read_or_an_element_nothing_is_known(self) -> None:
        assert judged("simple_set", Columns().call(0, "add", 1)).validity is UNKNOWN
        assert judged("simple_set", Columns().call(0, "read", result=[])).validity is UNKNOWN
        crashed = Columns().call(0, "add", 1).call(1, "read", result=[], outcome="info")
        assert judged("simple_set", crashed).validity is UNKNOWN

    def test_a_read_of_no_list_is_refused(self) -> None:
        with pytest.raises(HistoryError, match="4: expected a list"):
            judged("simple_set", Columns().call(0, "add", 1).call(1, "read", result=7))


class TestSetFull:
    def test_what_was_seen_stays_seen(self) -> None:
        columns = Columns().call(0, "add", 1).call(1, "read", result=[1])
        columns.call(0, "add", 2).call(1, "read", result=[1, 2])
        verdict = judged("set_full", columns)
        assert verdict.validity is VALID
        assert verdict.numbers["stable"] == 2

    def test_an_element_that_no_later_read_has_is_lost(self) -> None:
        columns = Columns().call(0, "add", 1).call(0, "add", 2)
        columns.call(1, "read", result=[1, 2]).call(1, "read", result=[2])
        verdict = judged("set_full", columns)
        assert verdict.validity is VIOLATION
        assert anomalies(verdict) == {"lost"}
        assert [one["line"] for one in verdict.counterexample[0]["operations"]] == [1, 5, 7]

    def test_an_indeterminate_element_that_was_seen_can_be_lost(self) -> None:
        columns = Columns().call(0, "add", 1, outcome="info")
        columns.call(1, "read", result=[1]).call(1, "read", result=[])
        assert judged("set_full", columns).validity is VIOLATION

    def test_a_late_element_is_stale_and_wrong_only_where_reads_are_linearizable(self) -> None:
        columns = Columns().call(0, "add", 1).call(1, "read", result=[])
        columns.call(1, "read", result=[1])
        verdict = judged("set_full", columns)
        assert verdict.validity is VALID
        assert verdict.numbers["stale"] == 1
        verdict = judged("set_full", columns, linearizable=True)
        assert verdict.validity is VIOLATION
        assert anomalies(verdict) == {"stale"}

    def test_a_read_that_overlaps_the_add_may_lack_the_element(self) -> None:
        columns = Columns().line("invoke", 1, "read").call(0, "add", 1)
        columns.line("ok", 1, "read", [])
        verdict = judged("set_full", columns)
        assert verdict.validity is UNKNOWN
        assert verdict.numbers["never_read"] == 1

    def test_a_read_makes_an_element_known_only_when_it_completes(self) -> None:
        columns = Columns().call(0, "add", 1, outcome="info").line("invoke", 1, "read")
        columns.call(2, "read", result=[]).line("ok", 1, "read", [1])
        verdict = judged("set_full", columns)
        assert verdict.validity is UNKNOWN
        assert verdict.numbers["never_read"] == 1

    def test_an_element_twice_in_one_read(self) -> None:
        columns = Columns().call(0, "add", 1).call(1, "read", result=[1, 1])
        assert anomalies(judged("set_full", columns)) == {"repeated"}

    def test_an_element_that_nobody_added_by_then(self) -> None:
        columns = Columns().call(0, "add", 1).call(1, "read", result=[1, "x"])
        assert anomalies(judged("set_full", columns)) == {"unexpected"}
        columns = Columns().call(1, "read", result=[1]).call(0, "add", 1)
        columns.call(1, "read", result=[1])
        verdict = judged("set_full", columns)
        assert verdict.validity is VIOLATION
        assert anomalies(verdict) == {"unexpected"}

    def test_the_stable_latency_is_counted_from_when_the_element_was_known(self) -> None:
        columns = Columns().call(0, "add", 1).call(1, "read", result=[])
        columns.call(1, "read", result=[1])
        for number, line in enumerate(columns.lines):
            line["time"] = number * 1_000_000
        numbers = judged("set_full", columns).numbers
        assert numbers["stable_latency_max_ms"] == 1

    def test_many_reads_of_many_elements_are_looked_at_once(self) -> None:
        columns = Columns()
        for number in range(9000):
            columns.call(0, "add", number)
        for number in range(1000):
            columns.call(1, "read", result=[number])
        verdict = judged("set_full", columns)
        assert verdict.numbers["lost"] == 8999


class TestTotalQueue:
    def test_what_goes_in_comes_out(self) -> None:
        columns = Columns().call(0, "enqueue", 1).call(0, "enqueue", 2).call(0, "enqueue", 3)
        columns.call(1, "dequeue", result=2).call(1, "drain", result=[1, 3])
        assert judged("total_queue", columns).validity is VALID

    def test_what_does_not_come_out_is_lost(self) -> None:
        columns = Columns().call(0, "enqueue", 1).call(0, "enqueue", 1).call(1, "dequeue", result=1)
        verdict = judged("total_queue", columns)
        assert verdict.validity is VIOLATION
        assert anomalies(verdict) == {"lost"}

    def test_what_nobody_put_in_is_unexpected(self) -> None:
        columns = Columns().call(0, "enqueue", 1).call(1, "drain", result=[9, 1, 8])
        verdict = judged("total_queue", columns)
        assert [one["element"] for one in verdict.counterexample] == [9, 8]
        columns = Columns().call(1, "dequeue", result=1).call(0, "enqueue", 1)
        verdict = judged("total_queue", columns)
        assert verdict.validity is VIOLATION
        assert "only later" in verdict.counterexample[0]["text"][0]

    def test_duplicates_are_counted_only(self) -> None:
        columns = Columns().call(0, "enqueue", 1)
        columns.call(1, "dequeue", result=1).call(1, "dequeue", result=1)
        verdict = judged("total_queue", columns)
        assert verdict.validity is VALID
        assert verdict.numbers["duplicated"] == 1

    def test_what_an_unknown_dequeue_may_have_taken_is_not_surely_lost(self) -> None:
        columns = Columns().call(0, "enqueue", 1).call(1, "dequeue", outcome="info")
        verdict = judged("total_queue", columns)
        assert verdict.validity is UNKNOWN
        # What was never answered says no more than what was never asked: nobody drained the queue.
        assert judged("total_queue", columns.call(0, "enqueue", 2)).validity is UNKNOWN
        verdict = judged("total_queue", columns.call(2, "dequeue", outcome="fail"))
        assert verdict.validity is VIOLATION

    def test_what_may_have_been_put_in_is_recovered(self) -> None:
        columns = Columns().call(0, "enqueue", 1, outcome="info").call(1, "dequeue", result=1)
        verdict = judged("total_queue", columns)
        assert verdict.validity is VALID
        assert verdict.numbers["recovered"] == 1

    def test_a_queue_that_nobody_emptied_says_nothing(self) -> None:
        assert judged("total_queue", Columns().call(0, "enqueue", 1)).validity is UNKNOWN
        assert judged("total_queue", Columns().call(0, "drain", result=[])).validity is UNKNOWN


class TestUniqueIds:
    def test_different_ids(self) -> None:
        columns = Columns()
        for result in (1, "1", [1, 2], {"a": 1}):
            columns.call(0, "generate", result=result)
        assert judged("unique_ids", columns).validity is VALID

    def test_equal_ids(self) -> None:
        for one in (7, "x", {"a": 1, "b": 2}):
            columns = Columns().call(0, "generate", result=one).call(1, "generate", result=3)
            verdict = judged("unique_ids", columns.call(1, "generate", result=one))
            assert verdict.validity is VIOLATION
            assert [one["line"] for one in verdict.counterexample[0]["operations"]] == [1, 5]

    def test_an_id_that_was_not_given_out_does_not_count(self) -> None:
        columns = Columns().call(0, "generate", result=1).call(1, "generate", 1, outcome="info")
        assert judged("unique_ids", columns).validity is VALID
        assert judged("unique_ids", Columns()).validity is UNKNOWN

    def test_an_id_that_is_nothing_is_refused(self) -> None:
        with pytest.raises(HistoryError, match="expected an identifier"):
            judged("unique_ids", Columns().call(0, "generate"))


class TestCounter:
    def test_reads_within_bounds(self) -> None:
        columns = Columns().call(0, "add", 3).line("invoke", 1, "add", 2).call(2, "read", result=5)
        columns.call(2, "read", result=3)
        assert judged("counter", columns).validity is VALID

    @pytest.mark.parametrize("read", [2, 6])
    def test_reads_out_of_bounds(self, read: int) -> None:
        columns = Columns().call(0, "add", 3).line("invoke", 1, "add", 2)
        verdict = judged("counter", columns.call(2, "read", result=read))
        assert verdict.validity is VIOLATION
        assert (verdict.counterexample[0]["least"], verdict.counterexample[0]["greatest"]) == (3, 5)

    def test_a_failed_add_does_not_count_and_a_decrement_may(self) -> None:
        columns = Columns().call(0, "add", 3, outcome="fail").call(1, "add", -2, outcome="info")
        assert judged("counter", columns.call(2, "read", result=-2)).validity is VALID
        assert judged("counter", columns.call(2, "read", result=3)).validity is VIOLATION

    def test_the_initial_value_counts(self) -> None:
        columns = Columns().call(2, "read", result=7)
        assert judged("counter", columns, init=7).validity is VALID
        with pytest.raises(RequestError):
            judged("counter", columns, init="7")

    def test_nothing_is_unknown_and_no_number_is_refused(self) -> None:
        assert judged("counter", Columns()).validity is UNKNOWN
        with pytest.raises(HistoryError) as caught:
            judged("counter", Columns().call(0, "add", "1").call(0, "add", "1"))
        assert caught.value.total == 2


class TestBank:
    def test_the_same_total(self) -> None:
        columns = Columns().call(0, "read", result={"a": 5, "b": 5})
        columns.call(0, "transfer", {"from": "a", "to": "b", "amount": 5})
        columns.call(0, "read", result={"a": 0, "b": 10})
        assert judged("bank", columns).validity is VALID
        assert judged("bank", columns, total=9).validity is VIOLATION

    @pytest.mark.parametrize(
        ("balances", "anomaly"),
        [
            ({"a": 5, "b": 6}, "wrong-total"),
            ({"a": -1, "b": 11}, "negative-balance"),
            ({"a": 10, "b": None}, "null-balance"),
            ({"a": 5, "b": 5, "c": 0}, "unexpected-account"),
        ],
    )
    def test_each_anomaly(self, balances: dict[str, Any], anomaly: str) -> None:
        columns = (
            Columns().call(0, "read", result={"a": 5, "b": 5}).call(1, "read", result=balances)
        )
        verdict = judged("bank", columns)
        assert verdict.validity is VIOLATION
        assert anomalies(verdict) == {anomaly}

    def test_debts_may_be_allowed(self) -> None:
        columns = Columns().call(0, "read", result={"a": -1, "b": 11})
        assert judged("bank", columns, negative_balances=True).validity is VALID

    def test_no_read_is_unknown_and_no_balances_are_refused(self) -> None:
        assert judged("bank", Columns().call(0, "read", outcome="info")).validity is UNKNOWN
        assert judged("bank", Columns().call(0, "read", result={"a": None})).validity is VIOLATION
        with pytest.raises(HistoryError) as caught:
            judged("bank", Columns().call(0, "read", result=3).call(0, "read", result={"a": "x"}))
        assert caught.value.total == 2


def read(*seen: tuple[Any, Any]) -> list[list[Any]]:
    return [["r", key, value] for key, value in seen]


class TestLongFork:
    def test_one_order(self) -> None:
        columns = Columns().call(0, "txn", [["w", "x", 1]]).call(1, "txn", [["w", "y", 1]])
        columns.call(2, "txn", result=read(("x", None), ("y", None)))
        columns.call(2, "txn", result=read(("x", 1), ("y", None)))
        columns.call(2, "txn", result=read(("y", 1), ("x", 1)))
        assert judged("long_fork", columns).validity is VALID

    def test_a_fork(self) -> None:
        columns = Columns().call(2, "read", result=read(("x", 1), ("y", None), ("z", 2)))
        columns.call(3, "read", result=read(("z", 2), ("y", 1), ("x", None)))
        verdict = judged("long_fork", columns, group_size=3)
        assert verdict.validity is VIOLATION
        assert anomalies(verdict) == {"long-fork"}
        assert len(verdict.counterexample[0]["operations"]) == 2

    def test_what_the_history_cannot_decide(self) -> None:
        whole = Columns().call(2, "txn", result=read(("x", 1), ("y", 1)))
        assert judged("long_fork", Columns()).validity is UNKNOWN
        assert judged("long_fork", whole, group_size=3).validity is UNKNOWN
        single = Columns().call(2, "txn", result=read(("x", 1)))
        assert judged("long_fork", single).validity is UNKNOWN
        whole.call(0, "txn", [["w", "x", 1]]).call(0, "txn", [["w", "x", 2]])
        assert judged("long_fork", whole).validity is UNKNOWN

    @pytest.mark.parametrize(("second", "validity"), [("ok", UNKNOWN), ("fail", VALID)])
    def test_a_key_that_may_have_been_written_twice_has_no_order(
        self, second: str, validity: Validity
    ) -> None:
        columns = Columns().call(0, "txn", [["w", "x", 1]])
        columns.call(0, "txn", [["w", "x", 2]], outcome=second)
        columns.call(2, "txn", result=read(("x", None), ("y", None)))
        columns.call(2, "txn", result=read(("x", 1), ("y", None)))
        verdict = judged("long_fork", columns)
        assert verdict.validity is validity
        assert ('"x" was written more than once' in verdict.reason) == (second == "ok")

    def test_mixed_transactions_are_refused(self) -> None:
        mixed = [["w", "x", 1], ["r", "y", None]]
        null, both = [["w", "x", None]], [["r", "x", 1], ["r", "y", 1], ["r", "x", None]]
        for value in (mixed, 5, "rw", [[1, 2, 3]], null, both):
            with pytest.raises(HistoryError, match="expected a list of"):
                judged("long_fork", Columns().call(0, "txn", value))


class TestCausalReverse:
    def test_in_the_order_of_time(self) -> None:
        columns = Columns().call(0, "write", 1).call(1, "write", 2).call(2, "read", result=[1])
        assert judged("causal_reverse", columns).validity is VALID

    def test_a_later_write_without_an_earlier_one(self) -> None:
        columns = Columns().call(0, "write", 1).call(1, "write", 2).call(2, "read", result=[2])
        verdict = judged("causal_reverse", columns)
        assert verdict.validity is VIOLATION
        assert verdict.counterexample[0]["missing"] == [1]
        assert [one["line"] for one in verdict.counterexample[0]["operations"]] == [1, 3, 5]

    def test_overlapping_writes_have_no_order(self) -> None:
        columns = Columns().line("invoke", 0, "write", 1).line("invoke", 1, "write", 2)
        columns.line("ok", 0, "write", 1).line("ok", 1, "write", 2)
        assert judged("causal_reverse", columns.call(2, "read", result=[2])).validity is VALID

    def test_what_nobody_wrote(self) -> None:
        columns = Columns().call(0, "write", 1).call(2, "read", result=[1, 2])
        assert anomalies(judged("causal_reverse", columns)) == {"unexpected"}

    def test_nothing_seen_is_unknown(self) -> None:
        columns = Columns().call(0, "write", 1).call(2, "read", result=[])
        assert judged("causal_reverse", columns).validity is UNKNOWN


class TestSequential:
    def test_in_order(self) -> None:
        columns = Columns().call(1, "read", result=[0, ["0_1", "0_0"]])
        columns.call(1, "read", result=[1, [None, "1_0"]]).call(1, "read", result=[2, [None, None]])
        verdict = judged("sequential", columns)
        assert verdict.validity is VALID
        assert (verdict.numbers["all"], verdict.numbers["some"], verdict.numbers["none"]) == (
            1,
            1,
            1,
        )

    def test_an_earlier_part_is_missing(self) -> None:
        verdict = judged("sequential", Columns().call(1, "read", result=[0, ["0_1", None, "0_0"]]))
        assert verdict.validity is VIOLATION
        assert anomalies(verdict) == {"trailing-null"}

    def test_lists_of_keyed_operations(self) -> None:
        columns = (
            Columns().line("invoke", 0, "read", None, "k").line("ok", 0, "read", [2, None], "k")
        )
        assert judged("sequential", columns).validity is VIOLATION

    def test_nothing_seen_is_unknown_and_another_value_is_refused(self) -> None:
        columns = Columns().call(1, "read", result=[0, [None, None]])
        assert judged("sequential", columns).validity is UNKNOWN
        with pytest.raises(HistoryError, match=r"expected \[key"):
            judged("sequential", Columns().call(1, "read", result=7))


class TestMonotonic:
    def test_rows_in_order(self) -> None:
        columns = Columns().call(0, "add", result={"val": 1, "sts": 10})
        columns.call(0, "add", result={"val": 2, "sts": 20})
        columns.call(1, "read", result=[{"val": 1, "sts": 10}, {"val": 2, "sts": 20}])
        assert judged("monotonic", columns).validity is VALID

    @pytest.mark.parametrize(
        ("rows", "anomaly"),
        [
            ([[2, 10], [1, 20]], "value-order"),
            ([[1, 20], [2, 10]], "time-order"),
            ([[1, 10], [1, 10], [2, 20]], "duplicated"),
            ([[1, 10], [3, 20]], "lost"),
            ([[1, 10], [2, 20], [4, 30]], "revived"),
        ],
    )
    def test_each_anomaly_of_rows(self, rows: list[Any], anomaly: str) -> None:
        columns = Columns().call(0, "add", 1).call(0, "add", 2).call(0, "add", 4, outcome="fail")
        verdict = judged("monotonic", columns.call(1, "read", result=rows))
        assert verdict.validity is VIOLATION
        assert anomaly in anomalies(verdict)

    def test_where_the_database_chooses_the_value_an_invocation_does_not_say_it(self) -> None:
        columns = (
            Columns().call(0, "add", 0, {"val": 7, "sts": 1}).call(0, "add", 8, outcome="fail")
        )
        columns.call(0, "add", 2, {"val": 8, "sts": 2}).call(1, "read", result=[[7, 1], [8, 2]])
        assert judged("monotonic", columns).validity is VALID

    def test_a_counter(self) -> None:
        columns = Columns().call(0, "inc", result=[10, 1]).call(1, "read", result=[11, 1])
        columns.call(0, "inc", result=[12, 2]).call(1, "read", result=[13, 2])
        assert judged("monotonic", columns).validity is VALID

    @pytest.mark.parametrize(
        ("f", "result", "anomaly"),
        [
            ("read", [13, 0], "value-decreased"),
            ("read", [9, 2], "time-decreased"),
            ("read-at", [13, 0], "value-order"),
        ],
    )
    def test_each_anomaly_of_a_counter(self, f: str, result: Any, anomaly: str) -> None:
        columns = Columns().call(0, "inc", result=[10, 1]).call(0, "inc", result=[12, 2])
        verdict = judged("monotonic", columns.call(0, f, result=result))
        assert verdict.validity is VIOLATION
        assert anomaly in anomalies(verdict)

    def test_nothing_to_compare_is_unknown_and_other_values_are_refused(self) -> None:
        assert judged("monotonic", Columns().call(0, "inc", result=1)).validity is UNKNOWN
        assert judged("monotonic", Columns().call(0, "add", 1)).validity is UNKNOWN
        with pytest.raises(HistoryError):
            judged("monotonic", Columns().call(0, "inc", result="x"))
        with pytest.raises(HistoryError):
            judged("monotonic", Columns().call(0, "add", 1).call(0, "read", result=["x"]))
        with pytest.raises(HistoryError):  # an add says that a read is of rows, whatever it returns
            judged("monotonic", Columns().call(0, "add", 1).call(0, "read", result=1))

    def test_times_that_are_no_numbers_come_after_those_that_are(self) -> None:
        rows = [[1, "9"], [2, "10"], [3, "10.5"], [4, "12Z"], [5, "9Z"]]
        assert judged("monotonic", Columns().call(0, "read", result=rows)).validity is VALID
        verdict = judged("monotonic", Columns().call(0, "read", result=[[1, "1.5Z"], [2, "2"]]))
        assert anomalies(verdict) == {"time-order"}


class TestKeys:
    def two_sets(self, second: list[int]) -> Columns:
        columns = Columns()
        for key, elements in (("a", [1, 2, 3]), ("b", second)):
            for element in (1, 2, 3) if key == "a" else (4, 5, 6):
                columns.line("invoke", 0, "add", element, key).line("ok", 0, "add", element, key)
            columns.line("invoke", 1, "read", None, key).line("ok", 1, "read", elements, key)
        return columns

    def test_a_single_operation_that_has_one(self) -> None:
        columns = Columns().line("invoke", 0, "read", None, "a").line("ok", 0, "read", 5, "a")
        assert judged("counter", columns).validity is VIOLATION

    @pytest.mark.parametrize("model", ["simple_set", "set_full"])
    def test_each_key_is_a_set_of_its_own(self, model: str) -> None:
        assert judged(model, self.two_sets([4, 5, 6])).validity is VALID
        verdict = judged(model, self.two_sets([5, 6]))
        assert verdict.validity is VIOLATION
        assert verdict.counterexample[0]["key"] == "b"
        assert judged(model, self.two_sets([1, 4, 5, 6])).validity is VIOLATION


@pytest.mark.parametrize(
    ("there", "validity"),
    [([1, 2, 3], VALID), ([1, 1, 2, 3], VALID), ([1, 3], VIOLATION), ([1, 1, 3], VIOLATION)],
)
def test_a_write_that_is_seen_twice_does_not_stand_for_another(
    there: list[int], validity: Validity
) -> None:
    columns = Columns()
    for value in (1, 2, 3):
        columns.call(0, "write", value)
    assert judged("causal_reverse", columns.call(1, "read", result=there)).validity is validity


@pytest.mark.parametrize(
    ("keys", "validity"), [("abab", VALID), ("aaaa", VIOLATION), ((*"aba", None), VIOLATION)]
)
def test_each_key_is_judged_by_itself_where_every_operation_has_one(
    keys: tuple[str | None, ...], validity: Validity
) -> None:
    """The last read of all lacks an element that is another key's."""
    columns = Columns()
    for (f, value), key in zip(
        (("add", 1), ("add", 2), ("read", [1]), ("read", [2])), keys, strict=True
    ):
        columns.line("invoke", 0, f, value if f == "add" else None, key)
        columns.line("ok", 0, f, value, key)
    assert judged("simple_set", columns).validity is validity


@pytest.mark.parametrize("value", [2**63, -(2**63), 3**63, 2**64])
def test_elements_beyond_64_bits_are_told_apart(value: int) -> None:
    columns = Columns().call(0, "add", value).call(0, "add", value + 1)
    both = columns.call(1, "read", result=[value, value + 1])
    assert judged("simple_set", both).validity is VALID
    one = columns.call(1, "read", result=[value])
    assert judged("simple_set", one).validity is VIOLATION
