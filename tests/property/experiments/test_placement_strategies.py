"""Every drawn run of data placement is a plan that the testbed accepts."""

from __future__ import annotations

import itertools
import json
import operator
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import find as an_example
from hypothesis import strategies as st

from experiments.data_placement import MOVES, plan
from experiments.options import Options
from experiments.placement_promises import NARROWED
from experiments.placement_strategies import (
    CHANGED_S,
    EDITED_S,
    FIRST_S,
    edge_cases,
    lost,
    schedules,
    stale_filters,
    writes,
)
from faults.catalogue import problems
from testbed.runner.plan import Step
from testbed.runner.plan_document import from_document, to_document
from testbed.topology.inventory import find, load
from testbed.topology.placement import PINNED
from testbed.topology.placement_edits import EDITS
from testbed.workloads.catalogue import make

pytestmark = pytest.mark.property

DEPLOYMENT = load(find("data-placement"))
CONFINED = load(find("data-placement-active-passive"))
TOPOLOGY = DEPLOYMENT.topology


@given(schedules(DEPLOYMENT, patient=True))
def test_a_drawn_schedule_can_be_run(schedule: tuple[Step, ...]) -> None:
    assert schedule
    for step in schedule:
        assert problems(step.kind, step.target, step.parameters, TOPOLOGY) == []
        assert step.at_s >= FIRST_S - 1.0


@given(schedules(DEPLOYMENT, patient=True), writes(), st.booleans())
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


def works_of(schedule: tuple[Step, ...]) -> list[str]:
    works = (str(step.parameters.get("work", "")) for step in schedule)
    return [work for work in works if work in EDITS]


@given(schedules(DEPLOYMENT, patient=True))
def test_an_edge_case_of_the_policy_outlives_what_happens_under_it(
    schedule: tuple[Step, ...],
) -> None:
    edits = [step for step in schedule if step.parameters.get("work") in EDITS]
    assume("link-timeout" not in {step.kind for step in schedule})
    for edit in edits:
        assert (edit.duration_s or 0.0) >= EDITED_S
    others = [step for step in schedule if step not in edits]
    if edits and others:
        (edit,) = edits
        for step in others:
            assert edit.at_s + CHANGED_S <= step.at_s
            assert step.at_s + (step.duration_s or 0.0) <= edit.at_s + (edit.duration_s or 0.0)
    for one, other in itertools.pairwise(edits):
        assert one.at_s + (one.duration_s or 0.0) + 2 * CHANGED_S <= other.at_s


@pytest.mark.parametrize("work", EDITS)
def test_every_edge_case_is_drawn_alone_and_with_something_else(work: str) -> None:
    drawn = schedules(DEPLOYMENT, patient=False)
    alone = an_example(drawn, lambda steps: works_of(steps) == [work] and len(steps) == 1)
    assert alone[0].at_s < FIRST_S
    an_example(drawn, lambda steps: works_of(steps) == [work] and len(steps) > 1)


def test_several_edge_cases_are_drawn_where_there_is_time() -> None:
    found = an_example(schedules(DEPLOYMENT, patient=True), lambda one: len(works_of(one)) > 1)
    assert works_of(found) == [step.parameters["work"] for step in found]


def test_a_standby_may_miss_either_way_of_making_a_policy_narrower() -> None:
    for work in NARROWED:
        wanted = stale_filters(TOPOLOGY, "asynchronous", work)
        assert wanted[0].parameters["work"] == work
        an_example(schedules(DEPLOYMENT, patient=True), partial(operator.eq, wanted))


@given(schedules(CONFINED, patient=True))
def test_none_is_drawn_where_it_cannot_be_judged(schedule: tuple[Step, ...]) -> None:
    assert works_of(schedule) == []


def test_none_is_drawn_of_a_policy_that_has_none() -> None:
    policy = DEPLOYMENT.policy
    assert policy is not None
    classes = {name: one for name, one in policy.classes.items() if one.rule == PINNED}
    bare = replace(DEPLOYMENT, policy=replace(policy, classes=classes))
    assert edge_cases(bare) == edge_cases(replace(DEPLOYMENT, policy=None)) == ()
    assert edge_cases(DEPLOYMENT) == tuple(EDITS)


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
    assert stale_filters(CONFINED.topology, "asynchronous") == ()
    drawn = schedules(DEPLOYMENT, patient=True)
    assert an_example(drawn, lambda steps: len(steps) == len(found)) == found


@given(
    st.sampled_from([("synchronous", True), ("asynchronous", False)]).flatmap(
        lambda case: schedules(
            load(find("data-placement"), {"replication": case[0]}), patient=case[1]
        )
    )
)
def test_it_is_drawn_only_where_a_standby_that_is_behind_takes_over_and_there_is_time(
    schedule: tuple[Step, ...],
) -> None:
    assert "link-timeout" not in {step.kind for step in schedule}
