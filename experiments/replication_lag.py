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

from experiments import lag_schedules
from experiments.arena import Arena, Judgement
from experiments.example_plan import example_plan, lasting_s
from experiments.lag_search import Disturbance, Worst, search_worst
from experiments.options import Options
from testbed.checkers.verdict import Validity
from testbed.clients.catalogue import writes_everywhere
from testbed.runner.folder import FolderError, read_json, write_json
from testbed.runner.plan import Load, Plan, Step
from testbed.runner.plan_document import load_plan, to_document
from testbed.topology.model import Deployment

DEPLOYMENT = "active-passive"

RATE_OPS_S = 50.0
"""Of each region's clients: half of it by sessions, the rest watches when changes arrive."""

TIMEOUT_MS = 4000
"""A write waits for a standby that hears of it by a narrow link."""

MAIN_ROWS = 2000
"""Of a long transaction: a mesh applies it alone, and what was written after it waits."""

TAIL_S = 3.0


def test_replication_lag(arena: Arena, options: Options, deployment: Deployment) -> None:
    """Every promise holds, whatever the schedule; the worst lag is looked for and kept."""
    if options.plan is not None:
        arena.examine(load_plan(options.plan))
        return
    one_primary = not writes_everywhere(deployment.topology)
    worst = Worst()

    def lag_ms(schedule: tuple[Step, ...], bulk_rows: int) -> float | None:
        planned = plan(deployment, options, schedule, bulk_rows)
        judgement = arena.examine(planned)
        lag = None if judgement is None else _lag_ms(judgement)
        if lag is not None and judgement is not None:
            run = str(judgement.folder.path)
            if worst.note(lag, {"run": run, "plan": to_document(planned)}):
                write_json(
                    options.out / f"worst-lag-lane{options.lane}.json",
                    {"lag_ms": lag, **worst.found},
                )
        return lag

    search_worst(
        deployment.topology,
        options,
        lag_ms,
        first=_first(deployment, one_primary=one_primary) if options.lane == 0 else (),
        switchover=one_primary,
    )


def _first(deployment: Deployment, *, one_primary: bool) -> tuple[Disturbance, ...]:
    """What every suite begins with: links that are narrow in turn, and a moved primary."""
    # A standby's stream has every page and index entry; a subscriber's has rows.
    narrow = lag_schedules.one_after_the_other(deployment.topology, 192 if one_primary else 64)
    moved = lag_schedules.failover(deployment.topology)
    return ((narrow, MAIN_ROWS), (moved, 0)) if one_primary else ((narrow, MAIN_ROWS),)


def _lag_ms(judgement: Judgement) -> float | None:
    """The longest lag that a run surely had; None where it was not measured or not believed."""
    if judgement.validity is not Validity.VALID:
        return None
    try:
        found = read_json(judgement.folder.verdict)["measures"]["lag"]["worst_ms"]
    except (FolderError, KeyError, TypeError):
        return None
    return None if found is None else float(found)


def plan(
    deployment: Deployment, options: Options, schedule: tuple[Step, ...], bulk_rows: int
) -> Plan:
    """The plan of one example."""
    load = Load(
        "sessions",
        rate_ops_s=RATE_OPS_S,
        timeout_ms=TIMEOUT_MS,
        parameters={"bulk_rows": bulk_rows, "bulk_every": 30} if bulk_rows else {},
    )
    duration_s = lasting_s(schedule, TAIL_S, moment_s=8.0, alone_s=8.0)
    return example_plan(
        "replication_lag",
        deployment,
        options,
        load=load,
        schedule=schedule,
        duration_s=duration_s,
        inspections=("replication",),
    )
