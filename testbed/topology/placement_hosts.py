"""What Ansible is told of a placement policy: variables of each host with a part."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from testbed.topology.model import Deployment
from testbed.topology.placement_mutants import NONE, sabotaged
from testbed.topology.placement_plan import PlacementPlan, plan_of

MUTANT = "placement_mutant"
"""The variable that names a mistake made on purpose."""


def placement_plan(deployment: Deployment) -> PlacementPlan | None:
    """What every host of a deployment does; None where it has no policy.

    Raises:
        MutantError: The variable ``placement_mutant`` asks for what cannot be done there.
    """
    policy = deployment.policy
    if policy is None:
        return None
    scopes = {
        region: str(values["patroni_scope"])
        for region, values in deployment.region_variables.items()
    }
    plan = plan_of(policy, deployment.topology, scopes)
    mutant = str(deployment.variables.get(MUTANT, NONE))
    return sabotaged(mutant, policy, deployment.topology, plan)


def placement_variables(deployment: Deployment) -> dict[str, dict[str, Any]]:
    """Variables by host; none for a host without a part."""
    plan, policy = placement_plan(deployment), deployment.policy
    if plan is None or policy is None:
        return {}
    document = policy.document()
    tables, shared = document["tables"], {"residency": policy.residency, "free": policy.free}
    servers = {
        name: {
            "patroni_scope": part.scope,
            "placement_part": {**asdict(part), **shared, "tables": list(tables.values())},
        }
        for name, part in plan.servers.items()
    }
    stores = {
        name: {"store_part": {**asdict(part), **shared, "tables": list(tables.values())}}
        for name, part in plan.stores.items()
    }
    return {**servers, **stores}
