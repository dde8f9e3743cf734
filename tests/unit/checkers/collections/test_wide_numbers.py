"""Whole numbers of any length, and times in every spelling, in models of collections."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.checkers.collections import bank, counter, monotonic
from testbed.checkers.request import Request
from testbed.checkers.verdict import Validity, Verdict
from tests.unit.checkers.linearizability.tables import table

WIDE = 2**62
HUGE = 10**400


def done(*operations: tuple[str, Any, Any], process: int = 0) -> Any:
    return table(
        *(
            line
            for f, asked, said in operations
            for line in ((process, "invoke", f, asked), (process, "ok", f, said))
        )
    )


def counted(amounts: list[int], read: int, init: int | None = None) -> Verdict:
    adds = [("add", amount, amount) for amount in amounts]
    return counter.check(done(*adds, ("read", None, read)), Request(init=init))


@pytest.mark.parametrize(
    ("amounts", "init"),
    [([WIDE, WIDE], 5), ([-WIDE, -WIDE, -WIDE], None), ([HUGE, -1], 0), ([1], HUGE)],
    ids=["wide", "wide below zero", "huge", "huge at first"],
)
def test_sums_of_a_counter_are_exact_however_long(amounts: list[int], init: int | None) -> None:
    total = (init or 0) + sum(amounts)
    assert counted(amounts, total, init).validity == Validity.VALID
    for wrong in (total - 1, total + 1, total - 2**64, total + 2**64):
        verdict = counted(amounts, wrong, init)
        assert verdict.validity == Validity.VIOLATION
        assert verdict.counterexample[0]["least"] == total


def test_balances_add_up_however_long() -> None:
    right, wrong = {"a": HUGE, "b": 1}, {"a": HUGE, "b": 2}
    assert bank.check(done(("read", None, right)), Request()).validity == Validity.VALID
    verdict = bank.check(done(("read", None, right), ("read", None, wrong)), Request())
    assert verdict.validity == Validity.VIOLATION


@pytest.mark.parametrize("between", [[2], [None, 2]])
def test_a_time_is_compared_with_the_last_one_that_was_said(between: list[Any]) -> None:
    said = 2 if between == [2] else between
    counter_reads = done(("read", None, [5, 1]), ("read", None, said), ("read", None, [4, 3]))
    assert monotonic.check(counter_reads, Request()).validity == Validity.VIOLATION
    rows = [[1, 5], 2, [3, 4]]
    assert monotonic.check(done(("read", None, rows)), Request()).validity == Validity.VIOLATION


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("9", "10"),
        ("9.5", "12.5"),
        ("12", "12.5"),
        ("-5", "-3"),
        ("-0.5", "1"),
        ("999", "1E+3"),
        ("9.5M", "12.25M"),
        (f"{10**30}.1", f"{10**30}.2"),
        ("2019-04-09T18:40:12Z", "2019-04-09T18:40:12.500Z"),
        ("12.5Z", "12.50001Z"),
    ],
)
def test_times_as_text_sort_as_the_times_do(before: str, after: str) -> None:
    def seen(*times: str) -> Verdict:
        reads = [("read", None, [time, value]) for value, time in enumerate(times)]
        return monotonic.check(done(*reads), Request())

    assert seen(before, after).validity == Validity.VALID
    assert seen(after, before).validity == Validity.VIOLATION
