"""Where operators' work on a jurisdiction's data is done, and how its nodes are told."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from faults.protocol import FaultError
from testbed.topology.model import Node, Topology
from testbed.topology.placement import Policy
from testbed.world.protocol import World

_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Site:
    """Where a work is done.

    Args:
        world: The running world.
        primary: The primary of the jurisdiction.
        jurisdiction: Its name.
        topology: The world's.
        policy: That the deployment was made from; None where it has none.
    """

    world: World
    primary: Node
    jurisdiction: str
    topology: Topology
    policy: Policy | None = None


def store_of(site: Site) -> Node:
    """The jurisdiction's own store.

    Raises:
        FaultError: It has none.
    """
    for node in site.topology.members("stores"):
        if site.topology.region(node.region).jurisdiction == site.jurisdiction:
            return node
    raise FaultError(f"{site.jurisdiction} has no store: name another region")


async def run(site: Site, node: Node, script: str, limit_s: float = _LIMIT_S) -> str:
    """Run a script on a node; what it wrote.

    Raises:
        FaultError: It failed; says what it said.
    """
    done = await asyncio.to_thread(
        site.world.execute,
        node.name,
        ["bash", "-e", "-o", "pipefail", "-c", script],
        timeout_s=limit_s,
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()[-300:]
        raise FaultError(f"the work on {node.name} failed: {said}")
    return done.stdout.decode(errors="replace")
