"""The answer for a history from those for its parts."""

from __future__ import annotations

import pytest

from testbed.checkers.linearizability.judge import Promise, Stuck, judge_parts
from testbed.checkers.request import Request
from testbed.checkers.verdict import Validity, Verdict
from tests.unit.checkers.linearizability.tables import table_of

HISTORY = table_of([(0, "invoke", "write", 1, "a"), (0, "ok", "write", 1, "a")])
WRONG = Stuck(valid=False, why="wrong", example={"anomaly": "none"})
OPEN = Stuck(valid=None, why="given up", row=1)


def judged(*parts: Stuck | None) -> Verdict:
    return judge_parts(
        HISTORY, Request(), Promise("name", "promise"), [(-1, part) for part in parts], lambda p: p
    )


@pytest.mark.parametrize(
    ("parts", "validity"),
    [
        ((), Validity.VALID),
        ((None, None), Validity.VALID),
        ((None, OPEN, None), Validity.UNKNOWN),
        ((OPEN, None, WRONG), Validity.VIOLATION),
        ((WRONG, OPEN), Validity.VIOLATION),
    ],
)
def test_one_wrong_part_decides_and_an_undecided_one_is_never_valid(
    parts: tuple[Stuck | None, ...], validity: Validity
) -> None:
    verdict = judged(*parts)
    assert verdict.validity is validity
    assert verdict.numbers["parts_judged"] == (
        parts.index(WRONG) + 1 if WRONG in parts else len(parts)
    )


def test_an_undecided_part_says_how_far_an_order_exists() -> None:
    first = Stuck(valid=None, why="too much", row=0)
    assert judged(first, OPEN).reason == "too much; up to line 1 an order exists"
    assert judged(OPEN).reason == "given up; up to line 2 an order exists"
    assert judged(Stuck(valid=None, why="too much", row=-1)).reason == "too much"
