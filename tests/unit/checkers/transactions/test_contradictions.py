"""Transactions on registers that do not agree with themselves, whatever else is wrong with them."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.checkers.request import Request
from testbed.checkers.transactions import rw_register, rw_unique
from testbed.checkers.transactions.contradictions import contradictions
from testbed.checkers.transactions.level import included_in
from testbed.checkers.transactions.resolve import resolve
from testbed.checkers.verdict import Validity, Verdict
from tests.transaction_tables import table_of


def r(key: str, value: Any) -> list[Any]:
    return ["r", key, value]


def w(key: str, value: Any) -> list[Any]:
    return ["w", key, value]


OTHERS: list[dict[str, Any]] = [
    {"process": 1, "ops": [w("x", 1), w("x", 2)]},
    {"process": 2, "ops": [w("x", 3)], "outcome": "fail"},
]
AGAINST_A_READ: dict[str, list[Any]] = {
    "garbage": [r("x", 2), r("x", 9)],
    "garbage first": [r("x", 9), r("x", 2)],
    "aborted": [r("x", 2), r("x", 3)],
    "intermediate": [r("x", None), r("x", 1)],
    "its own later": [r("x", 4), r("x", None), w("x", 4)],
}
BESIDES: dict[str, tuple[list[Any], str]] = {
    "garbage-read": ([w("x", 4), r("x", 9)], "read-uncommitted"),
    "G1a": ([w("x", 4), r("x", 3)], "read-committed"),
    "G1b": ([w("x", 4), r("x", 1)], "read-committed"),
    "future-read": ([w("x", 4), r("x", 5), w("x", 5)], "read-committed"),
}


def unique(ops: list[Any], **request: Any) -> Verdict:
    history = [*OTHERS, {"process": 3, "ops": ops}, {"process": 4, "ops": [r("x", 2)]}]
    return rw_unique.check(table_of(history, lists=False), Request(**request))


@pytest.mark.parametrize("checker", [rw_unique, rw_register])
@pytest.mark.parametrize("case", AGAINST_A_READ)
def test_two_reads_that_disagree_are_internal_whatever_they_saw(checker: Any, case: str) -> None:
    history = table_of([*OTHERS, {"process": 3, "ops": AGAINST_A_READ[case]}], lists=False)
    for request in (Request(levels=("item-cut-isolation",)), Request(anomalies=("internal",))):
        verdict = checker.check(history, request)
        assert verdict.validity == Validity.VIOLATION
        assert [each["anomaly"] for each in verdict.counterexample] == ["internal"]
        assert verdict.levels is not None
        assert "item-cut-isolation" in verdict.levels.violated


@pytest.mark.parametrize("anomaly", BESIDES)
def test_a_read_after_an_own_write_can_be_wrong_besides(anomaly: str) -> None:
    ops, level = BESIDES[anomaly]
    assert unique(ops, anomalies=(anomaly,)).validity == Validity.VIOLATION
    assert unique(ops, anomalies=("internal",)).validity == Validity.VIOLATION
    verdict = unique(ops, levels=(level,))
    assert verdict.validity == Validity.VIOLATION
    assert verdict.counterexample[0]["anomaly"] == anomaly
    assert verdict.levels is not None
    assert not any(level in included_in(each) for each in verdict.levels.allowed)


def test_what_was_written_before_an_aborted_read_is_no_dirty_update() -> None:
    before, after = [w("x", 4), r("x", 3)], [r("x", 3), w("x", 4)]
    assert unique(before, anomalies=("dirty-update",)).validity == Validity.VALID
    assert unique(after, anomalies=("dirty-update",)).validity == Validity.VIOLATION


def test_an_indeterminate_write_that_was_read_after_an_own_one_has_taken_effect() -> None:
    history: list[dict[str, Any]] = [
        {"process": 1, "ops": [w("x", 1)], "outcome": "info"},
        {"process": 2, "ops": [w("x", 2), r("x", 1)]},
    ]
    assert resolve(table_of(history, lists=False)).committed.all()


@pytest.mark.parametrize("init", [[1], {"a": 1}, 0.0])
def test_an_initial_value_is_no_other_one_that_python_takes_for_equal(init: Any) -> None:
    like = {"[1]": [True], '{"a": 1}': {"a": 1.0}, "0.0": -0.0}[str(init).replace("'", '"')]
    history = table_of([{"ops": [r("x", like)]}], lists=False)
    verdict = rw_unique.check(history, Request(levels=("read-uncommitted",), init=init))
    assert verdict.validity == Validity.VIOLATION


def test_each_read_that_contradicts_is_found_with_what_it_contradicts() -> None:
    history: list[dict[str, Any]] = [
        {"ops": [w("x", 1), w("y", 1)]},
        {"process": 1, "ops": [w("x", 2)]},
        {"process": 2, "ops": [r("x", 1), r("x", 2), r("x", 1), r("y", 1), r("x", 2)]},
        {"process": 3, "ops": [w("x", 3), r("x", 3), w("x", 4), r("x", 3)]},
    ]
    earlier, later = contradictions(resolve(table_of(history, lists=False)))
    assert (earlier.tolist(), later.tolist()) == ([3, 3, 10], [4, 7, 11])
