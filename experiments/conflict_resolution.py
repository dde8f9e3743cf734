"""Conflict resolution: what an active-active mesh promises when regions write the same rows.

Promises, each judged from what clients saw (see ``experiments/conflict_promises.py``):

- after healing, the changes of every region reach every other one within a bound;
- every region then has the same rows;
- a row ends with a write that no later one, which could have known of it, replaced;
- counters end with all increments that were acknowledged, and sets with all adds, where the
  strategy says so;
- a row with a home is written there alone, also when it is handed over or taken over;
- no stream fails again and again, and no slot keeps WAL without bound, also where a region was away
  for longer than the others keep for it;
- PostgreSQL's own conflict counters agree with what clients wrote;
- a region that is cut off goes on serving its own clients, but for rows that a transaction locks
  of which the link has carried a part.

Where a region has a standby, its writer is lost as well: no acknowledged write is. Where it has
none, the region is away until its node is back, and loses nothing either.

Run it with ``testbed run conflict_resolution`` (or pytest and this file).
The strategy is a variable: ``--set conflict_resolution=none`` is the control that must fail.
"""

from __future__ import annotations

from types import MappingProxyType

from hypothesis import example, given, seed
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from experiments import bounds
from experiments.arena import Arena
from experiments.conflict_expectations import OF_A_NODE
from experiments.conflict_promises import converged_within_ms
from experiments.example_plan import example_plan, lasting_s
from experiments.failover_plan import GIVEN_UP_S
from experiments.mesh_strategies import lone_losses, partitions, slowed, writer_losses
from experiments.options import Options
from experiments.search import search_settings
from testbed.runner.plan import Load, Plan, Step
from testbed.runner.plan_document import load_plan
from testbed.topology.model import Deployment, Topology

DEPLOYMENT = "active-active"

MAIN_AT_S, MAIN_DURATION_S = 1.5, 3.0
"""When the main job's region or link is cut, and for how long."""

RATE_OPS_S = 25.0
HAND_OVERS_PERCENT = 5
"""Of operations, where rows have a home: it is moved while links are cut, too."""

TAKE_OVERS_PERCENT = 1

LOSS_AT_S, LOSS_DURATION_S = 5.0, 30.0
"""When the main job's writer is lost where its region has a standby, and for how long."""

APART_KEYS = 128
"""So many that some are written for the first time while a link is cut, and again elsewhere."""

KEPT = MappingProxyType({"crdt": ("elements", "counters"), "home_region": ("counters",)})
"""What a strategy promises more of than that regions end alike: always tried, the last first."""

TIMEOUT_MS = 1000

TAIL_S = 1.0
SERVED_S = 2.0
"""For how long a region is watched that must be served again."""
EXAMPLE_S_MIN = 4.0


def test_conflict_resolution(arena: Arena, options: Options, deployment: Deployment) -> None:
    """Every promise holds, whatever the schedule."""
    if options.plan is not None:
        arena.examine(load_plan(options.plan))
        return
    first = deployment.topology.regions[0].name
    cut: tuple[Step, ...] = (Step("region-cut", first, MAIN_AT_S, MAIN_DURATION_S),)
    if has_standbys(deployment.topology):
        cut = (*cut, Step("node-kill", "role:primary", LOSS_AT_S, LOSS_DURATION_S))

    @search_settings(options, EXAMPLE_S_MIN)
    @seed(options.seed)
    @given(
        schedule=schedules(deployment.topology),
        workload=st.sampled_from(workloads(str(deployment.variables["conflict_resolution"]))),
        # Few keys conflict often; of many, some are written for the first time during a fault.
        keys=st.sampled_from([4, 32, 128]),
    )
    def search(schedule: tuple[Step, ...], workload: str, keys: int) -> None:
        arena.examine(plan(deployment, options, schedule, workload, keys))

    if options.lane == 0:
        for workload in KEPT.get(str(deployment.variables["conflict_resolution"]), ()):
            search = example(schedule=cut, workload=workload, keys=4)(search)
        # The last is tried first. Rows that one region writes for the first time while another one
        # cannot hear of them, and a third can.
        search = example(schedule=apart(deployment.topology), workload="items", keys=APART_KEYS)(
            search
        )
        search = example(schedule=cut, workload="items", keys=4)(search)
    search()


def apart(topology: Topology) -> tuple[Step, ...]:
    """The first link is cut, both ways, while a clock is ahead."""
    last = topology.members("mesh")[-1].name
    return (
        Step("clock-skew", last, MAIN_AT_S - 0.5, MAIN_DURATION_S + 0.5, {"ahead_ms": 5000}),
        Step("link-cut", topology.links[0].name, MAIN_AT_S, MAIN_DURATION_S, {"direction": "both"}),
    )


def has_standbys(topology: Topology) -> bool:
    """Whether a region has another node that can take writes."""
    return len(topology.members("mesh")) > len(topology.regions)


def schedules(topology: Topology) -> SearchStrategy[tuple[Step, ...]]:
    """Links that are cut or slow, and writers that are lost.

    Where a region has a standby, its writer is lost as well. Where it has none, the region is away
    until the node is back, which takes as long as several partitions: there it is a schedule of its
    own, and a rare one.
    """
    links = st.integers(0, 3).flatmap(
        lambda number: slowed(topology) if number == 3 else partitions(topology)
    )
    if not has_standbys(topology):
        return st.integers(0, 7).flatmap(
            lambda number: lone_losses(topology) if number == 7 else links
        )
    return st.tuples(links, writer_losses(topology)).map(
        lambda both: tuple(sorted((*both[0], both[1]), key=lambda step: step.at_s))
    )


def workloads(strategy: str) -> list[str]:
    """What is written: sets with removals only where they are merged, and by the control."""
    sets = ["elements"] if strategy in {"crdt", "none"} else []
    return ["items", "items", "counters", *sets]


def plan(
    deployment: Deployment,
    options: Options,
    schedule: tuple[Step, ...],
    workload: str,
    keys: int,
) -> Plan:
    """The plan of one example."""
    parameters = {"keys": keys}
    if deployment.variables["conflict_resolution"] == "home_region":
        parameters["hand_overs_percent"] = HAND_OVERS_PERCENT
        if workload == "items":
            parameters["take_overs_percent"] = TAKE_OVERS_PERCENT
    load = Load(workload, RATE_OPS_S, timeout_ms=TIMEOUT_MS, parameters=parameters)
    lost = [step for step in schedule if step.kind in OF_A_NODE]
    again = bool(lost) and not has_standbys(deployment.topology)
    served_s = [
        step.at_s
        + bounds.rto(step.kind, deployment.variables, TIMEOUT_MS).total_ms / 1000
        + SERVED_S
        for step in lost
        if not again
    ]
    awaited_s = converged_within_ms(deployment, again=True) / 1000 + GIVEN_UP_S
    return example_plan(
        "conflict_resolution",
        deployment,
        options,
        load=load,
        schedule=schedule,
        duration_s=round(max([lasting_s(schedule, TAIL_S), *served_s]), 1),
        inspections=("mesh",),
        # Until its bound is over, or a region that never comes back would be no broken promise.
        recovery_s=round(awaited_s, 1) if again else None,
    )
