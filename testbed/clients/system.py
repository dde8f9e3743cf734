"""Which system a topology runs: asked here, and nowhere else."""

from __future__ import annotations

from testbed.toolchain.added import points
from testbed.topology.model import Node, Topology

POSTGRES, MESH, PLACEMENT = "postgres", "mesh", "placement"
"""One cluster with one primary; a mesh of clusters that all take writes; a cluster for each
jurisdiction, which takes its own."""


def system_of(topology: Topology) -> str:
    """The name of the system that a topology runs: the group of its nodes."""
    for system in (MESH, PLACEMENT, *points("systems")):
        if topology.members(system):
            return system
    return POSTGRES


def data_nodes(topology: Topology) -> tuple[Node, ...]:
    """The nodes that hold data, whatever the system."""
    return topology.members(POSTGRES) or topology.members(system_of(topology))
