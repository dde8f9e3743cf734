"""What the plans of all examples of an experiment have in common."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.options import Options
from testbed.runner.plan import Load, Plan, Step
from testbed.topology.inventory import reference
from testbed.topology.model import Deployment
from testbed.topology.settings import assignments


def lasting_s(
    schedule: Sequence[Step], tail_s: float, *, moment_s: float = 0.0, alone_s: float = 4.0
) -> float:
    """How long a load goes on, in s.

    Args:
        schedule: The faults.
        tail_s: The load runs on after the last of them.
        moment_s: What a fault without a duration is given.
        alone_s: What there is to see where nothing is broken.
    """
    ends = [step.at_s + (step.duration_s or moment_s) for step in schedule]
    return round(max(ends, default=alone_s) + tail_s, 1)


def example_plan(
    experiment: str,
    deployment: Deployment,
    options: Options,
    *,
    load: Load,
    schedule: tuple[Step, ...],
    duration_s: float,
    inspections: tuple[str, ...],
    recovery_s: float | None = None,
) -> Plan:
    """The plan of one example, which has of the deployment's variables what ``--set`` changed."""
    return Plan(
        deployment=reference(deployment.folder),
        variables={name: deployment.variables[name] for name in assignments(options.settings)},
        load=load,
        schedule=schedule,
        seed=options.seed,
        duration_s=duration_s,
        experiment=experiment,
        inspections=inspections,
        recovery_s=recovery_s,
    )
