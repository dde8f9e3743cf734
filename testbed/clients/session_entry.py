"""Where the sessions of a PostgreSQL deployment go: their region's entry, and every node."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any, cast

from testbed.clients import postgres_entry
from testbed.clients.postgres_entry import entries, node_endpoints
from testbed.clients.protocol import Client, Endpoint
from testbed.clients.session import Entrances, Routing, SessionClient
from testbed.clients.system import MESH, system_of
from testbed.clients.ways import ways
from testbed.topology.model import Topology

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

    To a node of another region they go by its link, see :func:`testbed.clients.ways.ways`.

    Raises:
        KeyError: No entry for writes, or no way to a node.
    """
    writers = {one.region: one for one in entries(topology) if one.name == "writer"}
    return Entrances(
        writer=writers[region],
        nodes=ways(topology, region, node_endpoints(topology)),
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
