"""Plays the playbooks on a world that runs: a region joins, or is seeded again; else nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from testbed.provision.ansible import Provisioned, provision
from testbed.provision.program_paths import program_variables
from testbed.provision.progress import Listener
from testbed.topology.inventory import find, load, reference
from testbed.topology.model import Deployment
from testbed.topology.problem import InventoryError, Place, Problem
from testbed.world.namespaces import NamespaceWorld


def deployment_for(
    world: NamespaceWorld, name: str | None, overrides: Mapping[str, Any]
) -> Deployment:
    """What is to be played on a world: by default what it was made of, with its variables.

    Args:
        world: That runs.
        name: A shipped deployment, or the path of an inventory folder; None for the world's own.
        overrides: Variables that are to be others than the world has, by name.

    Raises:
        InventoryError: The inventory has a problem, or nodes that the world has not.
    """
    folder = find(name or world.deployment)
    plain = load(folder)
    kept = {k: v for k, v in world.variables.items() if k in plain.variables}
    deployment = load(folder, {**kept, **overrides})
    problems = _misfits(world, deployment)
    if problems:
        raise InventoryError(Problem(Place(reference(folder)), *each) for each in problems)
    return deployment


def _misfits(world: NamespaceWorld, deployment: Deployment) -> list[tuple[str, str]]:
    """What a world lacks of a deployment, with what to do."""
    make = "bring up a world that has it, with --empty"
    here, wanted = world.topology, deployment.topology
    names = {node.name for node in here.nodes}
    nodes = [node for node in wanted.nodes if node not in here.nodes]
    lacks = [f"{'another' if one.name in names else 'no'} node {one.name}" for one in nodes]
    lacks += [f"no such link {link.name}" for link in wanted.links if link not in here.links]
    return [(f"world {world.name} has {each}", make) for each in lacks]


def play_again(
    world: NamespaceWorld,
    deployment: Deployment,
    *,
    check: bool = False,
    listener: Listener | None = None,
) -> Provisioned:
    """Play ``site.yml`` and a user's own playbooks on a world.

    What is as it should be stays untouched: a second time changes nothing.

    Args:
        world: That runs.
        deployment: Whose nodes it has, perhaps among others.
        check: Change nothing, and say what would be changed.
        listener: Told of each task and node.

    Raises:
        ProvisionError: It failed; names the tasks and the nodes.
        ToolchainError: A program is missing.
        WorldError: A node has ended.
    """
    programs = program_variables(deployment.topology)
    return provision(world, deployment, programs, check=check, listener=listener)
