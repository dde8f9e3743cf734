"""A recorded run: everything that judging needs, read from its folder, with no cluster."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from faults.protocol import Evidence
from testbed.history.fault_window import FaultWindow, fault_windows
from testbed.history.history import History
from testbed.history.journal import read
from testbed.runner.ending import Ending, ending
from testbed.runner.folder import FolderError, RunFolder, read_json, read_lines
from testbed.runner.plan import Plan
from testbed.runner.plan_document import load_plan
from testbed.runner.pressure import Pressure
from testbed.topology.document import DocumentError, from_document
from testbed.topology.model import Deployment


@dataclass(frozen=True)
class RecordedRun:
    """What a run left behind.

    Args:
        folder: Where it is.
        plan: What was to be run.
        deployment: Topology and variables that it ran on.
        history: What clients saw, and the faults.
        evidence: What each fault was shown to do, in order.
        ending: How it ended.
        pressure: How starved the runner was; None when the run left no reading.
        programs: Version by program.
        started: When it began, in ISO 8601, for people; empty when the run left no word of it.
    """

    folder: RunFolder
    plan: Plan
    deployment: Deployment
    history: History
    evidence: tuple[Evidence, ...]
    ending: Ending
    pressure: Pressure | None
    programs: Mapping[str, str]
    started: str = ""

    @cached_property
    def windows(self) -> tuple[FaultWindow, ...]:
        """When each fault was injected, seen to bite, healed, seen gone."""
        return fault_windows(self.history)

    @cached_property
    def region_of(self) -> Mapping[str, str]:
        """Region by node."""
        return {node.name: node.region for node in self.deployment.topology.nodes}


def read_run(folder: RunFolder) -> RecordedRun:
    """Read a run folder.

    Raises:
        FolderError: A file is missing or damaged; says which.
        PlanError: The plan is damaged or of a newer version.
        HistoryError: The journal is damaged elsewhere than at its end.
    """
    plan = load_plan(folder.plan)
    setup = read_json(folder.deployment)
    try:
        deployment = from_document(setup["deployment"])
        programs = dict(setup.get("programs", {}))
    except (DocumentError, KeyError, TypeError, ValueError) as error:
        raise FolderError(f"{folder.deployment} is damaged: {error}") from error
    if not folder.history.exists():
        raise FolderError(f"{folder.path} has no {folder.history.name}: nothing was recorded")
    return RecordedRun(
        folder=folder,
        plan=plan,
        deployment=deployment,
        history=read(folder.history),
        evidence=tuple(read_lines(folder.evidence, _evidence)),
        ending=ending(folder),
        pressure=_pressure(folder),
        programs=programs,
        started=_started(folder),
    )


def _evidence(document: dict[str, Any]) -> Evidence:
    """A line of ``evidence.jsonl``."""
    known = {field.name for field in fields(Evidence)}
    found = Evidence(**{name: value for name, value in document.items() if name in known})
    if type(found.time) is not int or not isinstance(found.observation, str):
        raise TypeError("no time or no observation")
    return found


def _started(folder: RunFolder) -> str:
    try:
        moment = datetime.fromtimestamp(read_json(folder.ending)["started"], tz=UTC)
    except (FolderError, KeyError, TypeError, ValueError, OverflowError):
        return ""
    return moment.isoformat(timespec="seconds")


def _pressure(folder: RunFolder) -> Pressure | None:
    """The reading; None where there is none.

    Raises:
        FolderError: It is damaged: how late the runner was is not known.
    """
    try:
        document: dict[str, Any] = read_json(folder.ending)
        found = document["pressure"]
    except (FolderError, KeyError, TypeError):
        return None
    if found is None:
        return None
    try:
        pressure = Pressure(**found)
    except TypeError as error:
        raise FolderError(f"{folder.ending}: pressure is damaged: {error}") from error
    for name, value in asdict(pressure).items():
        if type(value) not in (int, float) or not math.isfinite(value):
            raise FolderError(f"{folder.ending}: pressure.{name} is no number: {value!r}")
    return pressure
