"""The plan: all that a replay needs, as data. JSON in, run out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PLAN_VERSION = 1


@dataclass(frozen=True, slots=True)
class Step:
    """One fault on the timeline.

    Args:
        kind: A kind of the fault catalogue, for example ``region-cut``.
        target: A region, link (``a->b``), node, ``NODE/PROGRAM`` or role (``role:primary``,
            ``region-of:primary``, ``role:dcs-leader``, ``role:primary/postgres``).
        at_s: When it is injected, in seconds after the load began.
        duration_s: How long it holds; None for a fault that has no heal (a switchover).
        parameters: The kind's own parameters, by name with the unit last.
    """

    kind: str
    target: str
    at_s: float
    duration_s: float | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Load:
    """What the clients do.

    Args:
        workload: A name of the workload catalogue: ``set``, ``register``, ``bank``.
        rate_ops_s: Operations a second in each region, open loop.
        processes: Concurrent client processes in each region.
        timeout_ms: After it an operation is ``info`` and its process retires.
        parameters: The workload's own parameters.
    """

    workload: str
    rate_ops_s: float = 30.0
    processes: int = 8
    timeout_ms: int = 1000
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """Deployment, variables, load, schedule and seed.

    Args:
        deployment: Folder name below ``inventory/``.
        variables: What ``--set`` changed, by name.
        load: What the clients do.
        schedule: The faults, in order of ``at_s``.
        seed: Of every random draw in the run.
        duration_s: How long the load runs.
        experiment: Name of the experiment whose promises judge the run.
        inspections: What is looked at besides, from before the load until after the heal: names of
            the catalogue ``testbed/probes/inspections.py``.
        recovery_s: How long a mark that is written after the load is awaited at every node; None
            for as long as the system's kind may need.
        version: Of this format; a newer one is refused.
    """

    deployment: str
    load: Load
    schedule: tuple[Step, ...]
    seed: int
    duration_s: float
    variables: Mapping[str, Any] = field(default_factory=dict)
    experiment: str = "failover"
    inspections: tuple[str, ...] = ()
    recovery_s: float | None = None
    version: int = PLAN_VERSION
