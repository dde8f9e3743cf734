"""The plan of one failover run: long enough for every outage to be seen to end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.bounds import bounds_of
from testbed.runner.plan import Load, Plan, Step
from testbed.topology.inventory import reference
from testbed.topology.model import Deployment

RATE_OPS_S = 25.0
"""Of each region's clients: enough to see a gap of a tenth of a second, little enough for worlds
in parallel."""

TAIL_S = 5.0
"""The load runs on after the last heal."""

GIVEN_UP_S = 5.0
"""For so long beyond the bound a node is waited for: later than that changes no verdict."""


def failover_plan(
    deployment: Deployment,
    schedule: Sequence[Step],
    workload: str = "set",
    *,
    rate_ops_s: float = RATE_OPS_S,
    timeout_ms: int = 1000,
    seed: int = 0,
    variables: Mapping[str, Any] | None = None,
) -> Plan:
    """A plan whose load goes on until every outage of the greatest allowed length has ended.

    Args:
        deployment: What it runs on.
        schedule: The faults, in order of ``at_s``.
        workload: ``set``, ``register`` or ``bank``: what clients do, and so what can be judged.
        rate_ops_s: Of each region's clients.
        timeout_ms: After it an operation's outcome is unknown.
        seed: Of every random draw.
        variables: What ``--set`` changed, for the replay.
    """
    bounds, ends = bounds_of(deployment.topology), []
    for step in schedule:
        bound = bounds.rto(step.kind, deployment.variables, timeout_ms)
        ends.append(step.at_s + max(step.duration_s or 0.0, bound.total_ms / 1000))
    recovery_s = bounds.recovery(deployment.variables).total_ms / 1000 + GIVEN_UP_S
    return Plan(
        deployment=reference(deployment.folder),
        variables=dict(variables or {}),
        load=Load(workload, rate_ops_s=rate_ops_s, timeout_ms=timeout_ms),
        schedule=tuple(schedule),
        seed=seed,
        duration_s=round(max(ends, default=10.0) + TAIL_S, 1),
        experiment="failover",
        recovery_s=round(recovery_s, 1),
    )
