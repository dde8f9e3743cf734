"""The systems that clients can speak to, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from testbed.clients import postgres_entry, session_entry
from testbed.clients.protocol import Client, Endpoint
from testbed.clients.system import MESH, PLACEMENT, POSTGRES, data_nodes, system_of
from testbed.toolchain.added import WithAdded
from testbed.toolchain.programs import Program, locate
from testbed.topology.model import Topology


def _no_sessions(_: Topology) -> tuple[Endpoint, ...]:
    return ()


def _of_postgres() -> tuple[Program, ...]:
    return tuple(map(locate, ("postgres", "patroni", "consul", "haproxy")))


@dataclass(frozen=True, slots=True)
class System:
    """What a load needs to know of a system.

    Args:
        entries: The endpoints through which the clients of every region enter.
        nodes: One endpoint for each node that holds data, past every proxy.
        connector: ``(topology, workload, space, timeout_ms, variables) -> endpoint -> client``;
            the variables are the deployment's.
        programs: Finds the real programs that its nodes run. The role has the path of each as the
            variable ``NAME_program``, the evidence of a run its version, and a snapshot is made
            anew when one is another file.
        sessions: One endpoint for the sessions of every region, which write and read; none where
            the system has no such clients.
        writes_everywhere: Whether each region takes writes of its own, rather than one for all.
        leases: Whether a failure is overcome only when somebody's lease has run out.
        workloads: Those whose functions its clients perform; empty for all.
    """

    entries: Callable[[Topology], tuple[Endpoint, ...]]
    nodes: Callable[[Topology], tuple[Endpoint, ...]]
    connector: Callable[[Topology, str, int, int, Mapping[str, Any]], Callable[[Endpoint], Client]]
    programs: Callable[[], tuple[Program, ...]]
    sessions: Callable[[Topology], tuple[Endpoint, ...]] = _no_sessions
    writes_everywhere: bool = False
    leases: bool = True
    workloads: frozenset[str] = frozenset()


_POSTGRES = System(
    postgres_entry.entries,
    postgres_entry.node_endpoints,
    session_entry.connector,
    _of_postgres,
    session_entry.sessions,
    workloads=frozenset({"set", "register", "bank", "sessions"}),
)

SYSTEMS: Mapping[str, System] = WithAdded(
    "systems",
    {
        # One cluster with one primary; and a mesh of clusters that all take writes.
        POSTGRES: _POSTGRES,
        MESH: replace(
            _POSTGRES,
            writes_everywhere=True,
            leases=False,
            # What regions merge: nothing else that its clients write is sent anywhere.
            workloads=frozenset({"items", "counters", "elements", "sessions"}),
        ),
        # Clusters of jurisdictions: clients write in their own.
        PLACEMENT: replace(
            _POSTGRES, writes_everywhere=True, workloads=frozenset({"personal_data"})
        ),
    },
)
"""Name -> system. A new one is a file beside ``postgres.py`` and a line here, or a line in another
package's ``testbed.systems``; its name is the inventory group of its nodes."""


def writes_everywhere(topology: Topology) -> bool:
    """Whether each region of a topology takes writes of its own, rather than one for all."""
    return SYSTEMS[system_of(topology)].writes_everywhere


def versions(topology: Topology) -> dict[str, str]:
    """The version of each program that a world of a topology runs: its system's, and the wan's.

    Raises:
        ToolchainError: One is missing; the message says how to get it.
    """
    found = (*SYSTEMS[system_of(topology)].programs(), locate("toxiproxy-server"))
    return {program.name: program.version for program in found}


__all__ = ["SYSTEMS", "System", "data_nodes", "system_of", "versions", "writes_everywhere"]
