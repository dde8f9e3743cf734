from __future__ import annotations

from testbed.report.judgement import Outcome
from testbed.report.standing import Standing
from testbed.runner.progress import (
    EVERY_LANE,
    Estimate,
    Event,
    Example,
    FaultPhase,
    Judged,
    Payload,
    Phase,
    Rate,
    Role,
)


def standing(*payloads: Payload, lane: int = 0) -> Standing:
    found = Standing(started=100.0)
    for number, payload in enumerate(payloads):
        found.add(Event(100.0 + number, lane, payload))
    return found


def test_the_primary_moves_with_the_roles() -> None:
    found = standing(
        Role("eu-west", "a", "primary"),
        Role("eu-central", "b", "primary"),
        Role("eu-west", "a", "replica"),
    )
    assert found.lanes[0].primaries == {"b": "eu-central"}


def test_a_fault_ages_from_its_injection_until_it_is_shown_to_be_gone() -> None:
    steps = [FaultPhase("cut", "inject"), FaultPhase("cut", "effect", shown=True)]
    found = standing(*steps, FaultPhase("cut", "heal"))
    fault = found.lanes[0].faults["cut"]
    assert (fault.since, fault.phase, fault.shown) == (100.0, "heal", True)
    assert standing(*steps, FaultPhase("cut", "absence", shown=True)).lanes[0].faults == {}
    assert standing(*steps, FaultPhase("cut", "absence", shown=False)).lanes[0].faults


def test_a_phase_keeps_its_beginning_while_it_goes_on() -> None:
    found = standing(Phase("load", 0.1), Phase("load", 0.9), Rate("a", 5.0))
    assert found.lanes[0].phase_since == 100.0
    assert found.lanes[0].phase == Phase("load", 0.9)


def test_a_new_example_forgets_the_old_ones_faults_and_rates() -> None:
    found = standing(Rate("a", 5.0), FaultPhase("cut", "inject"), Example(2))
    lane = found.lanes[0]
    assert (lane.rates, lane.faults, lane.phase, lane.example) == ({}, {}, None, Example(2))


def test_an_example_counts_once_and_never_as_a_pass_by_accident() -> None:
    found = standing(
        Judged("valid", promise="durability", example=1),
        Judged("valid", example=1),
        Judged("violation", promise="durability", example=2),
        Judged("violation", example=2),
        Judged("passed", example=3),
    )
    assert found.counts == {
        Outcome.VALID: 1,
        Outcome.UNKNOWN: 1,
        Outcome.ERROR: 0,
        Outcome.VIOLATION: 1,
    }
    assert found.examples_done == 3


def test_the_estimate_belongs_to_no_lane() -> None:
    found = standing(Estimate(1, remaining_s=60.0), lane=EVERY_LANE)
    assert found.lanes == {}
    assert found.estimate == Estimate(1, remaining_s=60.0)
