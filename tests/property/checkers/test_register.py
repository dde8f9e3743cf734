from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.checkers.register import check
from testbed.checkers.verdict import Validity
from testbed.history.history import History
from tests.histories import Scribe

pytestmark = pytest.mark.property


@dataclass(frozen=True)
class Call:
    """An operation of a drawn history; ``found`` is a read's result or what a cas expects."""

    kind: str
    found: int | None
    left: int | None
    start: int
    end: int
    outcome: str = "ok"
    key: int = 0


def history(calls: list[Call]) -> History:
    scribe = Scribe()
    for call in calls:
        asked: Any = None
        if call.kind == "write":
            asked = call.left
        elif call.kind == "cas":
            asked = [call.found, call.left]
        scribe.call(
            call.kind,
            call.start,
            call.end,
            call.outcome,  # type: ignore[arg-type]
            value=asked,
            result=call.found if call.kind == "read" and call.outcome == "ok" else None,
            key=call.key,
        )
    return scribe.history()


def linearizable(calls: list[Call]) -> bool:
    """By the definition: some order of all that returned and some of the rest explains all."""
    calls = [call for call in calls if call.outcome != "fail"]
    calls = [call for call in calls if call.outcome == "ok" or call.kind != "read"]

    def place(left: frozenset[int], value: int | None) -> bool:
        if all(calls[one].outcome != "ok" for one in left):
            return True
        for one in left:
            call = calls[one]
            # Whatever returned before this one's invocation has to stand before it.
            if any(calls[o].outcome == "ok" and calls[o].end < call.start for o in left - {one}):
                continue
            if call.kind != "write" and call.found != value:
                continue
            if place(left - {one}, value if call.kind == "read" else call.left):
                return True
        return False

    return place(frozenset(range(len(calls))), None)


def arbitrary(rng: random.Random, *, unique: bool) -> list[Call]:
    """Operations with any results: mostly impossible."""
    calls = []
    for number in range(rng.randint(1, 6)):
        start = rng.randint(0, 10)
        kind = rng.choice(["read", "read", "write", "cas"])
        calls.append(
            Call(
                kind,
                found=rng.choice([None, *range(rng.randint(1, 4))]) if kind != "write" else None,
                left=(number if unique else rng.randint(0, 2)) if kind != "read" else None,
                start=start,
                end=start + rng.randint(0, 6),
                outcome=rng.choices(["ok", "info", "fail"], [8, 2, 1])[0],
            )
        )
    return calls


def executed(rng: random.Random, *, unique: bool) -> list[Call]:
    """Operations that a register really did at some moment; then one result may be damaged."""
    # Coarse times make ends meet, fine ones keep them apart.
    spread = rng.choice([2, 12])
    moments = sorted(rng.choices(range(3 * spread), k=rng.randint(1, 7)))
    value: int | None = None
    calls = []
    for number, moment in enumerate(moments):
        start, end = moment - rng.randint(0, spread), moment + rng.randint(0, spread)
        kind = rng.choice(["read", "read", "write", "cas"])
        outcome = rng.choices(["ok", "info", "fail"], [8, 2, 1])[0]
        found = value if kind != "write" else None
        left = None if kind == "read" else number if unique else rng.randint(0, 2)
        took = outcome == "ok" or (outcome == "info" and rng.random() < 0.5)
        if took and kind != "read":
            value = left
        calls.append(Call(kind, found, left, start + spread, end + spread, outcome))
    if rng.random() < 0.5:
        place = rng.randrange(len(calls))
        call = calls[place]
        if call.kind != "write":
            calls[place] = Call(
                call.kind,
                rng.choice([None, 0, 1, 2]),
                call.left,
                call.start,
                call.end,
                call.outcome,
            )
    return calls


@st.composite
def drawn(draw: st.DrawFn, *, unique: bool) -> list[Call]:
    rng = random.Random(draw(st.integers(0, 2**40)))
    return draw(st.sampled_from([arbitrary, executed]))(rng, unique=unique)


@given(st.booleans().flatmap(lambda unique: drawn(unique=unique)))
def test_registers_are_judged_as_by_definition(calls: list[Call]) -> None:
    verdict = check(history(calls))
    if not any(call.kind != "write" and call.outcome == "ok" for call in calls):
        assert verdict.validity is Validity.UNKNOWN
    else:
        assert (verdict.validity is Validity.VALID) == linearizable(calls)


@given(drawn(unique=True), drawn(unique=False))
def test_keys_are_judged_apart(one: list[Call], other: list[Call]) -> None:
    def moved(calls: list[Call], key: int) -> list[Call]:
        return [Call(c.kind, c.found, c.left, c.start, c.end, c.outcome, key=key) for c in calls]

    verdict = check(history(moved(one, 1) + moved(other, 2)))
    broken = not (linearizable(one) and linearizable(other))
    assert (verdict.validity is Validity.VIOLATION) == broken


@given(drawn(unique=True), st.integers(-50, 50))
def test_renamed_values_and_shifted_times_change_nothing(calls: list[Call], shift: int) -> None:
    def renamed(value: int | None) -> int | None:
        return None if value is None else 1000 - 7 * value

    changed = [
        Call(
            call.kind,
            renamed(call.found),
            renamed(call.left),
            3 * call.start + 200 + shift,
            3 * call.end + 200 + shift,
            call.outcome,
        )
        for call in calls
    ]
    assert check(history(changed)).validity is check(history(calls)).validity


@given(drawn(unique=True))
def test_a_write_that_never_took_effect_changes_nothing(calls: list[Call]) -> None:
    more = [*calls, Call("write", None, 77, 0, 1, "info"), Call("cas", 77, 78, 2, 3, "info")]
    assert check(history(more)).validity is check(history(calls)).validity


@given(drawn(unique=True))
def test_a_value_from_nowhere_breaks_any_history(calls: list[Call]) -> None:
    more = [*calls, Call("read", 99, None, 5, 6)]
    assert check(history(more)).validity is Validity.VIOLATION
