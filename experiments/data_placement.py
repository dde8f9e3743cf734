"""Data placement: personal data is, and was, only where its class may be.

Promises, each judged from a run folder alone (see ``experiments/placement_promises.py``):

- no canary of personal data is found outside its jurisdictions, in any file or on any link;
- rows of a jurisdiction are taken and held by servers of it alone: what cannot be served at home is
  unavailable, and not moved;
- after healing, what may cross reaches every node;
- after an erasure nothing of the data subject is found anywhere.

Every run carries its positive controls; one that lacks them is inconclusive. Run it with ``testbed
run data_placement`` (or pytest and this file). ``--set placement_mutant=NAME`` is a deployment that
is broken in one way, ``--set erasure_method=delete`` an erasure that is none: each must be caught.
"""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import example, given, seed
from hypothesis import strategies as st

from experiments.arena import Arena
from experiments.example_plan import example_plan, lasting_s
from experiments.options import Options
from experiments.placement_strategies import FIRST_S, schedules, stale_filters, writes
from experiments.search import search_settings
from testbed.runner.plan import Load, Plan, Step
from testbed.runner.plan_document import load_plan
from testbed.topology.model import Deployment

DEPLOYMENT = "data-placement"

RATE_OPS_S = 15.0
OPERATIONS = 180.0
"""Of a region in a run: a long one writes more slowly, since every canary is looked for."""

TIMEOUT_MS = 2000
TAIL_S = 3.0
PATIENT_BUDGET_S = 300.0
"""From here on what takes three minutes is drawn as well."""

EXAMPLE_S_MIN = 15.0
MOVES = frozenset({"switchover", "node-kill"})
"""Faults that move a primary: what a standby needs to take over must be there before."""

CUT_S = 3.0
"""How long the first example's region is cut off."""


def test_data_placement(arena: Arena, options: Options, deployment: Deployment) -> None:
    """Every promise holds, whatever is written and whatever fails."""
    if options.plan is not None:
        arena.examine(load_plan(options.plan))
        return
    last = deployment.topology.regions[-1].name
    patient = options.budget_s >= PATIENT_BUDGET_S
    filters = stale_filters(deployment.topology, str(deployment.variables["replication"]))
    main = (Step("region-cut", last, FIRST_S, CUT_S),)

    @search_settings(options, EXAMPLE_S_MIN)
    @seed(options.seed)
    @given(
        schedule=schedules(deployment, patient=patient),
        mix=writes(),
        erase=st.booleans(),
    )
    def search(schedule: tuple[Step, ...], mix: Mapping[str, int], erase: bool) -> None:
        arena.examine(plan(deployment, options, schedule, mix, erase=erase))

    if options.lane == 0:
        if patient and filters:
            # Of eight seeds, two draw it in time.
            search = example(schedule=filters, mix={}, erase=False)(search)
        # A deployment that is broken in another way need not show how it erases.
        sound = deployment.variables["placement_mutant"] == "none"
        search = example(schedule=main, mix={}, erase=sound)(search)
    search()


def plan(
    deployment: Deployment,
    options: Options,
    schedule: tuple[Step, ...],
    mix: Mapping[str, int],
    *,
    erase: bool,
) -> Plan:
    """The plan of one example."""
    duration_s = lasting_s(schedule, TAIL_S, moment_s=5.0, alone_s=6.0)
    moves = bool(MOVES.intersection(step.kind for step in schedule))
    load = Load(
        "personal_data",
        rate_ops_s=round(min(RATE_OPS_S, OPERATIONS / duration_s), 1),
        timeout_ms=TIMEOUT_MS,
        parameters=dict(mix),
    )
    inspections = (
        *(("failover_slots",) if moves else ()),
        "residency",
        *(("erasure",) if erase else ()),
    )
    return example_plan(
        "data_placement",
        deployment,
        options,
        load=load,
        schedule=schedule,
        duration_s=duration_s,
        inspections=inspections,
    )
