from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.checkers.recovery import check
from testbed.checkers.verdict import Validity
from testbed.history.operation import OperationType
from tests.histories import MS, Scribe

pytestmark = pytest.mark.property

HEALED = 50
BOUND, GRACE = 40, 10


@given(st.integers(0, 2**40))
def test_judged_as_by_definition(seed: int) -> None:
    rng = random.Random(seed)
    scribe = Scribe()
    marked_at = rng.randint(30, 120)
    outcome: OperationType = rng.choice(["ok", "ok", "ok", "info"])
    scribe.call("mark", marked_at * MS, (marked_at + 2) * MS, outcome, value=1, node="a")
    deadline = max(HEALED + BOUND, marked_at + 2 + GRACE)
    verdicts = []
    for node in ("a", "b"):
        shows_from = rng.choice([0, 60, 100, 130, 1000])
        asked_until = rng.choice([70, 105, 160])
        seen, late = None, False
        for at in range(marked_at + 3, asked_until, rng.choice([3, 8])):
            shows = at >= shows_from
            how: OperationType = "ok" if shows or rng.random() < 0.5 else "fail"
            result = shows if how == "ok" else None
            scribe.call("marked", at * MS, (at + 1) * MS, how, value=1, result=result, node=node)
            if shows:
                seen = at + 1
                break
            late = late or at >= deadline
        if late:
            verdicts.append(Validity.VIOLATION)
        else:
            known = seen is not None and seen <= deadline
            verdicts.append(Validity.VALID if known else Validity.UNKNOWN)
    if outcome != "ok" or marked_at < HEALED:
        tried_late = marked_at >= HEALED + BOUND
        expected = Validity.VIOLATION if tried_late else Validity.UNKNOWN
    else:
        expected = max(verdicts)
    verdict = check(
        scribe.history(), ("a", "b"), healed_ns=HEALED * MS, bound_ms=BOUND, grace_ms=GRACE
    )
    assert verdict.validity is expected
