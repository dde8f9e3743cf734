"""Every kind of fault, by name: built from a plan's step, or refused with every problem at once."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from faults.clock_skew import ClockSkew
from faults.dcs_leader_loss import DcsLeaderLoss
from faults.link_bandwidth import LinkBandwidth
from faults.link_cut import LinkCut
from faults.link_jitter import LinkJitter
from faults.link_latency import LinkLatency
from faults.link_limit_data import LinkLimitData
from faults.link_reset import LinkReset
from faults.link_slicer import LinkSlicer
from faults.link_slow_close import LinkSlowClose
from faults.link_timeout import LinkTimeout
from faults.maintenance import Maintenance
from faults.node_kill import NodeKill
from faults.node_pause import NodePause
from faults.parameter import complaints, nearest, values
from faults.process_kill import ProcessKill
from faults.process_pause import ProcessPause
from faults.protocol import Fault, FaultError
from faults.region_cut import RegionCut
from faults.slot_drop import SlotDrop
from faults.slot_loss import SlotLoss
from faults.switchover import Switchover
from faults.target import target_problems
from testbed.topology.model import Topology

_CLASSES: tuple[type[Fault], ...] = (
    RegionCut,
    LinkCut,
    LinkLatency,
    LinkJitter,
    LinkBandwidth,
    LinkReset,
    LinkSlowClose,
    LinkLimitData,
    LinkSlicer,
    LinkTimeout,
    ProcessKill,
    ProcessPause,
    NodeKill,
    NodePause,
    DcsLeaderLoss,
    Switchover,
    ClockSkew,
    Maintenance,
    SlotLoss,
    SlotDrop,
)

CATALOGUE: Mapping[str, type[Fault]] = MappingProxyType({fault.kind: fault for fault in _CLASSES})


def problems(
    kind: str, target: str, parameters: Mapping[str, Any], topology: Topology
) -> list[str]:
    """What is wrong with a step of a plan before it runs, a sentence each; empty when it is good.

    Args:
        kind: A key of ``CATALOGUE``.
        target: What it breaks, by name or by role.
        parameters: The kind's own, by name with the unit last.
        topology: Of the deployment that the plan runs on.
    """
    if kind not in CATALOGUE:
        return [_unknown(kind)]
    fault = CATALOGUE[kind]
    found = complaints(fault.manual.parameters, parameters)
    found += target_problems(fault.manual.target, target, topology)
    if not found:
        found += fault.objections(target, values(fault.manual.parameters, parameters), topology)
    return [f"{kind}: {problem}" for problem in found]


def build(kind: str, target: str, parameters: Mapping[str, Any]) -> Fault:
    """One injection of a fault.

    Raises:
        FaultError: Unknown kind or bad parameters; lists every problem.
    """
    if kind not in CATALOGUE:
        raise FaultError(_unknown(kind))
    fault = CATALOGUE[kind]
    found = complaints(fault.manual.parameters, parameters)
    if found:
        raise FaultError("\n".join(f"{kind} {target}: {problem}" for problem in found))
    # Its constructor takes what its manual lists, which a test sees to.
    make: Any = fault
    made: Fault = make(target, **values(fault.manual.parameters, parameters))
    return made


def _unknown(kind: Any) -> str:
    return f"unknown fault {kind!r}{nearest(str(kind), CATALOGUE)}; known: {', '.join(CATALOGUE)}"
