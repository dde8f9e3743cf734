"""Conflict resolution: what an active-active mesh promises when regions write the same rows.

Promises, each judged from what clients saw (see ``experiments/conflict_promises.py``):

- after healing, the changes of every region reach every other one within a bound;
- every region then has the same rows;
- a row ends with a write that no later one, which could have known of it, replaced;
- counters end with all increments that were acknowledged, where the strategy says so;
- no stream fails again and again, and no slot keeps WAL without bound, also where a region was away
  for longer than the others keep for it;
- PostgreSQL's own conflict counters agree with what clients wrote;
- a region that is cut off goes on serving its own clients.

Run it with ``testbed run conflict_resolution`` (or pytest and this file).
The strategy is a variable: ``--set conflict_resolution=none`` is the control that must fail.
"""

from __future__ import annotations

from hypothesis import example, given, seed
from hypothesis import strategies as st

from experiments.arena import Arena
from experiments.example_plan import example_plan, lasting_s
from experiments.options import Options
from experiments.search import search_settings
from experiments.strategies import partitions
from testbed.runner.plan import Load, Plan, Step
from testbed.runner.plan_document import load_plan
from testbed.topology.model import Deployment

DEPLOYMENT = "active-active"

MAIN_AT_S, MAIN_DURATION_S = 2.0, 4.0
"""When the main job's region is cut, and for how long."""

RATE_OPS_S = 25.0
HAND_OVERS_PERCENT = 5
"""Of operations, where rows have a home: it is moved while links are cut, too."""

TAIL_S = 1.0
EXAMPLE_S_MIN = 8.0


def test_conflict_resolution(arena: Arena, options: Options, deployment: Deployment) -> None:
    """Every promise holds, whatever the schedule."""
    if options.plan is not None:
        arena.examine(load_plan(options.plan))
        return
    first = deployment.topology.regions[0].name
    main = (Step("region-cut", first, MAIN_AT_S, MAIN_DURATION_S),)

    @search_settings(options, EXAMPLE_S_MIN)
    @seed(options.seed)
    @given(
        schedule=partitions(deployment.topology),
        workload=st.sampled_from(workloads(str(deployment.variables["conflict_resolution"]))),
        # Few keys conflict often; of many, some are written for the first time during a fault.
        keys=st.sampled_from([4, 32, 256]),
    )
    def search(schedule: tuple[Step, ...], workload: str, keys: int) -> None:
        arena.examine(plan(deployment, options, schedule, workload, keys))

    if options.lane == 0:
        search = example(schedule=main, workload="items", keys=4)(search)
    search()


def workloads(strategy: str) -> list[str]:
    """What is written: sets with removals only where they are merged."""
    return ["items", "items", "counters", *(["elements"] if strategy == "crdt" else [])]


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
    load = Load(workload, RATE_OPS_S, timeout_ms=1000, parameters=parameters)
    duration_s = lasting_s(schedule, TAIL_S)
    return example_plan(
        "conflict_resolution",
        deployment,
        options,
        load=load,
        schedule=schedule,
        duration_s=duration_s,
        inspections=("mesh",),
    )
