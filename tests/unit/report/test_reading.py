from __future__ import annotations

import math
from typing import Any

import pytest

from testbed.report.reading import Fields, Problem


def fields(**values: Any) -> Fields:
    return Fields(values, "plan.json", "load", [])


def test_what_is_absent_is_no_problem() -> None:
    found = fields()
    assert found.text("a", "default") == "default"
    assert (found.number("a"), found.whole("a"), found.truth("a")) == (None, None, None)
    assert (found.items("a"), dict(found.mapping("a").values), list(found.objects("a"))) == (
        (),
        {},
        [],
    )
    assert found.problems == []


@pytest.mark.parametrize("value", [math.inf, math.nan, 1e308, -1e31, 10**400, "1", True, [1]])
def test_a_number_is_finite(value: object) -> None:
    found = fields(rate=value)
    assert found.number("rate") is None
    assert found.problems[0].what.startswith("load.rate: expected a number, found ")


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        ("text", [1], "text"),
        ("whole", 1.5, "a whole number"),
        ("whole", True, "a whole number"),
        ("truth", 1, "true or false"),
        ("items", {}, "a list"),
        ("mapping", [], "an object"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(read: str, value: object, expected: str) -> None:
    found = fields(name=value)
    getattr(found, read)("name")
    (problem,) = found.problems
    assert str(problem).startswith(f"plan.json: load.name: expected {expected}, found ")


def test_a_whole_number_stays_exact() -> None:
    assert fields(seed=2**63 + 1).whole("seed") == 2**63 + 1


def test_a_problem_ends_with_what_to_do() -> None:
    assert str(Problem("plan.json", "is missing", "run it again")) == (
        "plan.json: is missing; run it again"
    )
