"""Every drawn run of conflict resolution is a plan that the testbed accepts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.conflict_expectations import OF_A_NODE
from experiments.conflict_promises import converged_within_ms
from experiments.conflict_resolution import plan, schedules, workloads
from experiments.mesh_strategies import PARTITION_S, lone_losses, partitions
from experiments.options import Options
from faults.catalogue import problems
from testbed.runner.plan_document import from_document, to_document
from testbed.topology.inventory import find, load
from testbed.workloads.catalogue import problems as load_problems

pytestmark = pytest.mark.property

STRATEGIES = ("none", "last_write_wins", "home_region", "crdt")


@given(
    st.sampled_from(["active-active", "active-active-ha"]), st.sampled_from(STRATEGIES), st.data()
)
def test_a_drawn_plan_can_be_run(name: str, strategy: str, data: st.DataObject) -> None:
    setting = f"conflict_resolution={strategy}"
    deployment = load(find(name), {"conflict_resolution": strategy})
    schedule = data.draw(schedules(deployment.topology))
    workload = data.draw(st.sampled_from(workloads(strategy)))
    options = Options(None, (setting,), Path("runs"), 60.0, 3, 1, 0, None)
    made = plan(deployment, options, schedule, workload, 4)
    assert from_document(json.loads(json.dumps(to_document(made)))) == made
    for step in schedule:
        assert problems(step.kind, step.target, step.parameters, deployment.topology) == []
        assert made.duration_s >= step.at_s + (step.duration_s or 0.0) + 1.0
    lost = [step for step in schedule if step.kind in OF_A_NODE]
    if name == "active-active-ha":
        assert len(lost) == 1
        # The region that lost its writer is watched when it must be served again.
        assert made.duration_s > lost[0].at_s + 10
    else:
        # The whole region is away: with a link cut as well, two could not hear each other at all.
        assert not lost or len(schedule) == 1
    # Nothing is waited for: the first thing that disturbs begins at once, and clocks before it.
    first = min(step.at_s for step in schedule if step.kind != "clock-skew")
    assert first == PARTITION_S
    assert all(step.at_s < first for step in schedule if step.kind == "clock-skew")
    slow = {step.target for step in schedule if step.kind in ("link-latency", "link-jitter")}
    cut = {step.target for step in schedule if step.kind.endswith("-cut")}
    assert not (slow and cut)
    assert load_problems(made.load.workload, made.load.parameters) == ()


@given(st.data())
def test_a_region_that_lost_its_only_node_is_awaited_until_its_bound_is_over(
    data: st.DataObject,
) -> None:
    """Else one that never comes back would be no broken promise."""
    deployment = load(find("active-active"))
    options = Options(None, (), Path("runs"), 60.0, 3, 1, 0, None)
    lost = plan(deployment, options, data.draw(lone_losses(deployment.topology)), "items", 4)
    cut = plan(deployment, options, data.draw(partitions(deployment.topology)), "items", 4)
    assert cut.recovery_s is None
    assert lost.recovery_s is not None
    assert lost.recovery_s > converged_within_ms(deployment, again=True) / 1000
