"""What must not change a verdict, and one planted anomaly that must."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.checkers.collections import (
    bank,
    causal_reverse,
    counter,
    long_fork,
    monotonic,
    sequential,
    set_full,
    simple_set,
    total_queue,
    unique_ids,
)
from testbed.checkers.request import OperationModel, Request
from testbed.checkers.verdict import Validity
from tests.columns import table_of
from tests.property.checkers.collections.drawn import (
    Line,
    drawn,
    finished,
    renamed_processes,
    with_indeterminate,
    without_failed,
)

pytestmark = pytest.mark.property

FRESH = 777_777


@dataclass(frozen=True)
class Case:
    """A model with a real system to draw from.

    Args:
        check: The checker.
        run: A history of a system that keeps the promise.
        ruin: The final result that breaks it, given the one that keeps it.
        f: The function of an operation that may never have happened.
        value: Its value.
        read: The function that reads in the end.
    """

    check: OperationModel
    run: Callable[[random.Random], tuple[list[Line], Any]]
    ruin: Callable[[Any], Any]
    f: str
    value: Any
    read: str = "read"


def grown(add: str, read: str) -> Callable[[random.Random], tuple[list[Line], Any]]:
    """A collection that grows: what an operation asks for is done when it is answered."""

    def run(rng: random.Random) -> tuple[list[Line], Any]:
        inside: list[int] = []
        waiting = iter(range(100))

        def ask(rng: random.Random) -> tuple[str, Any]:
            return (read, None) if rng.random() < 0.3 else (add, next(waiting))

        def answer(rng: random.Random, f: str, value: Any) -> Any:
            if f == read:
                return list(inside)
            inside.append(value)
            return value

        lines = [*done("add" if add == "add" else add, 1000), *done(add, 1001)]
        inside += [1000, 1001]
        lines += drawn(rng, ask, answer, count=rng.randint(0, 7))
        # A read that was asked for and returned at once sees all that was answered before.
        return lines, list(inside)

    return run


def done(f: str, value: Any) -> list[Line]:
    return [
        {"type": "invoke", "process": 50, "f": f, "value": value},
        {"type": "ok", "process": 50, "f": f, "value": value},
    ]


def queue(rng: random.Random) -> tuple[list[Line], Any]:
    inside: list[int] = [1000]
    waiting = iter(range(100))

    def ask(rng: random.Random) -> tuple[str, Any]:
        return ("enqueue", next(waiting))

    def answer(rng: random.Random, f: str, value: Any) -> Any:
        inside.append(value)
        return value

    lines = done("enqueue", 1000) + drawn(rng, ask, answer, count=rng.randint(0, 7))
    return lines, inside


def generator(rng: random.Random) -> tuple[list[Line], Any]:
    given_out = iter(range(1, 100))
    lines = drawn(
        rng, lambda _: ("generate", None), lambda *_: next(given_out), count=rng.randint(0, 7)
    )
    return done("generate", 0) + lines, 200


def counted(rng: random.Random) -> tuple[list[Line], Any]:
    total = [0]

    def answer(rng: random.Random, f: str, value: Any) -> Any:
        total[0] += value if f == "add" else 0
        return value if f == "add" else total[0]

    lines = drawn(
        rng,
        lambda rng: rng.choice([("add", 1), ("add", 5), ("read", None)]),
        answer,
        count=rng.randint(0, 8),
    )
    return lines, total[0]


def money(rng: random.Random) -> tuple[list[Line], Any]:
    balances = {"0": 10, "1": 10}

    def answer(rng: random.Random, f: str, value: Any) -> Any:
        if f == "read":
            return dict(balances)
        moved = rng.randint(0, balances["0"])
        balances["0"] -= moved
        balances["1"] += moved
        return value

    lines = drawn(
        rng,
        lambda rng: rng.choice([("read", None), ("transfer", {"from": 0, "to": 1, "amount": 1})]),
        answer,
        count=rng.randint(0, 8),
    )
    return lines, dict(balances)


def pages(rng: random.Random) -> tuple[list[Line], Any]:
    inside: set[str] = set()

    def ask(rng: random.Random) -> tuple[str, Any]:
        return "txn", [["r", "y", None], ["r", "x", None]]

    def answer(rng: random.Random, f: str, value: Any) -> Any:
        inside.update("x" if rng.random() < 0.5 or "x" in inside else "")
        return [["r", key, 1 if key in inside else None] for key in ("y", "x")]

    lines = drawn(rng, ask, answer, count=rng.randint(0, 6))
    lines += finished([], "txn", [["r", "x", 1], ["r", "y", None]])
    lines = [{**line, "value": line["value"] or [["r", "x", None]]} for line in lines[:-2]] + [
        {**line, "process": 90, "value": [["r", "x", 1], ["r", "y", None]]} for line in lines[-2:]
    ]
    return lines, [["r", "x", 1], ["r", "y", 1]]


def parts(rng: random.Random) -> tuple[list[Line], Any]:
    def answer(rng: random.Random, f: str, value: Any) -> Any:
        there = rng.randint(0, 3)
        return [0, [None] * (3 - there) + [f"0_{part}" for part in reversed(range(there))]]

    lines = drawn(rng, lambda _: ("read", None), answer, count=rng.randint(0, 5))
    return lines, [1, [None, "1_1", "1_0"]]


def rows(rng: random.Random) -> tuple[list[Line], Any]:
    inside: list[int] = []
    waiting = iter(range(100))

    def answer(rng: random.Random, f: str, value: Any) -> Any:
        inside.append(value)
        return value

    lines = drawn(rng, lambda _: ("add", next(waiting)), answer, count=rng.randint(0, 7))
    there = [*sorted(inside), 200, 201]
    return lines, [[value, 10 * value] for value in there]


CASES = {
    "set": Case(simple_set.check, grown("add", "read"), lambda all_: all_[1:], "add", FRESH),
    "set-full": Case(set_full.check, grown("add", "read"), lambda all_: all_[1:], "add", FRESH),
    "total-queue": Case(
        total_queue.check, queue, lambda all_: all_[1:], "enqueue", FRESH, read="drain"
    ),
    "unique-ids": Case(unique_ids.check, generator, lambda _: 0, "generate", None, "generate"),
    "counter": Case(counter.check, counted, lambda total: total - 1, "add", 3),
    "bank": Case(bank.check, money, lambda all_: {**all_, "0": -1}, "read", None),
    "long-fork": Case(
        long_fork.check,
        pages,
        lambda _: [["r", "x", None], ["r", "y", 1]],
        "txn",
        [["w", "z", 1]],
        read="txn",
    ),
    "causal-reverse": Case(
        causal_reverse.check, grown("write", "read"), lambda all_: all_[1:], "write", FRESH
    ),
    "sequential": Case(sequential.check, parts, lambda _: [1, ["1_2", None, "1_0"]], "read", None),
    "monotonic": Case(monotonic.check, rows, lambda all_: all_[::-1], "add", FRESH),
}


def ended(case: Case, lines: list[Line], result: Any) -> list[Line]:
    final = finished(lines, case.read, result)
    if case.read == "txn":
        final[-2]["value"] = [["r", "x", None], ["r", "y", None]]
    return final


@pytest.mark.parametrize("name", CASES)
@given(seed=st.integers(0, 2**48))
def test_only_the_anomaly_changes_the_verdict(name: str, seed: int) -> None:
    rng = random.Random(seed)
    case = CASES[name]
    lines, result = case.run(rng)
    for final, expected in (
        (ended(case, lines, result), Validity.VALID),
        (ended(case, lines, case.ruin(result)), Validity.VIOLATION),
    ):
        for changed in (
            final,
            renamed_processes(final, rng),
            without_failed(final),
            with_indeterminate(final, rng, case.f, case.value),
        ):
            verdict = case.check(table_of(changed), Request())
            assert verdict.validity is expected, verdict.reason
            assert bool(verdict.counterexample) == (expected is Validity.VIOLATION)


def renamed(value: Any) -> Any:
    """Elements under other names, which change neither equality nor null."""
    if isinstance(value, list):
        return [renamed(item) for item in value]
    return None if value is None else f"element {value}"


@pytest.mark.parametrize("name", ["set", "set-full", "total-queue", "unique-ids", "causal-reverse"])
@given(seed=st.integers(0, 2**48))
def test_other_names_of_elements_do_not_change_the_verdict(name: str, seed: int) -> None:
    case = CASES[name]
    lines, result = case.run(random.Random(seed))
    for ruined in (result, case.ruin(result)):
        final = ended(case, lines, ruined)
        before = case.check(table_of(final), Request())
        others = [{**line, "value": renamed(line["value"])} for line in final]
        after = case.check(table_of(others), Request())
        assert after.validity is before.validity
        assert after.numbers == before.numbers


def keyed(lines: list[Line], key: str, processes: int) -> list[Line]:
    return [{**line, "key": key, "process": line["process"] + processes} for line in lines]


@pytest.mark.parametrize("name", ["set", "set-full", "total-queue", "counter", "causal-reverse"])
@given(seed=st.integers(0, 2**48))
def test_each_key_is_judged_alone(name: str, seed: int) -> None:
    """Histories of two keys at the same time say what the two say one by one."""
    rng = random.Random(seed)
    case = CASES[name]
    parts, verdicts = [], []
    for number, key in enumerate("ab"):
        lines, result = case.run(rng)
        part = ended(case, lines, case.ruin(result) if rng.random() < 0.4 else result)
        verdicts.append(case.check(table_of(part), Request()).validity)
        parts.append(keyed(part, key, 1000 * number))
    places = [0] * len(parts[0]) + [1] * len(parts[1])
    rng.shuffle(places)
    queues = [iter(part) for part in parts]
    together = [next(queues[place]) for place in places]
    assert case.check(table_of(together), Request()).validity is max(verdicts)
