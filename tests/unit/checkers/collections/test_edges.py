"""What decides a verdict in histories that are seldom drawn, each beside its twin."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from testbed.checkers.request import Request
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.problem import HistoryError
from tests.columns import Columns

VALID, UNKNOWN, VIOLATION = Validity.VALID, Validity.UNKNOWN, Validity.VIOLATION


def judged(model: str, columns: Columns, **params: Any) -> Verdict:
    module = importlib.import_module(f"testbed.checkers.collections.{model}")
    verdict: Verdict = module.check(columns.table(), Request(params=params))
    return verdict


class TestSets:
    @pytest.mark.parametrize(
        ("added", "read"),
        [
            ([{"a": 1, "b": 2}], [{"b": 2, "a": 1}]),
            ([{"a": 2**70, "b": 2}], [{"b": 2, "a": 2**70}]),
            ([None], [None]),
        ],
    )
    def test_an_element_is_what_it_says(self, added: list[Any], read: list[Any]) -> None:
        columns = Columns()
        for element in added:
            columns.call(0, "add", element)
        assert judged("simple_set", columns.call(1, "read", result=read)).validity is VALID

    def test_an_integer_between_two_elements_is_none_of_them(self) -> None:
        columns = Columns().call(0, "add", 0).call(0, "add", 10**6)
        columns.call(1, "read", result=[0, 5, 10**6])
        assert judged("simple_set", columns).validity is VIOLATION

    def test_reads_have_their_own_lists_whichever_ends_first(self) -> None:
        columns = Columns().call(0, "add", 1).line("invoke", 1, "read")
        columns.call(2, "read", result=[1]).call(2, "read", result=[1])
        columns.line("ok", 1, "read", [])
        assert judged("set_full", columns).validity is VALID
        assert judged("set_full", columns, linearizable=True).validity is VIOLATION

    def test_a_read_on_the_first_line_may_have_what_is_added_during_it(self) -> None:
        columns = Columns().line("invoke", 1, "read").call(0, "add", 1)
        assert judged("set_full", columns.line("ok", 1, "read", [1])).validity is VALID

    def test_a_later_read_that_lacks_an_element_counts_though_another_ended_too_soon(self) -> None:
        """The first of them ended before the add, the second one did not."""
        columns = Columns().line("invoke", 1, "read").call(2, "read", result=[])
        columns.line("invoke", 0, "add", 1).call(2, "read", result=[])
        columns.line("ok", 1, "read", [1]).line("ok", 0, "add", 1)
        assert judged("set_full", columns).validity is UNKNOWN
        twin = Columns().line("invoke", 1, "read").call(2, "read", result=[])
        twin.line("invoke", 0, "add", 1).line("ok", 1, "read", [1]).line("ok", 0, "add", 1)
        assert judged("set_full", twin).validity is VALID

    def test_an_element_is_stale_also_beside_one_that_was_never_read(self) -> None:
        columns = Columns().call(3, "add", 1, outcome="info").call(0, "add", 2)
        columns.call(1, "read", result=[]).call(1, "read", result=[2])
        assert judged("set_full", columns, linearizable=True).validity is VIOLATION
        assert judged("set_full", columns).validity is VALID


def test_what_was_neither_dequeued_nor_drained_is_lost() -> None:
    columns = Columns()
    for value in (1, 2, 3):
        columns.call(0, "enqueue", value)
    columns.call(1, "dequeue", result=1)
    assert judged("total_queue", columns.call(1, "drain", result=[2])).validity is VIOLATION


class TestCounter:
    @pytest.mark.parametrize(("read", "validity"), [(2, VALID), (5, VIOLATION), (8, VIOLATION)])
    def test_what_was_surely_taken_away_is_gone(self, read: int, validity: Validity) -> None:
        columns = Columns().call(0, "add", 5).call(0, "add", -3).call(1, "read", result=read)
        assert judged("counter", columns).validity is validity

    @pytest.mark.parametrize("read", [0, 1, 2**70])
    def test_a_long_amount_beside_short_reads(self, read: int) -> None:
        columns = Columns().call(0, "add", 2**70, outcome="info").call(1, "read", result=read)
        assert judged("counter", columns).validity is VALID
        columns = Columns().call(0, "add", 2**70).call(1, "read", result=read)
        wrong = VALID if read == 2**70 else VIOLATION
        assert judged("counter", columns).validity is wrong
        columns = Columns().call(0, "add", 1).call(1, "read", result=2**70)
        assert judged("counter", columns).validity is VIOLATION

    def test_a_read_of_no_number_is_refused(self) -> None:
        with pytest.raises(HistoryError, match="4: expected a whole number"):
            judged("counter", Columns().call(0, "add", 5).call(1, "read", result="5"))


def test_a_balance_that_is_no_number_is_refused() -> None:
    columns = Columns().call(0, "read", result={"a": 1, "b": 2})
    with pytest.raises(HistoryError, match="4: expected an object of whole numbers"):
        judged("bank", columns.call(0, "read", result={"a": 1, "b": "2"}))


def test_a_write_is_missed_whatever_the_order_of_the_list() -> None:
    columns = Columns().call(0, "write", 3).call(0, "write", 2).call(0, "write", 1)
    assert judged("causal_reverse", columns.call(1, "read", result=[1, 3])).validity is VIOLATION
    columns = Columns().call(0, "write", 3).call(0, "write", 1).call(0, "write", 2)
    assert judged("causal_reverse", columns.call(1, "read", result=[1, 3])).validity is VALID


class TestLongFork:
    WRITES = Columns().call(0, "txn", [["w", 1, 1]]).call(0, "txn", [["w", 2, 1]]).lines

    def after(self, *more: tuple[str, Any]) -> Verdict:
        columns = Columns([*self.WRITES])
        for process, (outcome, value) in enumerate(more):
            columns.call(process + 1, "txn", value, outcome=outcome)
        return judged("long_fork", columns)

    BOTH = ("ok", [["r", 1, 1], ["r", 2, 1]])

    def test_reads_of_some_groups_are_compared_though_others_have_one_key(self) -> None:
        assert self.after(self.BOTH, ("ok", [["r", 1, 1]])).validity is VALID
        assert self.after(("ok", [["r", 1, 1]])).validity is UNKNOWN

    def test_a_key_with_two_values_was_written_twice(self) -> None:
        verdict = self.after(self.BOTH, ("ok", [["r", 1, 2], ["r", 2, 1]]))
        assert verdict.validity is UNKNOWN
        assert "key 1 had two values, 1 and 2: it was written twice" in verdict.reason
        only = ("ok", [["r", 1, 2], ["r", 2, 1]])
        assert self.after(only).validity is UNKNOWN
        assert self.after(self.BOTH, ("info", [["w", 1, 2]])).validity is UNKNOWN
        assert self.after(self.BOTH, ("fail", [["w", 1, 2]])).validity is VALID
        first = Columns().call(9, "txn", [["w", 1, 2]], outcome="info")
        columns = Columns([*first.lines, *self.WRITES]).call(1, "txn", self.BOTH[1])
        assert judged("long_fork", columns).validity is UNKNOWN

    def test_what_was_not_acknowledged_need_not_say_what_it_is(self) -> None:
        assert self.after(self.BOTH, ("info", None), ("fail", None)).validity is VALID
        with pytest.raises(HistoryError, match="expected a list"):
            self.after(self.BOTH, ("ok", None))

    @pytest.mark.parametrize("bad", [["r", 1], 5, {"r": 1}])
    def test_one_bad_operation_among_good_ones_is_refused(self, bad: Any) -> None:
        with pytest.raises(HistoryError, match="expected a list"):
            self.after(("ok", [["r", 1, 1], bad]))


class TestMonotonic:
    def test_a_time_may_be_seen_twice(self) -> None:
        columns = Columns().call(0, "read", result=[5, 1]).call(0, "read", result=[5, 2])
        assert judged("monotonic", columns).validity is VALID
        assert judged("monotonic", columns.call(0, "read", result=[4, 2])).validity is VIOLATION

    def test_times_of_two_kinds_are_refused(self) -> None:
        columns = Columns().call(0, "read", result=[5, 1]).call(0, "read", result=["6", 2])
        with pytest.raises(HistoryError, match="all numbers or all text"):
            judged("monotonic", columns)


class TestMonotonicRows:
    def rows(self, rows: list[Any], *adds: tuple[Any, Any, str]) -> Verdict:
        columns = Columns()
        for asked, said, outcome in adds or ((1, 1, "ok"), (2, 2, "ok")):
            columns.line("invoke", 0, "add", asked).line(outcome, 0, "add", said)
        return judged("monotonic", columns.call(1, "read", result=rows))

    def test_fewer_than_two_rows_say_nothing(self) -> None:
        assert self.rows([[1, 5]], (1, 1, "ok")).validity is UNKNOWN
        assert self.rows([[1, 5], [2, 6]]).validity is VALID
        assert judged("monotonic", Columns().call(0, "read", result=[[1, 5]])).validity is UNKNOWN

    def test_two_rows_may_have_one_time_or_none(self) -> None:
        assert self.rows([[1, 5], [2, 5]]).validity is VALID
        assert self.rows([[1, None], [2, 5]]).validity is VALID
        assert self.rows([[1, 5], [2, None]]).validity is VALID
        assert self.rows([[1, 5], [2, 4]]).validity is VIOLATION

    def test_where_the_database_says_the_value_an_invocation_does_not(self) -> None:
        """It counts operations: the add that failed was to be the second one, not to add 2."""
        adds = [(1, 20, "ok"), (2, 2, "fail"), (3, None, "info")]
        assert self.rows([[2, 5], [20, 6]], *adds).validity is VALID
        chosen = [(20, 20, "ok"), (2, 2, "fail")]
        assert self.rows([[2, 5], [20, 6]], *chosen).validity is VIOLATION

    def test_a_value_that_was_asked_for_again_counts_by_what_surely_happened(self) -> None:
        again = [(1, 1, "ok"), (1, 1, "fail"), (2, 2, "ok")]
        assert self.rows([[1, 5], [2, 6]], *again).validity is VALID
        sure = [(1, 1, "info"), (1, 1, "ok"), (2, 2, "ok"), (3, 3, "ok")]
        assert self.rows([[2, 5], [3, 6]], *sure).validity is VIOLATION
        assert self.rows([[2, 5], [3, 6]], *sure[:1], *sure[2:]).validity is VALID

    @pytest.mark.parametrize("rows", [[[1, 5], [2, "6"]], [[1, True], [2, 5]], [[1, [5]], [2, 6]]])
    def test_times_that_cannot_be_compared_are_refused(self, rows: list[Any]) -> None:
        with pytest.raises(HistoryError, match="all times numbers or all text"):
            self.rows(rows)

    def test_an_add_that_says_no_number_is_refused(self) -> None:
        with pytest.raises(HistoryError, match="of an 'add'"):
            self.rows([[1, 5], [2, 6]], (1, 1, "ok"), (2, "two", "ok"))


@pytest.mark.parametrize(
    ("parts", "validity"), [(["a", None], VIOLATION), ([None, "b"], VALID), ([None, None], UNKNOWN)]
)
def test_two_parts_of_a_key_that_the_operation_names(parts: list[Any], validity: Validity) -> None:
    columns = Columns().line("invoke", 0, "read", None, key=7).line("ok", 0, "read", parts, key=7)
    assert judged("sequential", columns).validity is validity
