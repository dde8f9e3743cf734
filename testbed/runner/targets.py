"""Targets of faults: by name, or by the role that a node holds at the moment of the injection."""

from __future__ import annotations

from faults.protocol import FaultError
from testbed.probes.protocol import Probe
from testbed.topology.model import Topology


class Targets:
    """Resolves targets in one world.

    Args:
        topology: Its names.
        probe: Who holds a role now.
    """

    def __init__(self, topology: Topology, probe: Probe) -> None:
        self._topology = topology
        self._probe = probe
        self._known = {node.name for node in topology.nodes} | {
            region.name for region in topology.regions
        }

    async def resolve(self, target: str) -> str:
        """One name of the topology.

        ``role:primary`` is the node that holds the role, ``region-of:primary`` its region; the
        name of a node or of a region is itself.

        Raises:
            FaultError: Nobody holds the role, or the name is not in the topology.
        """
        kind, _, role = target.partition(":")
        if kind in ("role", "region-of") and role:
            holder = await self._probe.holder(role)
            if holder is None:
                raise FaultError(f"nobody holds the role '{role}' now, so '{target}' is no target")
            return holder if kind == "role" else self._topology.node(holder).region
        if target not in self._known:
            known = ", ".join(sorted(self._known))
            raise FaultError(f"'{target}' is neither a node nor a region (known: {known})")
        return target
