"""Every drawn schedule is a plan that the testbed accepts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given

from experiments.failover import plan
from experiments.options import Options
from experiments.strategies import FIRST_FAULT_S, schedules
from faults.catalogue import problems
from testbed.runner.plan import Step
from testbed.runner.plan_document import from_document, to_document
from testbed.topology.inventory import find, load

pytestmark = pytest.mark.property

SLOW = ("link-latency", "link-jitter", "link-bandwidth")
DEPLOYMENT = load(find("active-passive"))


@given(schedules(DEPLOYMENT.topology))
def test_a_drawn_schedule_can_be_run(schedule: tuple[Step, ...]) -> None:
    for step in schedule:
        assert problems(step.kind, step.target, step.parameters, DEPLOYMENT.topology) == []
    breaking = [step for step in schedule if step.kind not in SLOW]
    assert len(breaking) == 1
    assert breaking[0].at_s >= FIRST_FAULT_S
    assert all(step.at_s + 2 < breaking[0].at_s for step in schedule if step.kind in SLOW)


@given(schedules(DEPLOYMENT.topology))
def test_a_drawn_plan_survives_its_file(schedule: tuple[Step, ...]) -> None:
    options = Options(None, (), Path("runs"), 60.0, 3, 1, 0, None)
    made = plan(DEPLOYMENT, options, schedule, "set")
    assert from_document(json.loads(json.dumps(to_document(made)))) == made
    ends = [step.at_s + (step.duration_s or 0.0) for step in schedule]
    assert made.duration_s > max(ends)
