"""Which system a topology runs: asked here, and nowhere else."""

from __future__ import annotations

from testbed.topology.model import Topology

POSTGRES, MESH, PLACEMENT = "postgres", "mesh", "placement"
"""One cluster with one primary; a mesh of clusters that all take writes; a cluster for each
jurisdiction, which takes its own."""


def system_of(topology: Topology) -> str:
    """The name of the system that a topology runs."""
    for system in (MESH, PLACEMENT):
        if topology.members(system):
            return system
    return POSTGRES
