"""Where clients enter a PostgreSQL deployment, and how they connect there."""

from __future__ import annotations

from collections.abc import Callable

from testbed.clients.protocol import Client, Endpoint
from testbed.clients.system import system_of
from testbed.topology.model import Topology

WRITER_PORT = 5000
"""HAProxy's port that follows the primary."""

READER_PORT = 5001
"""HAProxy's port for the region's own replica."""

NODE_PORT = 5432
"""PostgreSQL itself."""


def entries(topology: Topology) -> tuple[Endpoint, ...]:
    """Writer and reader of every region's first HAProxy."""
    found = []
    for region in topology.regions:
        for proxy in topology.members("haproxy", region.name)[:1]:
            found.append(Endpoint("writer", proxy.address, WRITER_PORT, region.name))
            found.append(Endpoint("reader", proxy.address, READER_PORT, region.name))
    return tuple(found)


def node_endpoints(topology: Topology) -> tuple[Endpoint, ...]:
    """Every PostgreSQL node directly, past every proxy."""
    return tuple(
        Endpoint(node.name, node.address, NODE_PORT, node.region)
        for node in topology.members("postgres")
    )


def connector(
    topology: Topology, workload: str, space: int, timeout_ms: int
) -> Callable[[Endpoint], Client]:
    """A function that makes the client of an endpoint."""
    from testbed.clients.postgres import PostgresClient  # noqa: PLC0415 - slow to import

    names = {node.address: node.name for node in topology.nodes}
    system = system_of(topology)

    def connect(endpoint: Endpoint) -> Client:
        return PostgresClient(endpoint, names, workload, space, timeout_ms, system=system)

    return connect
