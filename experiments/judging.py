"""Judges a run folder: verdicts, measures and what they rest on, from the journal alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles
from types import MappingProxyType
from typing import Any

import orjson

from experiments import lag_measuring
from experiments.catalogue import EXPERIMENTS
from experiments.conflict_promises import conflicts
from experiments.lag_promises import lagging
from experiments.promises import Setting, expectations, failover, setting_of
from testbed.checkers.verdict import Validity, Verdict, merge
from testbed.clients.catalogue import writes_everywhere
from testbed.history.fault_window import FaultWindow
from testbed.history.problem import HistoryError
from testbed.measures.final_state import final_state
from testbed.measures.load import load
from testbed.measures.rpo import loss_estimate
from testbed.report.verdict_file import VERDICT_VERSION
from testbed.runner.folder import FolderError, RunFolder, write_json
from testbed.runner.recorded import RecordedRun, read_run

PROMISES: Mapping[str, Callable[[RecordedRun], tuple[Verdict, ...]]] = MappingProxyType(
    {"failover": failover, "conflict_resolution": conflicts, "replication_lag": lagging}
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
        verdicts = PROMISES[run.plan.experiment](run)
        measures = _measures(setting_of(run))
    except HistoryError as error:
        raise FolderError(f"{folder.history} contradicts itself: {error}") from error
    finished = run.ending.outcome == "finished"
    validity = merge(verdicts)
    if not finished and validity is not Validity.VIOLATION:
        # A broken promise stays broken, however the run ended; nothing else can be said.
        judged = Judged(None, run.ending.problem, verdicts)
    else:
        judged = Judged(validity, _summary(run, verdicts, validity), verdicts)
    write_json(folder.verdict, _document(run, judged, measures))
    return judged


def _summary(run: RecordedRun, verdicts: tuple[Verdict, ...], validity: Validity) -> str:
    faults = ", ".join(_title(window) for window in run.windows) or "no fault"
    telling = [verdict for verdict in verdicts if verdict.validity is validity]
    if validity is Validity.VALID:
        return f"{faults}: {len(verdicts)} promises held"
    return f"{faults}: " + "; ".join(f"{one.name}: {one.reason}" for one in telling)


def _title(window: FaultWindow) -> str:
    resolved = str(window.details.get("resolved", ""))
    return f"{window.kind} {resolved}" if resolved else window.title


def _document(run: RecordedRun, judged: Judged, measures: dict[str, Any]) -> dict[str, Any]:
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
        "links": _links(run),
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
        "resolved": str(window.details.get("resolved", "")),
        "duration_s": planned.duration_s if planned else None,
        "inject_s": _seconds(window.inject_ns),
        "effect_s": _seconds(window.effect_ns),
        "heal_s": _seconds(window.heal_ns),
        "absence_s": _seconds(window.absence_ns),
    }


def _seconds(time_ns: int | None) -> float | None:
    return None if time_ns is None else round(time_ns / 1e9, 6)


def _measures(setting: Setting) -> dict[str, Any]:
    run = setting.run
    document: dict[str, Any] = {"rto": [], "availability": {}}
    # Where every region takes writes of its own, none waits for a failover.
    everywhere = writes_everywhere(run.deployment.topology)
    for one in (
        () if everywhere or run.plan.experiment == "replication_lag" else expectations(setting)
    ):
        outage = one.outage(run.history, setting.writes)
        document["rto"].append(
            {
                "region": one.region,
                "fault": one.cause,
                "from_s": _seconds(outage.start_ns),
                "until_s": _seconds(outage.first_ack_ns),
                "rto_s": round(outage.rto_ms / 1e3, 3) if outage.recovered else None,
                "bound_s": round(one.bound_ms / 1e3, 3),
            }
        )
    for region in setting.regions:
        served = load(
            run.history, setting.functions, from_ns=0, to_ns=setting.end_ns + 1, region=region
        )
        if served.availability is not None:
            document["availability"][region] = round(served.availability, 4)
    if run.plan.load.workload == "set":
        document["rpo"] = _rpo(setting)
    if run.plan.experiment == "replication_lag":
        document["lag"] = lag_measuring.document(run, lag_measuring.measured(run))
    return document


def _rpo(setting: Setting) -> dict[str, Any]:
    run = setting.run
    state = final_state(run.history, setting.nodes)
    lost = state.lost()
    document: dict[str, Any] = {
        "acknowledged": sum(add.outcome == "ok" for add in state.adds),
        "lost": [
            {
                "value": missing.add.invocation.value,
                "key": None,
                "acknowledged_s": _seconds(missing.add.end_ns),
                "region": missing.add.region,
                "node": missing.add.node,
                "process": missing.add.invocation.process,
            }
            for missing in lost
        ],
    }
    delay_ms = max(link.delay_ms for link in run.deployment.topology.links)
    for window in run.windows:
        found = loss_estimate(run.history, lost, window, delay_ms=delay_ms)
        if lost and found is not None and found.lost_writes:
            document |= {
                "rate_ops_s": found.rate_after_ops_s,
                "window_s": found.acknowledging_ms / 1e3,
                "delay_ms": _nearest_ms(run, found.node),
            }
    return document


def _nearest_ms(run: RecordedRun, node: str) -> float:
    """The delay from a node's region to the nearest other one: what was surely under way."""
    region = run.region_of.get(node, "")
    topology = run.deployment.topology
    return min((link.delay_ms for link in topology.links if link.source == region), default=0.0)


def _links(run: RecordedRun) -> list[dict[str, Any]]:
    """What was asked of each link and what the observers measured while nothing held."""
    delays: dict[str, list[float]] = defaultdict(list)
    spans = [(window.inject_ns, window.healed_ns or window.inject_ns) for window in run.windows]
    for reading in _readings(run.folder.metrics / "links.jsonl"):
        disturbed = any(since <= reading["time"] <= until + 5e9 for since, until in spans)
        if reading["delay_ms"] is not None and not disturbed:
            delays[f"{reading['source']}->{reading['target']}"].append(reading["delay_ms"])
    return [
        {
            "link": link.name,
            "asked_ms": link.delay_ms,
            "measured_ms_p50": round(median(delays[link.name]), 3),
            "measured_ms_p99": round(_p99(delays[link.name]), 3),
            "readings": len(delays[link.name]),
        }
        for link in run.deployment.topology.links
        if delays[link.name]
    ]


def _p99(values: list[float]) -> float:
    return max(values) if len(values) < 2 else quantiles(values, n=100, method="inclusive")[-1]


def _readings(path: Path) -> list[dict[str, Any]]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            found.append(orjson.loads(line))
        except orjson.JSONDecodeError:
            # The last line of a run that was killed; readings are no verdict's ground.
            continue
    return found
