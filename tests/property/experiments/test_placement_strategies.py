"""Every drawn run of data placement is a plan that the testbed accepts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.data_placement import MOVES, plan
from experiments.options import Options
from experiments.placement_strategies import FIRST_S, lost, schedules, writes
from faults.catalogue import problems
from testbed.runner.plan import Step
from testbed.runner.plan_document import from_document, to_document
from testbed.topology.inventory import find, load
from testbed.workloads.catalogue import make

pytestmark = pytest.mark.property

DEPLOYMENT = load(find("data-placement"))
TOPOLOGY = DEPLOYMENT.topology


@given(schedules(TOPOLOGY))
def test_a_drawn_schedule_can_be_run(schedule: tuple[Step, ...]) -> None:
    assert schedule
    for step in schedule:
        assert problems(step.kind, step.target, step.parameters, TOPOLOGY) == []
        assert step.at_s >= FIRST_S - 1.0


@given(schedules(TOPOLOGY), writes(), st.booleans())
def test_a_drawn_plan_survives_its_file(
    schedule: tuple[Step, ...], mix: Mapping[str, int], erase: bool
) -> None:
    options = Options(None, ("placement_mutant=none",), Path("runs"), 60.0, 3, 1, 0, None)
    made = plan(DEPLOYMENT, options, schedule, mix, erase=erase)
    assert from_document(json.loads(json.dumps(to_document(made)))) == made
    assert made.duration_s > max(step.at_s + (step.duration_s or 0.0) for step in schedule)
    moved = any(step.kind in MOVES for step in schedule)
    assert ("erasure" in made.inspections) is erase
    assert ("failover_slots" in made.inspections) is moved
    make(made.load.workload, made.load.parameters, TOPOLOGY, 1)


def test_a_lost_jurisdiction_loses_every_server() -> None:
    killed = {step.target for step in lost(TOPOLOGY, "EU", 6.0)}
    assert killed == {"eu-west-db1", "eu-central-db1"}
