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
from experiments.lag_schedules import Burden, Trial
from experiments.lag_search import Worst, search_worst
from experiments.options import Options
from testbed.checkers.verdict import Validity
from testbed.clients.catalogue import writes_everywhere
from testbed.runner.folder import FolderError, read_json, write_json
from testbed.runner.plan import Load, Plan
from testbed.runner.plan_document import load_plan, to_document
from testbed.topology.model import Deployment

DEPLOYMENT = "active-passive"

TIMEOUT_MS = 4000
"""A write waits for a standby that hears of it by a narrow link."""

MAIN_ROWS = 2000
"""Of a long transaction: a mesh applies it alone, and what was written after it waits."""

BULK_EVERY = 30
"""So many writes of sessions to one long transaction."""

SLOW_OPS_S, SLOW_PULSES_PERCENT = 25, 12
"""Up to this rate so many of the operations are pulses, by which measurements are compared. Where
regions have standbys, half of what clients see is of links that nothing else measures."""

CRASH_RATE_OPS_S = 25
"""Half of the usual: who takes over serves everybody's sessions from another region."""

CRASH_BUDGET_S = 300.0

TAIL_S = 1.0


def test_replication_lag(arena: Arena, options: Options, deployment: Deployment) -> None:
    """Every promise holds, whatever the schedule; the worst lag is looked for and kept."""
    if options.plan is not None:
        arena.examine(load_plan(options.plan))
        return
    worst = Worst()

    def lag_ms(trial: Trial) -> float | None:
        planned = plan(deployment, options, trial)
        judgement = arena.examine(planned)
        lag = None if judgement is None else lag_of(judgement)
        if lag is not None and judgement is not None:
            run = str(judgement.folder.path)
            if worst.note(lag, {"run": run, "plan": to_document(planned)}):
                write_json(
                    options.out / f"worst-lag-lane{options.lane}.json",
                    {"lag_ms": lag, **worst.found},
                )
        return lag

    search_worst(deployment.topology, options, lag_ms, first=first(deployment, options))


def first(deployment: Deployment, options: Options) -> tuple[Trial, ...]:
    """What a suite begins with: links that are narrow in turn, a moved primary, a lost one.

    A lost primary takes a minute: it is the second lane's, or that of a suite with time for it.
    """
    topology = deployment.topology
    moves = lag_schedules.can_move(topology)
    lost = (Trial(lag_schedules.crash(), Burden(rate_ops_s=CRASH_RATE_OPS_S)),) if moves else ()
    if options.lane:
        return lost if options.lane == 1 else ()
    # A standby's stream has every page and index entry; a subscriber's has rows.
    kbytes_s = 64 if writes_everywhere(topology) else 192
    narrow = lag_schedules.one_after_the_other(topology, kbytes_s)
    moved = (Trial(lag_schedules.failover(topology)),) if moves else ()
    patient = lost if options.budget_s >= CRASH_BUDGET_S else ()
    return (Trial(narrow, Burden(rows=MAIN_ROWS)), *moved, *patient)


def lag_of(judgement: Judgement) -> float | None:
    """The longest lag that a run surely had; None where it was not measured or not believed."""
    if judgement.validity is not Validity.VALID:
        return None
    try:
        found = read_json(judgement.folder.verdict)["measures"]["lag"]["worst_ms"]
    except (FolderError, KeyError, TypeError):
        return None
    return None if found is None else float(found)


def plan(deployment: Deployment, options: Options, trial: Trial) -> Plan:
    """The plan of one example."""
    burden = trial.burden
    long = {"bulk_rows": burden.rows, "bulk_open_ms": burden.open_ms, "bulk_every": BULK_EVERY}
    slow = {"pulse_percent": SLOW_PULSES_PERCENT} if burden.rate_ops_s <= SLOW_OPS_S else {}
    load = Load(
        "sessions",
        rate_ops_s=float(burden.rate_ops_s),
        timeout_ms=TIMEOUT_MS,
        parameters={**slow, **(long if burden.rows or burden.open_ms else {})},
    )
    return example_plan(
        "replication_lag",
        deployment,
        options,
        load=load,
        schedule=trial.schedule,
        duration_s=lasting_s(trial.schedule, TAIL_S, moment_s=6.0, alone_s=8.0),
        inspections=("replication",),
    )
