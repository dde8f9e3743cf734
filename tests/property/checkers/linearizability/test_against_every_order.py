"""Every model against the definition: all orders are tried; and changes that must not matter."""

from __future__ import annotations

import dataclasses
import importlib
from typing import Any

import pytest
from hypothesis import event, given, reject
from hypothesis import strategies as st

from testbed.checkers.linearizability.sequential import Found
from testbed.checkers.request import Request
from testbed.checkers.verdict import Validity, Verdict
from tests.property.checkers.linearizability.drawn import histories
from tests.property.checkers.linearizability.objects import OBJECTS, Object
from tests.unit.checkers.linearizability.oracle import Operation, linearizable, lines_of
from tests.unit.checkers.linearizability.tables import table_of

SOME = [
    "register, unique",
    "cas-register",
    "mutex",
    "queue, unique",
    "stack, unique",
    "kv-append, unique",
]
GIVEN_UP = Found(None).why
OPEN_MAX = 3
"""With no more operations without an answer a search is never given up."""
every_object = pytest.mark.parametrize("model", OBJECTS.values(), ids=OBJECTS.keys())
one_of_each = pytest.mark.parametrize("model", [OBJECTS[name] for name in SOME], ids=SOME)


def judged(model: Object, lines: list[tuple[Any, ...]]) -> Verdict:
    verdict: Verdict = importlib.import_module(model.module).check(
        table_of(lines), Request(init=model.init)
    )
    if GIVEN_UP in verdict.reason:
        # One in many thousands is too crowded for the search, and only where much stays open.
        completed = sum(kind != "invoke" for _, kind, *_ in lines)
        assert len(lines) - 2 * completed > OPEN_MAX
        event("given up")
        reject()
    return verdict


def says_something(model: Object, operations: list[Operation]) -> bool:
    """Whether anything completed that can be judged."""
    informative = model.failed_counts
    return any(
        one.end is not None and (not one.failed or (informative and one.f == "cas"))
        for one in operations
    )


@every_object
@given(data=st.data())
def test_the_verdict_is_that_of_the_definition(model: Object, data: st.DataObject) -> None:
    operations = data.draw(histories(model))
    expected = linearizable(
        operations, model.initial, model.states_after, failed_counts=model.failed_counts
    )
    verdict = judged(model, lines_of(operations, model.sees))
    event(verdict.validity.name)
    if not says_something(model, operations):
        assert verdict.validity == Validity.UNKNOWN
        return
    assert verdict.validity == (Validity.VALID if expected else Validity.VIOLATION)
    assert bool(verdict.counterexample) == (not expected)


@one_of_each
@given(data=st.data())
def test_what_must_not_matter_does_not(model: Object, data: st.DataObject) -> None:
    operations = data.draw(histories(model))
    lines = lines_of(operations, model.sees)
    expected = judged(model, lines).validity
    renamed = [(f"p{-process}", *rest) for process, *rest in lines]
    assert judged(model, renamed).validity == expected
    succeeded = [one for one in operations if not one.failed]
    assert judged(model, lines_of(succeeded, model.sees)).validity == expected
    if expected == Validity.VALID:
        more = [*operations, *_without_effect(model, data)]
        moved = [dataclasses.replace(one, start=2 * one.start, end=_doubled(one)) for one in more]
        assert judged(model, lines_of(moved, model.sees)).validity == Validity.VALID


def _doubled(operation: Operation) -> int | None:
    return None if operation.end is None else 2 * operation.end


def _without_effect(model: Object, data: st.DataObject) -> list[Operation]:
    """Indeterminate operations of new processes."""
    drawn = data.draw(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 8)), max_size=3))
    return [
        Operation(1000 + number, *model.ask(a, b, 500 + number), start=number * 5, end=None)
        for number, (a, b) in enumerate(drawn)
    ]


@one_of_each
@given(data=st.data())
def test_keys_judge_by_themselves(model: Object, data: st.DataObject) -> None:
    one, other = data.draw(histories(model)), data.draw(histories(model))
    lines = [
        (f"{key}{process}", *rest, key)
        for key, operations in (("a", one), ("b", other))
        for process, *rest in lines_of(operations, model.sees)
    ]
    if not (says_something(model, one) and says_something(model, other)):
        return
    expected = max(
        judged(model, lines_of(operations, model.sees)).validity for operations in (one, other)
    )
    assert judged(model, lines).validity == expected
