"""``verdict.json``: its format, and how it is read.

Every time in it (``*_s``) is in seconds on the clock of the run's history. Format, version 1; all
but ``version`` and ``validity`` may be absent::

    {"version": 1, "experiment": "failover", "example": 3,
     "started": "2025-03-01T12:00:00Z" (wall clock, for people alone),
     "validity": "valid" | "violation" | "unknown" | "error",
     "reasons": [why the run as a whole is unknown or an error, one sentence each],
     "verdicts": [{"name", "promise", "validity", "reason", "counterexample": [...],
                   "numbers": {NAME: NUMBER},
                   "causes": [{"name", "what", "findings": NUMBER, "classes": [...],
                               "places": [...]}]}],
     "measures": {
       "rto": [{"region", "fault", "from_s", "until_s" or null, "rto_s" or null, "bound_s"}],
       "rpo": {"lost": [{"value", "key", "acknowledged_s", "region", "node", "process"}],
               "acknowledged": NUMBER, "rate_ops_s", "window_s", "delay_ms"},
       "lag": {"worst_ms", "links": [{"measurement", "link": "a->b", "origin", "seen_at",
               "floor_ms", "count", "unseen", "p50_ms": [LOW, HIGH], "p95_ms", "p99_ms", "max_ms",
               "series": [[SECOND, P50, P95, P99, MAX in ms, at most]]}]},
       "staleness": [{"node", "reads", "stale", "p50_ms", "p99_ms", "max_ms"}],
       "load": {"acknowledged_writes": NUMBER},
       "availability": {REGION: 0 to 1}},
     "schedule": [{"kind", "target", "resolved", "duration_s" or null,
                   "inject_s", "effect_s", "heal_s", "absence_s"}],
     "links": [{"link": "a->b", "asked_ms", "measured_ms_p50", "measured_ms_p99", "readings"}],
     "regions": [{"name", "jurisdiction"}], "nodes": {NODE: REGION},
     "environment": {"programs": {NAME: VERSION}, "cpu_pressure_percent": NUMBER, ...}}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from testbed.checkers.verdict import Cause
from testbed.report.judgement import (
    DataLoss,
    FaultRecord,
    Judgement,
    LagPoint,
    LinkLag,
    LinkReading,
    LostWrite,
    NodeStaleness,
    Outcome,
    Promise,
    Recovery,
    ReplicationLag,
    merge_outcomes,
)
from testbed.report.reading import Fields, Problem

VERDICT_VERSION = 1


def parse_judgement(document: Mapping[str, Any], problems: list[Problem]) -> Judgement:
    """Reads ``verdict.json``, tolerantly: what is wrong becomes a problem, the rest is kept.

    One that is damaged, or contradicts itself, is never valid.
    """
    top = Fields(document, "verdict.json", "", problems)
    version = top.number("version")
    if version is not None and version > VERDICT_VERSION:
        what = f"version {version:g} is newer than {VERDICT_VERSION}, which this testbed knows"
        problems.append(Problem("verdict.json", what, "some of it may not be shown: upgrade"))
    measures = top.mapping("measures")
    judged = Judgement(
        outcome=_outcome(top),
        reasons=tuple(reason for reason in top.items("reasons") if isinstance(reason, str)),
        experiment=top.text("experiment"),
        example=top.text("example"),
        started=top.text("started"),
        promises=tuple(_promise(item) for item in top.objects("verdicts")),
        recoveries=tuple(_recovery(item) for item in measures.objects("rto")),
        loss=_loss(measures.mapping("rpo")) if measures.values.get("rpo") is not None else None,
        staleness=tuple(_staleness(one) for one in measures.objects("staleness")),
        lag=_lag(measures.mapping("lag")) if measures.values.get("lag") is not None else None,
        acknowledged_writes=measures.mapping("load").number("acknowledged_writes"),
        availability=_numbers(measures.mapping("availability")),
        schedule=tuple(_fault(item) for item in top.objects("schedule")),
        links=tuple(_link(item) for item in top.objects("links")),
        regions={item.text("name"): item.text("jurisdiction") for item in top.objects("regions")},
        nodes={name: top.mapping("nodes").text(name) for name in top.mapping("nodes").values},
        environment=top.mapping("environment").values,
    )
    return _never_green(judged, problems)


def _never_green(judged: Judgement, problems: list[Problem]) -> Judgement:
    """The same; valid only where every promise in it is, and all of it could be read."""
    if judged.outcome is not Outcome.VALID:
        return judged
    worst = merge_outcomes(one.outcome for one in judged.promises)
    if judged.promises and worst is not Outcome.VALID:
        what = f"validity: '{judged.outcome}', but a promise in it is '{worst}'"
        problems.append(Problem("verdict.json", what, f"shown as '{worst}': judge the run again"))
        return replace(judged, outcome=worst, reasons=(f"verdict.json contradicts itself: {what}",))
    damage = next((one.what for one in problems if one.file == "verdict.json"), "")
    if damage:
        reason = f"verdict.json cannot be read whole: {damage}. Judge the run again."
        return replace(judged, outcome=Outcome.UNKNOWN, reasons=(reason,))
    return judged


def _outcome(fields: Fields) -> Outcome:
    """An absent or unheard-of validity is unknown, never a pass."""
    text = fields.text("validity")
    if text in set(Outcome):
        return Outcome(text)
    at = f"{fields.path}.validity" if fields.path else "validity"
    what = f"{at}: '{text}' is none of {', '.join(Outcome)}" if text else f"{at} is missing"
    fields.problems.append(Problem(fields.file, what, "shown as inconclusive"))
    return Outcome.UNKNOWN


def _promise(item: Fields) -> Promise:
    return Promise(
        name=item.text("name"),
        promise=item.text("promise"),
        outcome=_outcome(item),
        reason=item.text("reason"),
        counterexample=item.items("counterexample"),
        numbers=_numbers(item.mapping("numbers")),
        causes=tuple(_cause(one) for one in item.objects("causes")),
    )


def _cause(item: Fields) -> Cause:
    return Cause(
        name=item.text("name"),
        what=item.text("what"),
        findings=item.whole("findings") or 0,
        classes=tuple(str(one) for one in item.items("classes")),
        places=tuple(str(one) for one in item.items("places")),
    )


def _recovery(item: Fields) -> Recovery:
    return Recovery(
        region=item.text("region"),
        fault=item.text("fault"),
        from_s=item.number("from_s"),
        until_s=item.number("until_s"),
        rto_s=item.number("rto_s"),
        bound_s=item.number("bound_s"),
    )


def _loss(item: Fields) -> DataLoss:
    lost = [
        LostWrite(
            value=write.values.get("value"),
            key=write.values.get("key"),
            acknowledged_s=write.number("acknowledged_s"),
            region=write.text("region"),
            node=write.text("node"),
            process=write.text("process"),
        )
        for write in item.objects("lost")
    ]
    lost.sort(key=lambda write: write.acknowledged_s or 0.0)
    return DataLoss(
        lost=tuple(lost),
        acknowledged=item.number("acknowledged"),
        rate_ops_s=item.number("rate_ops_s"),
        window_s=item.number("window_s"),
        delay_ms=item.number("delay_ms"),
    )


def _lag(item: Fields) -> ReplicationLag:
    return ReplicationLag(
        worst_ms=item.number("worst_ms"),
        links=tuple(_link_lag(link) for link in item.objects("links")),
    )


def _staleness(item: Fields) -> NodeStaleness:
    return NodeStaleness(
        node=item.text("node"),
        reads=item.number("reads"),
        stale=item.number("stale"),
        p50_ms=item.number("p50_ms"),
        p99_ms=item.number("p99_ms"),
        max_ms=item.number("max_ms"),
    )


def _link_lag(item: Fields) -> LinkLag:
    points = (_finite(point, 5) for point in item.items("series"))
    return LinkLag(
        measurement=item.text("measurement"),
        link=item.text("link"),
        origin=item.text("origin"),
        seen_at=item.text("seen_at"),
        floor_ms=item.number("floor_ms"),
        count=item.number("count"),
        unseen=item.number("unseen"),
        quantiles_ms=tuple(
            None if pair is None else (pair[0], pair[1])
            for name in ("p50_ms", "p95_ms", "p99_ms", "max_ms")
            for pair in (_finite(item.items(name), 2),)
        ),
        series=tuple(LagPoint(*point) for point in points if point is not None),
    )


def _finite(value: Any, count: int) -> tuple[float, ...] | None:
    """So many finite numbers of a list, or None where it holds anything else."""
    if not isinstance(value, list | tuple) or len(value) != count:
        return None
    numbers = [one for one in value if isinstance(one, int | float) and not isinstance(one, bool)]
    fit = len(numbers) == count and all(abs(one) < 1e15 for one in numbers)
    return tuple(float(one) for one in numbers) if fit else None


def _fault(item: Fields) -> FaultRecord:
    kind = item.text("kind")
    return FaultRecord(
        kind=kind,
        # A title does for a target as well.
        target=item.text("target").removeprefix(f"{kind} "),
        resolved=item.text("resolved"),
        duration_s=item.number("duration_s"),
        inject_s=item.number("inject_s"),
        effect_s=item.number("effect_s"),
        heal_s=item.number("heal_s"),
        absence_s=item.number("absence_s"),
    )


def _link(item: Fields) -> LinkReading:
    return LinkReading(
        link=item.text("link"),
        asked_ms=item.number("asked_ms"),
        measured_ms_p50=item.number("measured_ms_p50"),
        measured_ms_p99=item.number("measured_ms_p99"),
        readings=item.number("readings"),
    )


def _numbers(item: Fields) -> dict[str, float]:
    found = {name: item.number(name) for name in item.values}
    return {name: number for name, number in found.items() if number is not None}
