"""The drill: a plan with people in it, as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from testbed.runner.plan import Load, Step

DRILL_VERSION = 1

SIGNALS: Mapping[str, str] = {
    "success_ratio": "part of the clients' operations that succeed in the worst region, 0 to 1",
    "latency_ms_p99": "99th percentile of their latency in the worst region, in ms",
    "lag_bytes": "WAL that the slowest node has not replayed, in bytes",
    "primaries": "nodes that say of themselves that they are primary",
}
"""What is watched while a drill goes on: name and meaning."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A limit of a signal.

    Args:
        signal: A name of ``SIGNALS``.
        op: ``min`` (less is out of bounds) or ``max`` (more is).
        limit: The limit itself, in the signal's unit.
    """

    signal: str
    op: str
    limit: float

    def holds(self, value: float | None) -> bool:
        """Whether a reading is within bounds; one that is missing is not."""
        if value is None:
            return False
        return value >= self.limit if self.op == "min" else value <= self.limit

    def __str__(self) -> str:
        return f"{self.signal} {'>=' if self.op == 'min' else '<='} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class SteadyState:
    """What healthy means, and how long it is measured before anything is broken."""

    measured_s: float
    bounds: tuple[Bound, ...]


@dataclass(frozen=True, slots=True)
class Inject:
    """Something that is broken on the timeline.

    Args:
        name: In the facilitator's words.
        step: The fault, when, and for how long.
        hidden: Whether responders are left to find it.
        told: What responders are told when it is not hidden; empty for its name.
    """

    name: str
    step: Step
    hidden: bool
    told: str = ""


@dataclass(frozen=True, slots=True)
class StopCondition:
    """What ends a drill by itself.

    Args:
        name: In words.
        bound: What must hold.
        for_s: How long it may be out of bounds.
    """

    name: str
    bound: Bound
    for_s: float


@dataclass(frozen=True, slots=True)
class BlastRadius:
    """How much may be broken.

    Args:
        regions: Where anything may be broken.
        faults_at_once: How many faults may hold at a time.
        duration_s: How long the drill may take from its first second on.
    """

    regions: tuple[str, ...]
    faults_at_once: int
    duration_s: float


@dataclass(frozen=True, slots=True)
class Objective:
    """What the drill is to show.

    Args:
        says: In one or two sentences, for people.
        promises: The experiment whose promises judge the drill.
        primary: ``stays``, ``moves`` or ``anywhere``: who acknowledges writes in the end.
        jurisdiction: The only legal area whose nodes may acknowledge writes; empty for any.
        alerts: Names of the alerts that the injects must set off, where Prometheus watches.
    """

    says: str
    promises: str
    primary: str = "anywhere"
    jurisdiction: str = ""
    alerts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rollback:
    """How everything is undone.

    Args:
        says: What is done, for people.
        within_s: By when every fault must be healed.
        healthy_s: By when the world must be healthy again.
    """

    says: str
    within_s: float
    healthy_s: float


@dataclass(frozen=True, slots=True)
class Control:
    """The negative control: the same drill where the objective must be missed.

    Args:
        says: What is weakened.
        settings: The variables that weaken it.
    """

    says: str
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Drill:
    """Everything that a drill file says.

    Args:
        name: The file's, without its ending.
        title: For those who may know.
        briefing: What responders are told beforehand.
        deployment: Whose world it is played in.
        settings: Variables of the deployment that it changes.
        primary_region: Where the primary must stand before it begins; empty for anywhere.
        load: What the clients do.
        seed: Of every draw.
        steady_state: What healthy means.
        objective: What it is to show.
        roles: Who does what, by role.
        blast_radius: How much may be broken.
        injects: What is broken, in order.
        stop_conditions: What ends it by itself.
        rollback: How everything is undone.
        questions: For the debrief.
        control: Its negative control; None without one.
    """

    name: str
    title: str
    briefing: str
    deployment: str
    settings: Mapping[str, Any]
    primary_region: str
    load: Load
    seed: int
    steady_state: SteadyState
    objective: Objective
    roles: Mapping[str, str]
    blast_radius: BlastRadius
    injects: tuple[Inject, ...]
    stop_conditions: tuple[StopCondition, ...]
    rollback: Rollback
    questions: tuple[str, ...]
    control: Control | None = None
    version: int = field(default=DRILL_VERSION)
