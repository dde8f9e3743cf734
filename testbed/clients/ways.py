"""The ways of a region's clients to nodes: direct at home, by a link's listener abroad."""

from __future__ import annotations

from collections.abc import Iterable

from testbed.clients.protocol import Endpoint
from testbed.topology.model import Topology
from testbed.world.addressing import listeners


def ways(topology: Topology, region: str, nodes: Iterable[Endpoint]) -> tuple[Endpoint, ...]:
    """Nodes as the clients of a region reach them.

    A client that opens a connection to a node of another region at the node's own address goes
    past the emulated links. By these ways it goes as that region's own programs do: through the
    listener of the directed link, whose delay, limits and cuts hold for it.

    Args:
        topology: Of the world.
        region: The clients'.
        nodes: Endpoints of nodes, directly.

    Raises:
        KeyError: A node of another region has that port not among its ``wan_ports``.
    """
    abroad = {
        (one.node_address, one.node_port): (one.gateway, one.port)
        for one in listeners(topology)
        if one.source == region
    }
    found = []
    for node in nodes:
        at = (node.host, node.port)
        host, port = at if node.region == region else abroad[at]
        found.append(Endpoint(node.name, host, port, region))
    return tuple(found)
