"""The systems that clients can speak to, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from testbed.clients import postgres_entry
from testbed.clients.protocol import Client, Endpoint
from testbed.topology.model import Topology


@dataclass(frozen=True, slots=True)
class System:
    """What a load needs to know of a system.

    Args:
        entries: The endpoints through which the clients of every region enter.
        nodes: One endpoint for each node that holds data, past every proxy.
        connector: ``(topology, workload, space, timeout_ms) -> endpoint -> client``.
    """

    entries: Callable[[Topology], tuple[Endpoint, ...]]
    nodes: Callable[[Topology], tuple[Endpoint, ...]]
    connector: Callable[[Topology, str, int, int], Callable[[Endpoint], Client]]


SYSTEMS: Mapping[str, System] = MappingProxyType(
    {
        "postgres": System(
            postgres_entry.entries, postgres_entry.data_nodes, postgres_entry.connector
        ),
    }
)
"""Name -> system. A new one is a file beside ``postgres.py`` and a line here."""
