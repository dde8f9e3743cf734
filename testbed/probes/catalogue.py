"""The probes, by the system that they observe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from testbed.probes.mesh import MeshProbe
from testbed.probes.patroni import PatroniProbe
from testbed.probes.placement import PlacementProbe
from testbed.probes.protocol import Probe
from testbed.toolchain.added import WithAdded
from testbed.topology.model import Topology


def _patroni(topology: Topology, variables: Mapping[str, Any]) -> Probe:
    return PatroniProbe(topology, str(variables.get("replication", "asynchronous")))


def _mesh(topology: Topology, variables: Mapping[str, Any]) -> Probe:
    return MeshProbe(topology, str(variables.get("replication", "asynchronous")))


def _placement(topology: Topology, variables: Mapping[str, Any]) -> Probe:
    return PlacementProbe(topology, str(variables.get("replication", "asynchronous")))


PROBES: Mapping[str, Callable[[Topology, Mapping[str, Any]], Probe]] = WithAdded(
    "probes", {"postgres": _patroni, "mesh": _mesh, "placement": _placement}
)
"""System -> maker of its probe, from the topology and the deployment's variables. A new one is a
line here, or a line in another package's ``testbed.probes``."""
