"""A recorded run: what its folder held, as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from faults.protocol import Evidence
from testbed.report.judgement import FaultRecord, Judgement
from testbed.report.log_lines import LogLine
from testbed.report.reading import Problem
from testbed.runner.plan import Plan


class Call(NamedTuple):
    """An invocation with what became of it.

    Args:
        region: The client's region; empty where the history does not say.
        process: The client.
        f: The function asked for.
        kind: ``write`` or ``read``, or ``other`` for what is no part of the load (markers, set-up).
        invoked_s: When it was sent.
        due_s: When the load meant to send it.
        completed_s: When it was answered; the time of the invocation where it never was.
        outcome: ``ok``, ``fail`` or ``info``; ``info`` too where it was never answered.
        node: Who answered, as far as known.
    """

    region: str
    process: str
    f: str
    kind: str
    invoked_s: float
    due_s: float
    completed_s: float
    outcome: str
    node: str


class RoleSample(NamedTuple):
    """What a node said of itself at a moment; ``cluster`` is empty where there is one only."""

    time_s: float
    node: str
    role: str
    timeline: str
    leader: str
    cluster: str = ""


class StreamLook(NamedTuple):
    """What the servers said of one stream of replication at a moment.

    Args:
        time_s: When they had answered.
        sender: Whose changes flow; empty while nobody is primary.
        receiver: The node that they flow to.
        running: Whether they flow.
        lag_ms: Since when the sender had had something that the receiver lacked; None where nobody
            could tell.
    """

    time_s: float
    sender: str
    receiver: str
    running: bool
    lag_ms: float | None


class FaultMark(NamedTuple):
    """A step of a fault, as the history has it; ``shown`` is False where evidence was wanting."""

    time_s: float
    kind: str
    title: str
    phase: str
    resolved: str
    shown: bool


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """Everything that a run left behind, as far as it could be read.

    Args:
        folder: The run folder.
        plan: None when ``plan.json`` is missing or unreadable.
        judgement: None when ``verdict.json`` is missing or unreadable.
        calls: Operations of clients, by time of invocation.
        marks: Steps of faults in the history.
        roles: By time.
        streams: By time; empty where nobody looked.
        evidence: By time.
        logs: What the programs of the nodes logged, by time.
        problems: All that is missing or wrong, each with what to do.
    """

    folder: Path
    plan: Plan | None = None
    judgement: Judgement | None = None
    calls: tuple[Call, ...] = ()
    marks: tuple[FaultMark, ...] = ()
    roles: tuple[RoleSample, ...] = ()
    streams: tuple[StreamLook, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    logs: tuple[LogLine, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def schedule(self) -> tuple[FaultRecord, ...]:
        """The faults: as judged, else as the history has them."""
        if self.judgement and self.judgement.schedule:
            return self.judgement.schedule
        return _faults_of_history(self.marks)


def _faults_of_history(marks: tuple[FaultMark, ...]) -> tuple[FaultRecord, ...]:
    """One record an injection; later steps go to the latest injection of that title."""
    steps: list[dict[str, FaultMark]] = []
    latest: dict[str, dict[str, FaultMark]] = {}
    for mark in marks:
        if mark.phase == "inject" or mark.title not in latest:
            latest[mark.title] = {}
            steps.append(latest[mark.title])
        latest[mark.title].setdefault(mark.phase, mark)
    return tuple(_record(found) for found in steps)


def _record(found: Mapping[str, FaultMark]) -> FaultRecord:
    first = next(iter(found.values()))
    times = {phase: mark.time_s for phase, mark in found.items() if mark.shown}
    return FaultRecord(
        kind=first.kind,
        target=first.title.removeprefix(first.kind).strip(),
        resolved=next((mark.resolved for mark in found.values() if mark.resolved), ""),
        inject_s=times.get("inject"),
        effect_s=times.get("effect"),
        heal_s=times.get("heal"),
        absence_s=times.get("absence"),
    )
