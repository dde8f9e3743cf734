"""Every drawn run of data placement is a plan that the testbed accepts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import find as an_example
from hypothesis import given
from hypothesis import strategies as st

from experiments.data_placement import MOVES, plan
from experiments.options import Options
from experiments.placement_strategies import FIRST_S, lost, schedules, stale_filters, writes
from faults.catalogue import problems
from testbed.runner.plan import Step
from testbed.runner.plan_document import from_document, to_document
from testbed.topology.inventory import find, load
from testbed.workloads.catalogue import make

pytestmark = pytest.mark.property

DEPLOYMENT = load(find("data-placement"))
TOPOLOGY = DEPLOYMENT.topology


@given(schedules(TOPOLOGY, "asynchronous", patient=True))
def test_a_drawn_schedule_can_be_run(schedule: tuple[Step, ...]) -> None:
    assert schedule
    for step in schedule:
        assert problems(step.kind, step.target, step.parameters, TOPOLOGY) == []
        assert step.at_s >= FIRST_S - 1.0


@given(schedules(TOPOLOGY, "asynchronous", patient=True), writes(), st.booleans())
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


def test_a_standby_misses_that_a_policy_is_made_narrower() -> None:
    edit, still, kill, filled = found = stale_filters(TOPOLOGY, "asynchronous")
    assert [edit.parameters["work"], filled.parameters["work"]] == ["narrow_policy", "add_column"]
    # The standby has the wider one, and nothing of the narrower one before the primary is gone.
    assert edit.at_s < still.at_s < kill.at_s - (edit.duration_s or 0)
    assert kill.at_s < still.at_s + (still.duration_s or 0) < filled.at_s
    assert still.parameters["service"] == "postgres"
    # Several clusters of a jurisdiction share nodes there: whose primary is meant cannot be told.
    confined = load(find("data-placement-active-passive")).topology
    assert stale_filters(confined, "asynchronous") == ()
    drawn = schedules(TOPOLOGY, "asynchronous", patient=True)
    assert an_example(drawn, lambda steps: len(steps) == len(found)) == found


@given(
    st.sampled_from([("synchronous", True), ("asynchronous", False)]).flatmap(
        lambda case: schedules(TOPOLOGY, case[0], patient=case[1])
    )
)
def test_it_is_drawn_only_where_a_standby_that_is_behind_takes_over_and_there_is_time(
    schedule: tuple[Step, ...],
) -> None:
    assert "link-timeout" not in {step.kind for step in schedule}
