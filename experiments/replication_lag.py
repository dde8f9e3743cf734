"""Replication lag: how far replicas are behind, and what the sessions of clients see of it.

Promises, each judged from what clients saw (see ``experiments/lag_promises.py``):

- the four session guarantees: a client reads what it wrote, never less than it has read, and its
  writes take effect in their order, and after what it had seen;
- no read is older than the schedule's disturbances explain;
- after healing a new write reaches every node within a bound.

Run it with ``testbed run replication_lag`` (or pytest and this file), on either deployment. Where
sessions read is a variable: ``--set read_routing=any_replica`` is the control that must fail.
"""

from __future__ import annotations

from hypothesis import example, given, seed
from hypothesis import strategies as st

from experiments import lag_schedules
from experiments.arena import Arena
from experiments.options import Options
from experiments.search import search_settings
from testbed.clients.catalogue import SYSTEMS, system_of
from testbed.runner.plan import Load, Plan, Step
from testbed.runner.plan_document import load_plan
from testbed.topology.model import Deployment
from testbed.topology.settings import assignments

DEPLOYMENT = "active-passive"

RATE_OPS_S = 50.0
"""Of each region's clients: half of it by sessions, the rest watches when changes arrive."""

TIMEOUT_MS = 4000
"""A write waits for a standby that hears of it by a narrow link."""

MAIN_ROWS = 2000
"""Of a long transaction: a mesh applies it alone, and what was written after it waits."""

TAIL_S = 3.0
EXAMPLE_S_MIN = 10.0


def test_replication_lag(arena: Arena, options: Options, deployment: Deployment) -> None:
    """Every promise holds, whatever the schedule."""
    if options.plan is not None:
        arena.examine(load_plan(options.plan))
        return
    topology = deployment.topology
    one_primary = not SYSTEMS[system_of(topology)].writes_everywhere
    # A standby's stream has every page and index entry; a subscriber's has rows.
    main = lag_schedules.one_after_the_other(topology, 192 if one_primary else 64)

    @search_settings(options, EXAMPLE_S_MIN)
    @seed(options.seed)
    @given(
        schedule=lag_schedules.disturbed(topology, switchover=one_primary),
        bulk_rows=st.sampled_from([0, 2000, 10_000]),
    )
    def search(schedule: tuple[Step, ...], bulk_rows: int) -> None:
        arena.examine(plan(deployment, options, schedule, bulk_rows))

    if options.lane == 0:
        if one_primary:
            search = example(schedule=lag_schedules.failover(topology), bulk_rows=0)(search)
        search = example(schedule=main, bulk_rows=MAIN_ROWS)(search)
    search()


def plan(
    deployment: Deployment, options: Options, schedule: tuple[Step, ...], bulk_rows: int
) -> Plan:
    """The plan of one example."""
    ends = [step.at_s + (step.duration_s or 8.0) for step in schedule]
    return Plan(
        deployment=deployment.name,
        variables={name: deployment.variables[name] for name in assignments(options.settings)},
        load=Load(
            "sessions",
            rate_ops_s=RATE_OPS_S,
            timeout_ms=TIMEOUT_MS,
            parameters={"bulk_rows": bulk_rows, "bulk_every": 30} if bulk_rows else {},
        ),
        schedule=schedule,
        seed=options.seed,
        duration_s=round(max(ends, default=8.0) + TAIL_S, 1),
        experiment="replication_lag",
        inspections=("replication",),
    )
