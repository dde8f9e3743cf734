"""Whether a plan can work on a deployment: everything that can be known before it runs."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.catalogue import EXPERIMENTS
from faults.catalogue import problems as fault_problems
from testbed.clients.catalogue import SYSTEMS, system_of
from testbed.probes.inspections import problems as inspection_problems
from testbed.runner.plan import Plan
from testbed.runner.plan_document import PlanError
from testbed.topology.model import Deployment, Topology
from testbed.workloads.catalogue import problems as load_problems


def refuse_unfit(plan: Plan, deployment: Deployment, source: str) -> None:
    """Refuse a plan whose faults, load or promises can't work on its deployment.

    Args:
        plan: What is to run.
        deployment: What it is to run on.
        source: Where the plan came from, for the message.

    Raises:
        PlanError: With every problem.
    """
    found = [
        f"schedule step {number}: {problem}"
        for number, step in enumerate(plan.schedule, 1)
        for problem in fault_problems(step.kind, step.target, step.parameters, deployment.topology)
    ]
    found += load_problems(plan.load.workload, plan.load.parameters)
    found += unknown_to_clients((plan.load.workload,), deployment.topology)
    found += inspection_problems(plan.inspections)
    if plan.experiment not in EXPERIMENTS:
        found.append(f"unknown experiment '{plan.experiment}' (known: {', '.join(EXPERIMENTS)})")
    if found:
        raise PlanError(source, found)


def unknown_to_clients(workloads: Sequence[str], topology: Topology) -> list[str]:
    """What keeps the clients of a deployment's system from doing any of some workloads."""
    name = system_of(topology)
    able = SYSTEMS[name].workloads
    if not able or able.intersection(workloads):
        return []
    listed, known = " or ".join(workloads), ", ".join(sorted(able))
    return [f"clients of {name} do not know the workload {listed}; they know {known}"]
