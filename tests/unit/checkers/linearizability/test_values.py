"""What a value is: very low integers, null that was read, and who has written null."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.checkers.linearizability import cas_register, multi_register, queue, register
from testbed.checkers.request import Request
from testbed.checkers.verdict import Validity
from tests.unit.checkers.linearizability.tables import table

LOWEST = -(2**63)
READ_NULL = ((9, "invoke", "read", None, "x"), (9, "ok", "read", None, "x"))
REGISTERS = [register, cas_register]


def done(f: str, value: Any, result: Any = None) -> tuple[tuple[Any, ...], ...]:
    return ((0, "invoke", f, value), (0, "ok", f, value if result is None else result))


def nulled(kind: str, f: str, value: Any, key: str) -> tuple[tuple[Any, ...], ...]:
    return ((0, "invoke", f, value, key), (0, kind, f, value, key))


@pytest.mark.parametrize("low", range(LOWEST + 1, LOWEST + 5))
@pytest.mark.parametrize("checker", REGISTERS)
def test_a_very_low_integer_is_a_value_like_others(checker: Any, low: int) -> None:
    mixed = (*done("write", "a"), *done("read", None, "a"), *done("write", low))
    assert checker.check(table(*mixed, *done("read", None, low)), Request()).validity == 0
    wrong = checker.check(table(*mixed, *done("read", None, "a")), Request())
    assert wrong.validity == Validity.VIOLATION


@pytest.mark.parametrize("low", range(LOWEST + 1, LOWEST + 5))
def test_a_very_low_initial_value_is_no_other_value(low: int) -> None:
    read, taken = done("read", None, "a"), done("dequeue", None, "a")
    for checker in REGISTERS:
        verdict = checker.check(table(*read), Request(init=low))
        assert verdict.validity == Validity.VIOLATION
    assert queue.check(table(*taken), Request(init=[low])).validity == Validity.VIOLATION


@pytest.mark.parametrize("value", [*range(-(2**62) - 1, -(2**62) + 2), 2**63 - 1, 2**63, 2**64])
def test_an_initial_value_is_the_one_that_is_read(value: int) -> None:
    taken = table(*done("dequeue", None, value))
    assert queue.check(taken, Request(init=[value])).validity == Validity.VALID
    for checker in REGISTERS:
        read = table(*done("read", None, value), *done("write", 3))
        assert checker.check(read, Request(init=value)).validity == Validity.VALID
        assert checker.check(read, Request(init=5)).validity == Validity.VIOLATION
    swap = table(*done("write", 3), *done("cas", [3, value]), *done("read", None, value))
    assert cas_register.check(swap, Request()).validity == Validity.VALID


@pytest.mark.parametrize("low", range(LOWEST + 1, LOWEST + 5))
def test_a_very_low_integer_in_a_pair_or_a_transaction_is_no_other_value(low: int) -> None:
    swap = (*done("read", None, "a"), *done("cas", [low, 7]))
    verdict = cas_register.check(table(*swap), Request(init="a"))
    assert verdict.validity == Validity.VIOLATION
    steps = (*done("txn", [["w", "x", low]]), *done("txn", [["r", "x", "a"]]))
    assert multi_register.check(table(*steps), Request()).validity == Validity.VIOLATION
    kept = (*done("write", low), *done("cas", [low, 7]), *done("read", None, 7))
    assert cas_register.check(table(*kept), Request()).validity == Validity.VALID


@pytest.mark.parametrize("checker", REGISTERS)
@pytest.mark.parametrize(("kind", "key"), [("fail", "x"), ("ok", "y")])
def test_null_says_nothing_where_nobody_can_have_written_it(
    checker: Any, kind: str, key: str
) -> None:
    history = table(*nulled(kind, "write", None, key), *READ_NULL)
    assert checker.check(history, Request(init=1)).validity == Validity.VALID


@pytest.mark.parametrize("kind", ["ok", "info"])
@pytest.mark.parametrize(("f", "value"), [("write", None), ("cas", [1, None]), ("cas", ["", None])])
def test_null_is_a_value_where_somebody_may_have_written_it(kind: str, f: str, value: Any) -> None:
    history = table(*READ_NULL, *nulled(kind, f, value, "x"))
    assert cas_register.check(history, Request(init=1)).validity == Validity.VIOLATION


@pytest.mark.parametrize("checker", REGISTERS)
def test_null_is_a_value_where_it_is_the_first(checker: Any) -> None:
    wrote = nulled("ok", "write", 1, "x")
    assert checker.check(table(*READ_NULL, *wrote), Request()).validity == Validity.VALID
    assert checker.check(table(*wrote, *READ_NULL), Request()).validity == Validity.VIOLATION


def test_null_says_nothing_beside_a_compare_and_set_of_other_values() -> None:
    history = table(*nulled("ok", "cas", [1, 2], "x"), *READ_NULL)
    assert cas_register.check(history, Request(init=1)).validity == Validity.VALID


def test_pairs_are_values_where_they_are_written() -> None:
    pair = (*done("write", [5, 6]), *done("read", None, [5, 6]))
    assert cas_register.check(table(*pair), Request()).validity == Validity.VALID
    other = (*done("write", [5, 6]), *done("read", None, 0))
    assert cas_register.check(table(*other), Request()).validity == Validity.VIOLATION
    swap = (*done("cas", [[5, 6], [7, 8]]), *done("read", None, [7, 8]))
    assert cas_register.check(table(*swap), Request(init=[5, 6])).validity == Validity.VALID


READ_X = tuple((9, kind, "txn", [["r", "x", None]]) for kind in ("invoke", "ok"))


@pytest.mark.parametrize(
    ("kind", "step", "validity"),
    [
        ("ok", ["w", "x", None], Validity.VIOLATION),
        ("info", ["w", "x", None], Validity.VIOLATION),
        ("fail", ["w", "x", None], Validity.VALID),
        ("ok", ["w", "y", None], Validity.VALID),
        ("ok", ["w", "x", 1], Validity.VALID),
        ("ok", ["r", "x", None], Validity.VALID),
    ],
)
def test_null_in_a_transaction_is_a_value_where_somebody_may_have_written_it(
    kind: str, step: Any, validity: Validity
) -> None:
    history = table(*READ_X, (0, "invoke", "txn", [step]), (0, kind, "txn", [step]))
    assert multi_register.check(history, Request(init={"x": 1})).validity == validity


def test_null_in_a_transaction_is_a_value_where_it_is_the_first() -> None:
    wrote = done("txn", [["w", "x", 1]])
    assert multi_register.check(table(*READ_X, *wrote), Request()).validity == Validity.VALID
    assert multi_register.check(table(*wrote, *READ_X), Request()).validity == Validity.VIOLATION
