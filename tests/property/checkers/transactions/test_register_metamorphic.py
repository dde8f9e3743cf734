"""What must not change a verdict on registers, and what must."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from testbed.checkers.request import Request
from testbed.checkers.transactions import rw_register, rw_unique
from testbed.checkers.verdict import Levels, Validity
from tests.property.checkers.transactions.register_histories import histories, tangled
from tests.transaction_tables import table_of

drawn = histories(most=6) | tangled(most=6, keys=3)


def judged(history: list[dict[str, Any]]) -> tuple[Validity, Levels | None]:
    verdict = rw_unique.check(table_of(history, lists=False), Request())
    return verdict.validity, verdict.levels


def elle(history: list[dict[str, Any]]) -> tuple[Validity, Levels | None]:
    params = {"wfr_keys": True, "linearizable_keys": True}
    verdict = rw_register.check(table_of(history, lists=False), Request(params=params))
    return verdict.validity, verdict.levels


MODELS = pytest.mark.parametrize("model", [judged, elle])


@MODELS
@given(history=drawn, names=st.permutations(range(20)))
def test_names_of_processes_keys_and_values_say_nothing(
    model: Any, history: list[dict[str, Any]], names: list[int]
) -> None:
    renamed = [
        {
            **each,
            "process": names[each["process"]],
            "ops": [
                [access, f"key {key}", None if value is None else f"value {value}"]
                for access, key, value in each["ops"]
            ],
        }
        for each in history
    ]
    assert model(renamed) == model(history)


@MODELS
@given(history=drawn)
def test_a_failed_transaction_that_nobody_read_can_be_left_out(
    model: Any, history: list[dict[str, Any]]
) -> None:
    failed = {"process": 19, "outcome": "fail", "ops": [["w", "x", "unread"], ["r", "y", None]]}
    assert model([*history, {**failed, "start": 10**6, "end": 10**6 + 1}]) == model(history)


@MODELS
@given(history=drawn, start=st.integers(-1, 10))
def test_an_indeterminate_transaction_without_effect_changes_nothing(
    model: Any, history: list[dict[str, Any]], start: int
) -> None:
    unsure = {"process": 19, "outcome": "info", "ops": [["w", "x", "unread"], ["r", "y", None]]}
    moved = [{**each, "start": 2 * each["start"], "end": 2 * each["end"]} for each in history]
    more = [*moved, {**unsure, "start": 2 * start + 1, "end": 0}]
    assert model(more) == model(history)


@given(history=histories(most=6, right=True))
def test_a_planted_write_skew_flips_serializability(history: list[dict[str, Any]]) -> None:
    assert judged(history)[0] != Validity.VIOLATION
    late = 10**6
    skew = [
        {"process": 17, "outcome": "ok", "start": late, "end": late + 3,
         "ops": [["r", "a", None], ["w", "b", "one"]]},
        {"process": 18, "outcome": "ok", "start": late + 1, "end": late + 2,
         "ops": [["r", "b", None], ["w", "a", "two"]]},
    ]  # fmt: skip
    assert judged([*history, *skew])[0] == Validity.VIOLATION
    assert judged([*history, skew[0]])[0] == Validity.VALID


@given(history=histories(most=6, right=True), data=st.data())
def test_a_planted_stale_read_flips_strictness(
    history: list[dict[str, Any]], data: st.DataObject
) -> None:
    assert judged(history)[0] != Validity.VIOLATION
    written = [op[1] for each in history for op in each["ops"] if op[0] == "w"]
    assume(written)
    stale = {
        "process": 18,
        "outcome": "ok",
        "ops": [["r", data.draw(st.sampled_from(written)), None]],
        "start": 10**6,
        "end": 10**6 + 1,
    }
    assert judged([*history, stale])[0] == Validity.VIOLATION
