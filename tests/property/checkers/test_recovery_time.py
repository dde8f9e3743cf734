from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.checkers import recovery_time, service
from testbed.checkers.expectation import Expectation
from testbed.checkers.verdict import Validity
from testbed.history.history import History
from testbed.history.operation import OperationType
from testbed.measures.rto import longest_outage
from tests.histories import MS, Scribe

pytestmark = pytest.mark.property

UNIT = 100 * MS
"""Drawn times are in tenths of a second, so that a definition can be walked tick by tick."""


@dataclass(frozen=True)
class Drawn:
    calls: tuple[tuple[int, int, OperationType, str], ...]
    from_: int
    to: int
    bound: int

    def history(self) -> History:
        scribe = Scribe()
        for start, end, outcome, region in self.calls:
            scribe.call("add", start * UNIT, end * UNIT, outcome, region=region)
        return scribe.history()

    def expectation(self) -> Expectation:
        return Expectation("r", "a fault", self.from_ * UNIT, self.to * UNIT, self.bound * 100.0)

    def acks(self) -> set[int]:
        return {end for _, end, outcome, region in self.calls if (outcome, region) == ("ok", "r")}


@st.composite
def drawn(draw: st.DrawFn) -> Drawn:
    rng = random.Random(draw(st.integers(0, 2**40)))
    calls = []
    down_from, down_to = sorted((rng.randint(0, 120), rng.randint(0, 120)))
    for start in range(0, 120, rng.choice([3, 7, 15])):
        outcomes: list[OperationType] = ["info", "fail"] if down_from <= start < down_to else ["ok"]
        if rng.random() < 0.9:
            region = rng.choices(["r", "other"], [9, 1])[0]
            calls.append((start, start + rng.randint(1, 9), rng.choice(outcomes), region))
    from_, to = sorted((rng.randint(0, 130), rng.randint(0, 130)))
    return Drawn(tuple(calls), from_, to, rng.randint(1, 60))


@given(drawn())
def test_the_longest_outage_is_that_of_a_walk_through_time(case: Drawn) -> None:
    acks = case.acks()
    longest = since = 0
    for moment in range(case.from_ + 1, case.to + 1):
        since += 1
        longest = max(longest, since)
        if moment in acks:
            since = 0
    outage = longest_outage(
        case.history(),
        "r",
        cause="a fault",
        from_ns=case.from_ * UNIT,
        to_ns=case.to * UNIT,
        writes={"add"},
    )
    assert outage.rto_ms == longest * 100
    assert outage.recovered == (outage.first_ack_ns is not None)
    assert outage.rto_ms_min <= outage.rto_ms <= outage.gap_ms
    if outage.last_ack_ns is not None:
        assert outage.last_ack_ns // UNIT in acks
    if outage.first_ack_ns is not None:
        assert outage.first_ack_ns // UNIT in acks
        assert case.from_ * UNIT < outage.first_ack_ns <= case.to * UNIT


@given(drawn())
def test_recovery_in_time_is_judged_by_the_outage(case: Drawn) -> None:
    acks = case.acks()
    inner = sorted({case.from_, case.to} | {a for a in acks if case.from_ < a < case.to})
    gaps = list(pairwise(inner)) or [(case.from_, case.to)]
    start, end = max(gaps, key=lambda gap: gap[1] - gap[0])
    asked = sorted(c[0] for c in case.calls if c[3] == "r" and start <= c[0] <= end)
    stops = [start, *asked, end]
    silent = max(b - a for a, b in pairwise(stops))
    tail = case.to - max([case.from_, *(a for a in acks if case.from_ < a <= case.to)])
    if end - start > case.bound:
        expected = Validity.UNKNOWN if silent > 25 else Validity.VIOLATION
    else:
        expected = Validity.UNKNOWN if tail > 10 or case.to == case.from_ else Validity.VALID
    verdict = recovery_time.check(case.history(), [case.expectation()], {"add"})
    assert verdict.validity is expected


@given(drawn(), st.floats(0, 1))
def test_service_is_the_share_of_due_writes(case: Drawn, availability_min: float) -> None:
    due = [
        outcome
        for start, _, outcome, region in case.calls
        if region == "r" and case.from_ + case.bound <= start < case.to
    ]
    if len(due) < service.DUE_MIN:
        expected = Validity.UNKNOWN
    elif due.count("ok") < availability_min * len(due):
        expected = Validity.VIOLATION
    else:
        expected = Validity.VALID
    verdict = service.check(case.history(), [case.expectation()], {"add"}, availability_min)
    assert verdict.validity is expected


@given(drawn())
def test_a_wider_bound_never_makes_a_violation(case: Drawn) -> None:
    wider = Drawn(case.calls, case.from_, case.to, case.bound + 20)
    if recovery_time.check(wider.history(), [wider.expectation()], {"add"}).validity is (
        Validity.VIOLATION
    ):
        verdict = recovery_time.check(case.history(), [case.expectation()], {"add"})
        assert verdict.validity is Validity.VIOLATION
