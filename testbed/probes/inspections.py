"""The inspections by name: a new one is a file here, and a line below."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from testbed.probes.erasure import ErasureInspection
from testbed.probes.failover_slots import FailoverSlotsInspection
from testbed.probes.inspection import Inspection, Scene
from testbed.probes.mesh_watch import MeshInspection
from testbed.probes.replication import ReplicationInspection
from testbed.probes.residency import ResidencyInspection

INSPECTIONS: Mapping[str, Callable[[Scene], Inspection]] = MappingProxyType(
    {
        "failover_slots": FailoverSlotsInspection,
        "replication": ReplicationInspection,
        "residency": ResidencyInspection,
        "erasure": ErasureInspection,
        "mesh": MeshInspection,
    }
)
"""Name in a plan -> maker of the inspection."""


def problems(names: tuple[str, ...]) -> list[str]:
    """Names that are no inspection's, a sentence each."""
    known = ", ".join(INSPECTIONS)
    return [
        f"unknown inspection '{name}' (known: {known})" for name in names if name not in INSPECTIONS
    ]
