"""What faults ask of the keeper of a mesh node."""

from __future__ import annotations

from typing import Any

import aiohttp

from faults.protocol import Context
from testbed.probes.mesh import KEEPER_PORT
from testbed.topology.model import Topology

TIMEOUT_S = 5.0


def objections(target: str, topology: Topology, why: str) -> list[str]:
    """What makes a target pointless: that it is no node of a mesh.

    Args:
        target: As the plan has it.
        topology: Names and groups.
        why: What a node elsewhere does not do, as a verb and its object.
    """
    able = [node.name for node in topology.members("mesh")]
    if target in able or (able and target.startswith("role:")):
        return []
    listed = ", ".join(able) or "this deployment has none"
    return [f"{target} {why}: name a node in group 'mesh' ({listed})"]


async def ask(
    context: Context, node: str, body: dict[str, Any] | None = None, timeout_s: float = TIMEOUT_S
) -> dict[str, Any]:
    """The keeper's report, after what the body asks for; an empty object without an answer."""
    url = f"http://{context.world.topology.node(node).address}:{KEEPER_PORT}/"
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.request("GET" if body is None else "POST", url, json=body) as answer,
        ):
            document: dict[str, Any] = await answer.json(content_type=None)
            return document
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        return {}
