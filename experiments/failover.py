"""Failover: what an active-passive cluster promises its clients while regions and nodes fail.

Promises, each judged from what clients saw (see ``experiments/failover_promises.py``):

- no acknowledged write is lost;
- at most one primary acknowledges writes at a time;
- a region that can reach a quorum is served again within a bound computed from the timers;
- after healing a new write reaches every node within a bound;
- reads at a replica never run backwards within one connection.

Run it with ``testbed run failover``, or with ``pytest experiments/failover.py``.
"""

from __future__ import annotations

from hypothesis import example, given, seed
from hypothesis import strategies as st

from experiments.arena import Arena
from experiments.failover_plan import failover_plan
from experiments.options import Options
from experiments.search import search_settings
from experiments.strategies import FIRST_FAULT_S, schedules
from testbed.clients.catalogue import SYSTEMS, system_of
from testbed.runner.plan import Plan, Step
from testbed.runner.plan_document import load_plan
from testbed.topology.model import Deployment, Topology
from testbed.topology.settings import assignments

DEPLOYMENT = "active-passive"

MAIN = (Step("region-cut", "region-of:primary", FIRST_FAULT_S, 25.0),)
"""The main job: the primary's region is cut from all others."""

EXAMPLE_S_MIN = 10.0


def test_failover(arena: Arena, options: Options, deployment: Deployment) -> None:
    """Every promise holds, whatever the schedule."""
    if options.plan is not None:
        arena.examine(load_plan(options.plan))
        return
    workloads = st.sampled_from(workloads_of(deployment.topology))

    @search_settings(options, EXAMPLE_S_MIN)
    @seed(options.seed)
    @given(schedule=schedules(deployment.topology), workload=workloads)
    def search(schedule: tuple[Step, ...], workload: str) -> None:
        arena.examine(plan(deployment, options, schedule, workload))

    # One lane is enough for the main job; the others search from the start.
    if options.lane == 0:
        search = example(schedule=MAIN, workload=workloads_of(deployment.topology)[0])(search)
    search()


def workloads_of(topology: Topology) -> list[str]:
    """What clients do, as often as it is listed: what those of the system can."""
    able = SYSTEMS[system_of(topology)].workloads
    return [name for name in ("set", "set", "register", "bank") if name in able or not able]


def plan(
    deployment: Deployment, options: Options, schedule: tuple[Step, ...], workload: str
) -> Plan:
    """The plan of one example."""
    variables = {name: deployment.variables[name] for name in assignments(options.settings)}
    return failover_plan(deployment, schedule, workload, seed=options.seed, variables=variables)
