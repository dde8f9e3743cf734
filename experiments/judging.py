"""Judges a run folder: verdicts, measures and what they rest on, from the journal alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from statistics import median
from types import MappingProxyType
from typing import Any

from experiments.catalogue import EXPERIMENTS
from experiments.conflict_promises import conflicts
from experiments.failover_promises import failover
from experiments.lag_promises import lagging
from experiments.measuring import MEASURES, seconds_of
from experiments.placement_promises import placed
from experiments.setting import Setting, setting_of
from testbed.checkers.verdict import Validity, Verdict, merge
from testbed.history.fault_window import FaultWindow
from testbed.history.problem import HistoryError
from testbed.measures.latency import percentile
from testbed.report.verdict_file import VERDICT_VERSION
from testbed.runner.folder import FolderError, RunFolder, write_json
from testbed.runner.recorded import RecordedRun, read_run

PROMISES: Mapping[str, Callable[[Setting], tuple[Verdict, ...]]] = MappingProxyType(
    {
        "failover": failover,
        "conflict_resolution": conflicts,
        "replication_lag": lagging,
        "data_placement": placed,
    }
)
"""Experiment -> what its runs are judged by."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a run was judged to be.

    Args:
        validity: Merged over all promises; None when the environment failed.
        summary: One line for people.
        verdicts: One a promise.
    """

    validity: Validity | None
    summary: str
    verdicts: tuple[Verdict, ...]


def judge(folder: RunFolder) -> Judged:
    """Judge a run and write ``verdict.json``.

    Raises:
        FolderError: The folder is incomplete or damaged, or can't be written.
    """
    run = read_run(folder)
    if run.plan.experiment not in EXPERIMENTS:
        known = ", ".join(EXPERIMENTS)
        raise FolderError(
            f"{folder.plan}: unknown experiment '{run.plan.experiment}' (known: {known})"
        )
    try:
        setting = setting_of(run)
        verdicts = PROMISES[run.plan.experiment](setting)
        measures: dict[str, Any] = {}
        for measure in MEASURES[run.plan.experiment]:
            measures |= measure(setting)
    except HistoryError as error:
        raise FolderError(f"{folder.history} contradicts itself: {error}") from error
    finished = run.ending.outcome == "finished"
    validity = merge(verdicts)
    if not finished and validity is not Validity.VIOLATION:
        # A broken promise stays broken, however the run ended; nothing else can be said.
        judged = Judged(None, run.ending.problem, verdicts)
    else:
        judged = Judged(validity, _summary(run, verdicts, validity), verdicts)
    write_json(folder.verdict, _document(setting, judged, measures))
    return judged


def _summary(run: RecordedRun, verdicts: tuple[Verdict, ...], validity: Validity) -> str:
    faults = ", ".join(_title(window) for window in run.windows) or "no fault"
    telling = [verdict for verdict in verdicts if verdict.validity is validity]
    if validity is Validity.VALID:
        return f"{faults}: {len(verdicts)} promises held"
    return f"{faults}: " + "; ".join(f"{one.name}: {one.reason}" for one in telling)


def _title(window: FaultWindow) -> str:
    resolved = window.resolved
    return f"{window.kind} {resolved}" if resolved else window.title


def _document(setting: Setting, judged: Judged, measures: dict[str, Any]) -> dict[str, Any]:
    run = setting.run
    topology = run.deployment.topology
    unknown = [one for one in judged.verdicts if one.validity is Validity.UNKNOWN]
    reasons = [] if run.ending.outcome == "finished" else [run.ending.problem]
    if judged.validity is Validity.UNKNOWN:
        reasons += [f"{one.name}: {one.reason}" for one in unknown]
    return {
        "version": VERDICT_VERSION,
        "experiment": run.plan.experiment,
        "started": run.started,
        "validity": "error" if judged.validity is None else judged.validity.name.lower(),
        "reasons": reasons,
        "verdicts": [
            {**asdict(one), "validity": one.validity.name.lower()} for one in judged.verdicts
        ],
        "measures": measures,
        "schedule": [_fault(run, window) for window in run.windows],
        "links": _links(setting),
        "regions": [
            {"name": region.name, "jurisdiction": region.jurisdiction}
            for region in topology.regions
        ],
        "nodes": dict(run.region_of),
        "environment": {
            "programs": dict(run.programs),
            **({"pressure": asdict(run.pressure)} if run.pressure else {}),
        },
    }


def _fault(run: RecordedRun, window: FaultWindow) -> dict[str, Any]:
    step = window.details.get("step")
    planned = run.plan.schedule[step] if isinstance(step, int) else None
    return {
        "kind": window.kind,
        "target": planned.target if planned else window.title,
        "resolved": window.resolved,
        "duration_s": planned.duration_s if planned else None,
        "inject_s": seconds_of(window.inject_ns),
        "effect_s": seconds_of(window.effect_ns),
        "heal_s": seconds_of(window.heal_ns),
        "absence_s": seconds_of(window.absence_ns),
    }


def _links(setting: Setting) -> list[dict[str, Any]]:
    """What was asked of each link and what the observers measured while nothing held."""
    delays = setting.link_delays_ms
    return [
        {
            "link": link.name,
            "asked_ms": link.delay_ms,
            "measured_ms_p50": round(median(delays[link.name]), 3),
            "measured_ms_p99": round(percentile(sorted(delays[link.name]), 99), 3),
            "readings": len(delays[link.name]),
        }
        for link in setting.run.deployment.topology.links
        if link.name in delays
    ]
