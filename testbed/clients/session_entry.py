"""Where the sessions of a PostgreSQL deployment go: their region's entry, and every node."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any, cast

from testbed.clients import postgres_entry
from testbed.clients.postgres_entry import NODE_PORT, data_nodes, entries
from testbed.clients.protocol import Client, Endpoint
from testbed.clients.session import Entrances, Routing, SessionClient
from testbed.clients.system import MESH, system_of
from testbed.topology.model import Topology
from testbed.world.addressing import listeners

SESSION = "session"
"""The name of the endpoint of sessions; a workload sends what belongs to one session there."""


def sessions(topology: Topology) -> tuple[Endpoint, ...]:
    """One endpoint for the sessions of each region."""
    return tuple(
        Endpoint(SESSION, entry.host, entry.port, entry.region)
        for entry in entries(topology)
        if entry.name == "writer"
    )


def entrances(topology: Topology, region: str) -> Entrances:
    """Where the sessions of a region go.

    To a node of another region they go as that region's own programs do: through the listener of
    the directed link, whose delay, limits and cuts hold for them.

    Raises:
        KeyError: No entry for writes, or no way to a node.
    """
    writers = {one.region: one for one in entries(topology) if one.name == "writer"}
    ways = {
        one.node_address: (one.gateway, one.port)
        for one in listeners(topology)
        if one.source == region and one.node_port == NODE_PORT
    }
    nodes = []
    for node in data_nodes(topology):
        host, port = (node.host, node.port) if node.region == region else ways[node.host]
        nodes.append(Endpoint(node.name, host, port, region))
    return Entrances(
        writer=writers[region],
        nodes=tuple(nodes),
        regions={node.name: node.region for node in topology.members("postgres")},
        mesh=system_of(topology) == MESH,
    )


def connector(
    topology: Topology, workload: str, space: int, timeout_ms: int, variables: Mapping[str, Any]
) -> Callable[[Endpoint], Client]:
    """A function that makes the client of an endpoint: one connection, or a session of several.

    Args:
        topology: Where to.
        workload: Its name.
        space: Number of the run.
        timeout_ms: For a connection and for each statement.
        variables: The deployment's: ``read_routing`` and ``read_routing_wait_ms``.
    """
    connect = postgres_entry.connector(topology, workload, space, timeout_ms)
    # Sessions that begin at once do not all begin at the same node.
    turns = itertools.count()
    places = {one.region: entrances(topology, one.region) for one in sessions(topology)}
    routing = cast("Routing", str(variables.get("read_routing", "session")))
    wait_ms = int(variables.get("read_routing_wait_ms", 500))

    def begin(endpoint: Endpoint) -> Client:
        if endpoint.name != SESSION:
            return connect(endpoint)
        return SessionClient(places[endpoint.region], routing, wait_ms, connect, next(turns))

    return begin
