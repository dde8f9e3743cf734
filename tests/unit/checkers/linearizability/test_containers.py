"""Queues, stacks and texts: cases made by hand."""

from __future__ import annotations

from typing import Any
from unittest import mock

import numpy as np
import pytest

from testbed.checkers.budget import Budget
from testbed.checkers.linearizability import kv_append, queue, stack, stack_peel
from testbed.checkers.linearizability.container import Container
from testbed.checkers.linearizability.stack_peel import core, leftover
from testbed.checkers.request import Request, RequestError
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.problem import HistoryError
from tests.unit.checkers.linearizability.tables import table


def run(*operations: tuple[str, Any]) -> list[tuple[Any, ...]]:
    """One operation after the other by one process; dequeue, pop and read saw the value."""
    lines: list[tuple[Any, ...]] = []
    for f, value in operations:
        asked = None if f in ("dequeue", "pop", "read") else value
        lines += [(0, "invoke", f, asked), (0, "ok", f, value)]
    return lines


def anomaly(verdict: Verdict) -> str:
    assert verdict.validity == Validity.VIOLATION
    name: str = verdict.counterexample[0]["anomaly"]
    return name


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([("enqueue", 1), ("enqueue", 2), ("dequeue", 2), ("dequeue", 1)], "order"),
        ([("enqueue", 1), ("enqueue", 2), ("dequeue", 2)], "order"),
        ([("enqueue", 1), ("dequeue", 1), ("dequeue", 1)], "duplicate"),
        ([("dequeue", 1)], "unexpected-value"),
        ([("dequeue", 1), ("enqueue", 1)], "future-value"),
        ([("enqueue", 1), ("dequeue", None)], "not-empty"),
    ],
)
def test_each_violation_of_a_queue_has_its_name(operations: Any, expected: str) -> None:
    assert anomaly(queue.check(table(*run(*operations)), Request())) == expected


def test_a_dequeue_of_unknown_outcome_may_have_taken_one_value_but_not_two() -> None:
    lost = run(("enqueue", 1), ("enqueue", 2), ("enqueue", 3))
    unknown = [(5, "invoke", "dequeue", None), (5, "info", "dequeue", None)]
    assert (
        queue.check(table(*lost, *unknown, *run(("dequeue", 2))), Request()).validity
        == Validity.VALID
    )
    assert anomaly(queue.check(table(*lost, *unknown, *run(("dequeue", 3))), Request())) == "lost"


def test_of_several_that_went_in_at_once_the_one_that_stays_is_overtaken() -> None:
    both = [(0, "invoke", "enqueue", 1), (1, "invoke", "enqueue", 2)]
    both += [(1, "ok", "enqueue", 2), (0, "ok", "enqueue", 1)]
    lines = [*both, *run(("enqueue", 3), ("dequeue", 2), ("dequeue", 3))]
    assert anomaly(queue.check(table(*lines), Request())) == "order"
    lines = [*both, *run(("enqueue", 3), ("dequeue", 2), ("dequeue", 1), ("dequeue", 3))]
    assert queue.check(table(*lines), Request()).validity == Validity.VALID


def test_of_several_that_went_in_at_once_none_is_overtaken_by_another() -> None:
    both = [(0, "invoke", "enqueue", 3), (1, "invoke", "enqueue", 4)]
    both += [(1, "ok", "enqueue", 4), (0, "ok", "enqueue", 3)]
    for first, second in ((3, 4), (4, 3)):
        lines = [*run(("enqueue", 1)), *both]
        lines += run(("dequeue", 1), ("dequeue", first), ("dequeue", second))
        assert queue.check(table(*lines), Request()).validity == Validity.VALID


def test_what_was_taken_before_a_queue_was_found_empty_was_within_by_then() -> None:
    unknown = [(5, "invoke", "dequeue", None), (5, "info", "dequeue", None)]
    emptied = [*run(("enqueue", 1)), *unknown, *run(("dequeue", None))]
    assert queue.check(table(*emptied), Request()).validity == Validity.VALID
    later = run(("enqueue", 2), ("enqueue", 3), ("dequeue", 3))
    assert queue.check(table(*emptied, *later), Request()).validity == Validity.VIOLATION
    assert queue.check(table(*emptied, *later[:-2]), Request()).validity == Validity.VALID
    taken = run(("enqueue", 2), ("enqueue", 3), ("dequeue", 2), ("dequeue", 3))
    assert queue.check(table(*emptied, *taken), Request()).validity == Validity.VALID


def test_what_went_in_by_an_operation_without_an_answer_has_its_place_too() -> None:
    unknown = [(5, "invoke", "enqueue", 1), (5, "info", "enqueue", 1)]
    lines = [*run(("enqueue", 2)), *unknown, *run(("dequeue", 1))]
    assert anomaly(queue.check(table(*lines), Request())) == "order"
    lines = [*unknown, *run(("enqueue", 2)), *run(("dequeue", 1))]
    assert queue.check(table(*lines), Request()).validity == Validity.VALID
    unknown = [(5, "invoke", "push", 1), (5, "info", "push", 1)]
    lines = [*unknown, *run(("push", 2), ("pop", 1), ("pop", None))]
    assert stack.check(table(*lines), Request()).validity == Validity.VIOLATION
    assert stack.check(table(*lines[:-2]), Request()).validity == Validity.VALID


def test_a_stack_is_peeled_in_as_many_turns_as_it_takes() -> None:
    lines = run(*((f, value) for value in range(9) for f in ("push", "pop")))
    with mock.patch.object(stack_peel, "MOMENTS_AT_ONCE", 2):
        assert stack.check(table(*lines), Request()).validity == Validity.VALID
        wrong = [*lines, *run(("push", 10), ("push", 11), ("pop", 10))]
        assert stack.check(table(*wrong), Request()).validity == Validity.VIOLATION


def test_a_dequeue_of_unknown_outcome_may_empty_a_queue_while_it_is_found_empty() -> None:
    lines = [*run(("enqueue", 1)), (0, "invoke", "dequeue", None)]
    lines += [(5, "invoke", "dequeue", None), (0, "ok", "dequeue", None)]
    assert queue.check(table(*lines), Request()).validity == Validity.VALID
    lines[3:] = [(0, "ok", "dequeue", None), (5, "invoke", "dequeue", None)]
    assert queue.check(table(*lines), Request()).validity == Validity.VIOLATION


def test_what_is_within_at_the_beginning_comes_out_first() -> None:
    lines = run(("enqueue", 1), ("dequeue", 8), ("dequeue", 9), ("dequeue", 1), ("dequeue", None))
    assert queue.check(table(*lines), Request(init=[8, 9])).validity == Validity.VALID
    assert queue.check(table(*lines), Request(init=[9, 8])).validity == Validity.VIOLATION
    with pytest.raises(RequestError):
        queue.check(table(*lines), Request(init=3))


def test_what_is_within_at_the_beginning_is_all_that_was_there_before() -> None:
    lines = run(("dequeue", 5), ("enqueue", 1), ("dequeue", 1))
    assert queue.check(table(*lines), Request(init=[5])).validity == Validity.VALID
    lines = run(("dequeue", 5), ("dequeue", 1), ("enqueue", 1))
    assert queue.check(table(*lines), Request(init=[5])).validity == Validity.VIOLATION
    lines = run(("pop", 5), ("pop", 1), ("push", 1))
    assert stack.check(table(*lines), Request(init=[5])).validity == Validity.VIOLATION


def test_null_cannot_go_in() -> None:
    for checker, f in ((queue, "enqueue"), (stack, "push")):
        with pytest.raises(HistoryError, match="1:1"):
            checker.check(table(*run((f, None))), Request())


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([("push", 1), ("push", 2), ("pop", 1), ("pop", 2)], "order"),
        ([("push", 1), ("push", 2), ("pop", 1)], "order"),
        ([("push", 1), ("pop", None)], "not-empty"),
    ],
)
def test_each_violation_of_a_stack_has_its_name(operations: Any, expected: str) -> None:
    assert anomaly(stack.check(table(*run(*operations)), Request())) == expected


def test_the_core_of_a_stack_is_small() -> None:
    count = 40
    begin = 10 * np.arange(count)
    stack_of = Container(
        value=np.arange(count),
        in_start=begin,
        in_end=begin + 1,
        out_start=begin + 2,
        out_end=begin + 3,
        empty_start=begin[:0],
        empty_end=begin[:0],
        loose=begin[:0],
    )
    assert not leftover(stack_of, Budget()).any()
    # The value put in at 110 comes out while the one of 120 is above it.
    stack_of.out_start[11], stack_of.out_end[11] = 125, 126
    stack_of.out_start[12], stack_of.out_end[12] = 127, 128
    assert core(stack_of, Budget()).tolist() == [11, 12]


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([("append", "a;"), ("append", "b;"), ("read", "b;")], "lost-append"),
        ([("append", "a;"), ("read", "")], "lost-append"),
        ([("append", "a;"), ("append", "b;"), ("read", "b;a;")], "order"),
        ([("append", "a;"), ("read", "a")], "unwritten-value"),
        ([("append", "ab"), ("read", "a"), ("read", "ab")], "partial-append"),
        ([("append", "a"), ("append", "b"), ("read", "a"), ("read", "b")], "incompatible-order"),
        ([("append", "a"), ("append", "a"), ("read", "aaa")], "not-linearizable"),
    ],
)
def test_each_violation_of_a_text_has_its_name(operations: Any, expected: str) -> None:
    assert anomaly(kv_append.check(table(*run(*operations)), Request())) == expected


def test_texts_must_be_texts() -> None:
    for foreign in (run(("append", 1)), [(0, "invoke", "append", None)], run(("write", "a"))):
        with pytest.raises(HistoryError):
            kv_append.check(table(*foreign), Request())
    with pytest.raises(RequestError):
        kv_append.check(table(*run(("append", "a"))), Request(init=1))
    silent = ((0, "invoke", "append", "a"), (0, "ok", "append", None))
    assert kv_append.check(table(*silent), Request()).validity == Validity.VALID


def test_a_text_never_loses_what_was_there_at_first() -> None:
    for lost in ("", "a"):
        verdict = kv_append.check(table(*run(("read", lost))), Request(init="b"))
        assert verdict.counterexample[0]["anomaly"] == "incompatible-order"


def test_appends_and_reads_that_failed_say_nothing() -> None:
    failed = ((1, "invoke", "append", "a;"), (1, "fail", "append", "a;"))
    unread = ((2, "invoke", "read", None), (2, "fail", "read", None))
    lines = (*failed, *run(("append", "b;")), *unread, *run(("read", "b;")))
    assert kv_append.check(table(*lines), Request()).validity == Validity.VALID
    seen = (*failed, *run(("read", "a;")))
    assert kv_append.check(table(*seen), Request()).validity == Validity.VIOLATION


def test_of_two_appends_alike_either_may_be_the_one_that_was_read() -> None:
    lines = ((1, "invoke", "append", "a"), *run(("append", "a"), ("read", "a")))
    assert kv_append.check(table(*lines), Request()).validity == Validity.VALID
    twice = (*run(("append", "a")), *run(("append", "a"), ("read", "a")))
    assert kv_append.check(table(*twice), Request()).validity == Validity.VIOLATION


def test_a_lost_append_is_told_with_what_it_ought_to_come_before() -> None:
    lines = run(("append", "a;"), ("append", "b;"), ("read", "b;"), ("read", ""))
    verdict = kv_append.check(table(*lines[:6]), Request())
    shown = [row["line"] for row in verdict.counterexample[0]["operations"]]
    assert shown == [1, 5]


UNKNOWN_DEQUEUE = [(5, "invoke", "dequeue", None), (5, "info", "dequeue", None)]


def test_a_dequeue_of_unknown_outcome_takes_nothing_before_it_began() -> None:
    overtaken = run(("enqueue", 1), ("enqueue", 2), ("dequeue", 2))
    assert anomaly(queue.check(table(*overtaken, *UNKNOWN_DEQUEUE), Request())) == "lost"
    empty = [*run(("enqueue", 1)), *UNKNOWN_DEQUEUE, *run(("dequeue", None))]
    assert queue.check(table(*empty), Request()).validity == Validity.VALID
    late = [*run(("enqueue", 1), ("dequeue", None)), *UNKNOWN_DEQUEUE]
    assert anomaly(queue.check(table(*late), Request())) == "not-empty"
    overfull = [*run(("enqueue", 1), ("enqueue", 2)), *UNKNOWN_DEQUEUE, *run(("dequeue", None))]
    assert anomaly(queue.check(table(*overfull), Request())) == "not-empty"


def test_a_push_that_a_pop_overlaps_may_come_after_it() -> None:
    lines = [
        (0, "invoke", "push", 1),
        (0, "ok", "push", 1),
        (0, "invoke", "push", 2),
        (1, "invoke", "pop", None),
        (1, "ok", "pop", 1),
        (0, "ok", "push", 2),
        (1, "invoke", "pop", None),
        (1, "ok", "pop", 2),
    ]
    assert stack.check(table(*lines), Request()).validity == Validity.VALID
    early = [*lines[:3], lines[5], lines[3], lines[4], *lines[6:]]
    assert anomaly(stack.check(table(*early), Request())) == "order"


def test_values_that_repeat_come_out_at_their_end() -> None:
    ways = {
        (queue, "enqueue", "dequeue"): ([1, 1, 2], [1, 1, 2], [1, 2, 1]),
        (stack, "push", "pop"): ([1, 2, 1], [1, 2, 1], [1, 1, 2]),
    }
    for (checker, puts, takes), (within, right, wrong) in ways.items():
        filled = [(puts, value) for value in within]
        for out, validity in ((right, Validity.VALID), (wrong, Validity.VIOLATION)):
            lines = run(*filled, *((takes, value) for value in out))
            assert checker.check(table(*lines), Request()).validity == validity


def test_what_no_queue_and_no_stack_does_is_refused() -> None:
    for checker, f in ((queue, "push"), (stack, "enqueue")):
        with pytest.raises(HistoryError, match="1:1"):
            checker.check(table(*run((f, 1))), Request())


def test_the_value_that_never_went_in_is_named() -> None:
    verdict = queue.check(
        table(*run(("enqueue", 1), ("enqueue", 2), ("dequeue", 1), ("dequeue", 7))), Request()
    )
    assert verdict.counterexample[0]["text"][0] == "7 was taken out but never put in"
