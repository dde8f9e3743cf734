"""The jurisdiction that a fault is about: whether there is a policy, and who its primary is."""

from __future__ import annotations

from faults.deadline import look_until
from faults.protocol import FaultError
from testbed.probes.servers import primaries
from testbed.topology.model import Node, Topology

LED_S = 45.0
"""How long a jurisdiction may lack a primary: a lease runs out, and a standby takes over."""


def objections(target: str, topology: Topology) -> list[str]:
    """What makes a target pointless: that its deployment has no placement policy."""
    if topology.members("placement"):
        return []
    return [f"{target} keeps no placement policy: choose a deployment that has one"]


def servers_of(topology: Topology, jurisdiction: str) -> tuple[Node, ...]:
    """The database servers of a jurisdiction, in the inventory's order."""
    return tuple(
        node
        for node in topology.members("postgres")
        if topology.region(node.region).jurisdiction == jurisdiction
    )


async def primary_of(topology: Topology, jurisdiction: str, title: str) -> Node:
    """The server of a jurisdiction that takes writes, as soon as there is one.

    Args:
        topology: The world's.
        jurisdiction: Its name.
        title: The fault's, for the error.

    Raises:
        FaultError: None did in time.
    """
    servers = servers_of(topology, jurisdiction)
    writable = await look_until(lambda: primaries(servers), bool, limit_s=LED_S)
    if not writable:
        raise FaultError(f"{title}: no server of {jurisdiction} took writes within {LED_S:.0f} s")
    return writable[0]
