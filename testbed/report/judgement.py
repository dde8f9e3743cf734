"""What was judged of a run: the verdicts, the measures and what they rest on, as frozen data.

Every time (``*_s``) is in seconds on the clock of the run's history.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from testbed.checkers.verdict import Cause


class Outcome(enum.StrEnum):
    """How a run ended."""

    VALID = "valid"
    UNKNOWN = "unknown"
    ERROR = "error"
    VIOLATION = "violation"

    @property
    def exit_code(self) -> int:
        """What a command that judged it exits with: 0 for valid alone."""
        return {"valid": 0, "violation": 1, "unknown": 2, "error": 3}[self.value]


_RANK = (Outcome.VALID, Outcome.UNKNOWN, Outcome.ERROR, Outcome.VIOLATION)


def merge_outcomes(outcomes: Iterable[Outcome]) -> Outcome:
    """Several runs as one: violation > error > unknown > valid; none at all is unknown."""
    return max(outcomes, key=_RANK.index, default=Outcome.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Promise:
    """One verdict: a promise and whether it was kept."""

    name: str
    promise: str
    outcome: Outcome
    reason: str = ""
    counterexample: tuple[Any, ...] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True, slots=True)
class Recovery:
    """The time without service in one region after one fault.

    Args:
        region: Whose clients waited.
        fault: The fault's title.
        from_s: When service was lost.
        until_s: The first acknowledged write after it; None when none came.
        rto_s: Their distance, as the measure has it; None when service did not come back.
        bound_s: What was promised, or None.
    """

    region: str
    fault: str
    from_s: float | None
    until_s: float | None
    rto_s: float | None
    bound_s: float | None = None


@dataclass(frozen=True, slots=True)
class LostWrite:
    """A write that was acknowledged and is in no final read."""

    value: Any
    key: Any = None
    acknowledged_s: float | None = None
    region: str = ""
    node: str = ""
    process: str = ""


@dataclass(frozen=True, slots=True)
class DataLoss:
    """The lost writes, and the figures to check their number with.

    Args:
        lost: In order of their acknowledgement.
        acknowledged: How many writes were acknowledged in the whole run.
        rate_ops_s: Acknowledged writes a second before the fault, of the clients that lost some.
        window_s: How long writes were acknowledged that no other node could have.
        delay_ms: One-way delay to the nearest standby.
    """

    lost: tuple[LostWrite, ...] = ()
    acknowledged: float | None = None
    rate_ops_s: float | None = None
    window_s: float | None = None
    delay_ms: float | None = None


@dataclass(frozen=True, slots=True)
class FaultRecord:
    """One fault of the schedule, with when each of its steps happened."""

    kind: str
    target: str
    resolved: str = ""
    duration_s: float | None = None
    inject_s: float | None = None
    effect_s: float | None = None
    heal_s: float | None = None
    absence_s: float | None = None

    @property
    def title(self) -> str:
        """Kind and target for people."""
        return f"{self.kind} {self.target}".strip()


@dataclass(frozen=True, slots=True)
class LinkReading:
    """What was asked of a directed link, and what real bytes met on it."""

    link: str
    asked_ms: float | None = None
    measured_ms_p50: float | None = None
    measured_ms_p99: float | None = None
    readings: float | None = None


@dataclass(frozen=True, slots=True)
class LagPoint:
    """What the lag of a link was at most, of what was made in one stretch of time; in ms."""

    time_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


@dataclass(frozen=True, slots=True)
class LinkLag:
    """Replication lag of a directed link by one measurement.

    Args:
        measurement: Who measured: ``servers``, ``heartbeats``, ``clients``.
        link: Both regions.
        origin: The node where changes were made.
        seen_at: The node where they were seen.
        floor_ms: The least that the link takes, or None.
        count: Of samples.
        unseen: Of what was never seen there.
        quantiles_ms: Bounds of the p50, p95, p99 and of the longest, as far as known.
        series: Over time.
    """

    measurement: str
    link: str
    origin: str = ""
    seen_at: str = ""
    floor_ms: float | None = None
    count: float | None = None
    unseen: float | None = None
    quantiles_ms: tuple[tuple[float, float] | None, ...] = (None, None, None, None)
    series: tuple[LagPoint, ...] = ()


@dataclass(frozen=True, slots=True)
class ReplicationLag:
    """Replication lag of a run.

    Args:
        worst_ms: The longest that surely was, by any measurement; None where none was seen.
        links: By link and measurement.
    """

    worst_ms: float | None = None
    links: tuple[LinkLag, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeStaleness:
    """How old the answers of reads at a node surely were, at least; in ms.

    Args:
        node: Who answered.
        reads: How many there were.
        stale: How many of them lacked a write that had been acknowledged.
    """

    node: str
    reads: float | None = None
    stale: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    max_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """All of ``verdict.json``.

    Args:
        acknowledged_writes: How many of the load were; None where nobody counted them.
    """

    outcome: Outcome
    reasons: tuple[str, ...] = ()
    experiment: str = ""
    example: str = ""
    started: str = ""
    promises: tuple[Promise, ...] = ()
    recoveries: tuple[Recovery, ...] = ()
    loss: DataLoss | None = None
    lag: ReplicationLag | None = None
    staleness: tuple[NodeStaleness, ...] = ()
    acknowledged_writes: float | None = None
    availability: Mapping[str, float] = field(default_factory=dict)
    schedule: tuple[FaultRecord, ...] = ()
    links: tuple[LinkReading, ...] = ()
    regions: Mapping[str, str] = field(default_factory=dict)
    nodes: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)

    def kept(self, found: Recovery) -> Outcome | None:
        """Whether service was back in time; None where nothing was promised.

        What is late by the clock may be nobody's fault: the run was over before the bound was, or
        the machine was starved. Then the promise itself is undecided.
        """
        if found.bound_s is None:
            return None
        if found.rto_s is not None and found.rto_s <= found.bound_s:
            return Outcome.VALID
        open_ = any(one.name == "rto" and one.outcome is Outcome.UNKNOWN for one in self.promises)
        return Outcome.UNKNOWN if open_ else Outcome.VIOLATION
