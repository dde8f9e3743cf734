"""Registers, with and without compare-and-set, and locks: cases made by hand."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from testbed.checkers.budget import Budget, OutOfBudgetError
from testbed.checkers.linearizability import (
    cas_register,
    etcd_cas_register,
    multi_register,
    mutex,
    register,
)
from testbed.checkers.linearizability.calls import NEVER
from testbed.checkers.linearizability.cas_arrays import CAS, PENDING_MAX, READ, SLOT, WRITE
from testbed.checkers.linearizability.cas_problem import CasOperations, problem_of
from testbed.checkers.linearizability.cas_search import decide
from testbed.checkers.request import Request, RequestError
from testbed.checkers.verdict import Validity
from testbed.history.problem import HistoryError
from tests.unit.checkers.linearizability.tables import table, table_of

STALE = (
    (0, "invoke", "write", 1),
    (0, "ok", "write", 1),
    (1, "invoke", "write", 2),
    (1, "ok", "write", 2),
    (2, "invoke", "read", None),
    (2, "ok", "read", 1),
)


def read_of(value: Any) -> tuple[tuple[Any, ...], ...]:
    return ((9, "invoke", "read", None), (9, "ok", "read", value))


def test_a_stale_read_shows_the_two_values_that_contradict() -> None:
    verdict = register.check(table(*STALE), Request())
    assert verdict.validity == Validity.VIOLATION
    (example,) = verdict.counterexample
    assert example["anomaly"] == "value-within-another"
    assert [shown["line"] for shown in example["operations"]] == [1, 3, 5]


@pytest.mark.parametrize(
    ("lines", "anomaly"),
    [
        (read_of(5), "unwritten-value"),
        (((0, "invoke", "write", 5), (0, "fail", "write", 5), *read_of(5)), "unwritten-value"),
        ((*read_of(5), (0, "invoke", "write", 5), (0, "ok", "write", 5)), "future-read"),
        (
            (
                (0, "invoke", "write", 1),
                (0, "ok", "write", 1),
                (1, "invoke", "write", 2),
                (1, "ok", "write", 2),
                *read_of(1),
                *read_of(2),
            ),
            "two-values-at-once",
        ),
    ],
)
def test_each_contradiction_has_its_name(lines: Any, anomaly: str) -> None:
    verdict = register.check(table(*lines), Request())
    assert verdict.validity == Validity.VIOLATION
    assert verdict.counterexample[0]["anomaly"] == anomaly


def test_what_failed_or_was_never_seen_did_not_happen() -> None:
    lines = (
        (0, "invoke", "write", 1),
        (0, "info", "write", 1),
        (1, "invoke", "write", 2),
        (1, "fail", "write", 2),
        *read_of(0),
    )
    assert register.check(table(*lines), Request(init=0)).validity == Validity.VALID


def test_values_of_every_kind_are_told_apart() -> None:
    for value in ("a", [1, 2], [1, 2, 3], True, 1.5, {"a": None}):
        lines = ((0, "invoke", "write", value), (0, "ok", "write", value))
        assert register.check(table(*lines, *read_of(value)), Request()).validity == Validity.VALID
        assert register.check(table(*lines, *read_of(1)), Request()).validity == Validity.VIOLATION


def test_a_key_whose_values_repeat_is_searched() -> None:
    repeated = [(*line, "a") for line in (*STALE, (3, "invoke", "write", 1))]
    alone = [(f"b{who}", *rest, "b") for who, *rest in STALE[:4]]
    verdict = register.check(table_of([*repeated, *alone]), Request())
    assert verdict.validity == Validity.VIOLATION
    assert verdict.numbers["keys_decided_by_search"] == 1
    assert 'key "a"' in verdict.reason


def test_nothing_that_completed_is_unknown() -> None:
    lines = ((0, "invoke", "write", 1), (0, "fail", "write", 1))
    for checker in (register, cas_register, etcd_cas_register):
        assert checker.check(table(*lines), Request()).validity == Validity.UNKNOWN


def test_foreign_functions_and_values_are_refused_with_their_lines() -> None:
    lines = ((0, "invoke", "add", 1), (1, "invoke", "add", 1))
    with pytest.raises(HistoryError) as refused:
        register.check(table(*lines), Request())
    assert [problem.line for problem in refused.value.problems] == [1, 2]
    for value in (None, 1, [1, 2, 3], "ab"):
        with pytest.raises(HistoryError):
            cas_register.check(table((0, "invoke", "cas", value)), Request())
    steps: Any = [["r", "x", 1]]
    foreign: list[tuple[str, Any]] = [("txn", [["x", 1]]), ("txn", None)]
    for f, value in (*foreign, ("txn", "r"), ("read", steps)):
        with pytest.raises(HistoryError):
            multi_register.check(table((0, "invoke", f, value)), Request())
    with pytest.raises(RequestError):
        multi_register.check(table((0, "invoke", "txn", steps)), Request(init=3))
    for wrong in (3, 1, 0.0):  # the last two equal true and false
        with pytest.raises(RequestError):
            mutex.check(table((0, "invoke", "acquire", None)), Request(init=wrong))


def test_a_failed_compare_and_set_is_informative_only_to_etcd() -> None:
    lines = (*STALE[:2], (1, "invoke", "cas", [1, 2]), (1, "fail", "cas", [1, 2]))
    assert cas_register.check(table(*lines), Request()).validity == Validity.VALID
    assert etcd_cas_register.check(table(*lines), Request()).validity == Validity.VIOLATION


def test_what_an_indeterminate_transaction_was_to_read_says_nothing() -> None:
    asked = [["r", "y", 1], ["w", "x", 0]]
    written = [(0, kind, "txn", [["w", "x", 1]]) for kind in ("invoke", "ok")]
    seen = [(0, kind, "txn", [["r", "x", 0]]) for kind in ("invoke", "ok")]
    init = Request(init={"x": 0, "y": 0})
    lines = (*written, (1, "invoke", "txn", asked), *seen)
    assert multi_register.check(table(*lines), init).validity == Validity.VALID
    completed = (*lines[:3], (1, "ok", "txn", asked), *seen)
    assert multi_register.check(table(*completed), init).validity == Validity.VIOLATION
    assert multi_register.check(table(*written, *seen), init).validity == Validity.VIOLATION


def test_a_transaction_may_do_nothing() -> None:
    empty: list[Any] = [(0, kind, "txn", []) for kind in ("invoke", "ok")]
    wrong = [(1, kind, "txn", [["r", "x", 1]]) for kind in ("invoke", "ok")]
    assert multi_register.check(table(*empty), Request()).validity == Validity.VALID
    assert multi_register.check(table(*empty, *wrong), Request()).validity == Validity.VIOLATION


@pytest.mark.parametrize(
    "joins", [[["w", "x", 1], ["w", "y", 1]], [["r", "x", 0], ["w", "y", 1]]], ids=["w", "r"]
)
def test_a_transaction_joins_its_registers(joins: Any) -> None:
    for seen, validity in ((1, Validity.VALID), (0, Validity.VIOLATION)):
        steps = (joins, [["r", "y", seen]])
        lines = [(0, kind, "txn", one) for one in steps for kind in ("invoke", "ok")]
        verdict = multi_register.check(table(*lines), Request(init={"x": 0, "y": 0}))
        assert (verdict.validity, verdict.numbers["parts_judged"]) == (validity, 1)


@pytest.mark.parametrize("name", [1, "1", 1.5, True, [1, "a"]])
def test_a_register_may_have_any_name_and_begins_with_its_value(name: Any) -> None:
    init = {name if isinstance(name, str) else json.dumps(name, separators=(",", ":")): 5}
    for seen, validity in ((5, Validity.VALID), (6, Validity.VIOLATION)):
        read = [(0, kind, "txn", [["r", name, seen]]) for kind in ("invoke", "ok")]
        assert multi_register.check(table(*read), Request(init=init)).validity == validity


def test_the_search_says_how_far_it_got_and_what_blocks() -> None:
    lines = (*STALE[:2], (1, "invoke", "cas", [1, 2]), (2, "invoke", "cas", [1, 3]),
             (1, "ok", "cas", [1, 2]), (2, "ok", "cas", [1, 3]))  # fmt: skip
    (example,) = cas_register.check(table(*lines), Request()).counterexample
    assert example["linearizable_up_to_line"] == 6
    assert example["states"] == ["2"]
    assert example["operations"][0]["value"] == [1, 3]


def test_two_of_a_lock_at_once() -> None:
    lines = ((0, "invoke", "acquire", None), (0, "ok", "acquire", None))
    again = tuple((1, *rest) for _, *rest in lines)
    assert mutex.check(table(*lines, *again), Request()).validity == Validity.VIOLATION
    assert mutex.check(table(*lines), Request(init=True)).validity == Validity.VIOLATION
    assert mutex.check(table(*lines), Request(init=False)).validity == Validity.VALID


def test_more_pending_than_bits_goes_to_the_general_search() -> None:
    many = [(who, "invoke", "write", who % 2) for who in range(80)]
    done = [(who, "ok", "write", who % 2) for who in range(80)]
    reads = (*read_of(1), *read_of(0))
    assert cas_register.check(table_of([*many, *done]), Request(init=0)).validity == Validity.VALID
    verdict = cas_register.check(table_of([*many, *done, *reads]), Request(init=0))
    assert verdict.validity == Validity.VIOLATION


def test_time_that_is_over_is_said() -> None:
    request = Request(init=0, budget=Budget(timeout_s=-1))
    with pytest.raises(OutOfBudgetError, match="put in order"):
        cas_register.check(table(*STALE), request)


def operations(*rows: tuple[int, int, int, int, int]) -> CasOperations:
    code, first, second, start, end = np.array(rows, dtype=np.int64).T
    return CasOperations(code, first, second, start, end, initial=0, names=np.arange(5))


ALIKE = operations(
    (WRITE, 4, -1, 72, 76),
    (WRITE, 0, -1, 74, 109),
    (WRITE, 0, -1, 86, 134),
    (READ, 0, -1, 95, 98),
    (WRITE, 3, -1, 118, 121),
    (CAS, 0, 1, 180, 184),
)


def test_of_alike_writes_the_optional_one_that_returns_first_may_be_the_one_to_use() -> None:
    problem = problem_of(ALIKE)
    assert problem is not None
    assert decide(problem, Budget()).valid


def test_indeterminate_operations_are_used_once_each() -> None:
    rows = [(CAS, 0, 1, 0, int(NEVER)), (WRITE, 0, -1, 1, 2), (READ, 1, -1, 3, 4)]
    again = [(WRITE, 0, -1, 5, 6), (READ, 1, -1, 7, 8)]
    for more, expected in (([], True), (again, False)):
        problem = problem_of(operations(*rows, *more).simplified())
        assert problem is not None
        assert decide(problem, Budget()).valid is expected


@pytest.mark.parametrize(("last", "valid"), [(0, True), (1, False)])
def test_the_last_of_all_bits_says_what_the_others_say(last: int, valid: bool) -> None:
    """As many operations are pending as there are bits, and the one that came last decides."""
    reads = [(READ, 0, -1, at, 200 + at) for at in range(PENDING_MAX - 1)]
    decisive = (READ, last, -1, 100, 101)
    problem = problem_of(operations(*reads, decisive, (WRITE, 1, -1, 102, 103)))
    assert problem is not None
    assert problem.tables.operations[:, SLOT].min() == 0
    assert decide(problem, Budget()).valid is valid


def test_compiled_kernels_decide_as_plain_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    history = table_of([*STALE, *(line for n in range(40) for line in _write_and_read(n))])
    damaged = dataclasses.replace(history, payload=history.payload.copy())
    damaged.payload[-1] += 1
    valid = table_of([line for n in range(40) for line in _write_and_read(n)])
    plain = [register.check(one, Request()) for one in (history, damaged, valid)]
    monkeypatch.setattr("testbed.checkers.kernel.COMPILED_FROM", 1)
    assert [register.check(one, Request()) for one in (history, damaged, valid)] == plain
    assert plain[-1].validity == Validity.VALID


def _write_and_read(number: int) -> tuple[tuple[Any, ...], ...]:
    value = 100 + number
    return (
        (3, "invoke", "write", value),
        (4, "invoke", "read", None),
        (3, "ok", "write", value),
        (4, "ok", "read", value),
    )


@pytest.mark.parametrize(("old", "valid"), [(0, True), (1, False)])
def test_the_general_search_knows_what_a_failed_compare_and_set_saw(old: int, valid: bool) -> None:
    many = [(who, "invoke", "write", who % 2) for who in range(80)]
    done = [(who, "ok", "write", who % 2) for who in range(80)]
    failed = [(9, "invoke", "cas", [old, 5]), (9, "fail", "cas", [old, 5])]
    history = table_of([*many, *done, *read_of(1), *failed])
    verdict = etcd_cas_register.check(history, Request(init=0))
    assert verdict.validity == (Validity.VALID if valid else Validity.VIOLATION)


def all_of(who: int, f: str, value: Any, *key: str, end: str = "ok") -> tuple[Any, ...]:
    asked = None if f == "read" else value
    return ((who, "invoke", f, asked, *key), (who, end, f, value, *key))


@pytest.mark.parametrize(
    ("lines", "text", "shown"),
    [
        # Right after the beginning: the very first operation replaced what was there.
        (
            (*all_of(0, "write", 1), *all_of(9, "read", 0)),
            (
                "the value was 0 from the beginning to line 3, but "
                "all of 1 lies within, in lines 1 to 2"
            ),
            [1, 3],
        ),
        (
            (*all_of(9, "read", 0), *all_of(0, "write", 1), *read_of(0), *read_of(1)),
            (
                "the value was 0 from the beginning to line 5, and "
                "the value was 1 from line 4 to line 7"
            ),
            [3, 5, 7],
        ),
        (
            (*STALE[:4], *read_of(1), *read_of(2)),
            ("the value was 1 from line 2 to line 5, and the value was 2 from line 4 to line 7"),
            [1, 3, 5, 7],
        ),
        (
            STALE,
            ("the value was 1 from line 2 to line 5, but all of 2 lies within, in lines 3 to 4"),
            [1, 3, 5],
        ),
        (
            (
                *all_of(0, "write", 6, "a", end="fail"),
                *all_of(0, "write", 5, "b", end="fail"),
                *all_of(1, "read", None, "a", end="fail"),
                *all_of(9, "read", 5, "a"),
            ),
            'of key "a" is not linearizable: 5, which was read, was never written',
            [7],
        ),
        (
            (
                *all_of(0, "write", 6, "a", end="fail"),
                *all_of(0, "write", 5, "a", end="fail"),
                *all_of(9, "read", 5, "a"),
            ),
            (
                'of key "a" is not linearizable: 5, which was read, was written only by '
                "an operation that failed"
            ),
            [3, 5],
        ),
    ],
)
def test_a_contradiction_is_told_with_its_lines_and_operations(
    lines: Any, text: str, shown: list[int]
) -> None:
    verdict = register.check(table_of(list(lines)), Request(init=0))
    assert verdict.validity == Validity.VIOLATION
    assert verdict.reason.endswith(text)
    (example,) = verdict.counterexample
    assert [operation["line"] for operation in example["operations"]] == shown


def test_a_pending_write_may_be_what_an_indeterminate_compare_and_set_waits_for() -> None:
    """Nobody reads the written value itself, and what is read comes of the two together."""
    lines = (
        (0, "invoke", "write", 5),
        (1, "invoke", "cas", [5, 6]),
        (1, "info", "cas", [5, 6]),
        *read_of(6),
        (0, "ok", "write", 5),
    )
    assert cas_register.check(table(*lines), Request(init=0)).validity == Validity.VALID
    other = ((0, "invoke", "write", 4), *lines[1:-1], (0, "ok", "write", 4))
    assert cas_register.check(table(*other), Request(init=0)).validity == Validity.VIOLATION


@pytest.mark.parametrize("first", [0, 1])
def test_of_two_indeterminate_operations_the_one_that_is_needed_later_is_kept(first: int) -> None:
    """Either makes the first read possible, and only the write can make the second one."""
    unknown = [
        ((10, "invoke", "cas", [0, 1]), (10, "info", "cas", [0, 1])),
        ((11, "invoke", "write", 1), (11, "info", "write", 1)),
    ]
    lines = (*unknown[first], *unknown[1 - first], *read_of(1), *all_of(0, "write", 5), *read_of(1))
    assert cas_register.check(table(*lines), Request(init=0)).validity == Validity.VALID
    more = (*lines, *all_of(0, "write", 6), *read_of(1))
    assert cas_register.check(table(*more), Request(init=0)).validity == Validity.VIOLATION


def test_old_and_new_may_be_lists() -> None:
    lines = (*all_of(0, "write", [1]), *all_of(0, "cas", [[1], [2]]), *read_of([2]))
    assert cas_register.check(table(*lines), Request()).validity == Validity.VALID
    stale = (*lines[:-2], *read_of([1]))
    assert cas_register.check(table(*stale), Request()).validity == Validity.VIOLATION
    for wrong in ([[1], [2], [3]], [[1]], {"old": 1}):
        with pytest.raises(HistoryError, match=r"expected \[old, new\]"):
            cas_register.check(table((0, "invoke", "cas", wrong)), Request())


def test_a_value_that_looks_like_old_and_new_is_one_value() -> None:
    pair = [[1], [2]]
    lines = (*all_of(0, "write", pair), *read_of(pair), *all_of(0, "cas", [pair, 5]), *read_of(5))
    assert cas_register.check(table(*lines), Request()).validity == Validity.VALID
    stale = (*lines, *read_of(pair))
    assert cas_register.check(table(*stale), Request()).validity == Validity.VIOLATION


def test_of_what_failed_only_a_compare_and_set_of_etcd_says_something() -> None:
    for f, value in (("write", 1), ("read", 1)):
        failed = ((0, "invoke", f, value), (0, "fail", f, value))
        verdict = etcd_cas_register.check(table(*failed, *read_of(1)), Request(init=0))
        assert verdict.validity == Validity.VIOLATION
        verdict = etcd_cas_register.check(table(*failed, *read_of(0)), Request(init=0))
        assert verdict.validity == Validity.VALID


def test_a_write_without_an_answer_may_be_why_a_compare_and_set_failed() -> None:
    unknown = ((0, "invoke", "write", 1), (0, "info", "write", 1))
    failed = ((1, "invoke", "cas", [0, 2]), (1, "fail", "cas", [0, 2]))
    for lines, validity in (((*unknown, *failed), Validity.VALID), (failed, Validity.VIOLATION)):
        verdict = etcd_cas_register.check(table(*lines), Request(init=0))
        assert verdict.validity == validity


@pytest.mark.parametrize(("seen", "valid"), [(0, True), (1, True), (3, False)])
def test_a_write_that_another_hid_may_be_why_a_compare_and_set_failed(
    seen: int, valid: bool
) -> None:
    lines = (
        (0, "invoke", "write", 1),
        (1, "invoke", "write", 0),
        (2, "invoke", "cas", [0, 2]),
        (1, "ok", "write", 0),
        (2, "fail", "cas", [0, 2]),
        *read_of(seen),
        (0, "ok", "write", 1),
    )
    verdict = etcd_cas_register.check(table(*lines), Request(init=0))
    assert verdict.validity == (Validity.VALID if valid else Validity.VIOLATION)
