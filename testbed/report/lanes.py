"""Stretches of time in which something held: a node's role, a fault, who answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from testbed.report.judgement import FaultRecord
from testbed.report.recorded import RecordedRun, RoleSample
from testbed.report.timeline import Bins

# A standby cluster's leader is left out: it takes no writes.
_PRIMARY = frozenset({"primary", "master"})

_PAUSE_S = 2.0
"""A slow load leaves bins without a write."""


@dataclass(frozen=True, slots=True)
class RoleSpan:
    """A node said the same of itself from one moment to another.

    Args:
        node: Its name.
        role: What it said that it was.
        timeline: On which timeline; empty where it said none.
        start_s: From when on.
        end_s: Until when.
        cluster: Where several have a primary each: which one the node is in.
    """

    node: str
    role: str
    timeline: str
    start_s: float
    end_s: float
    cluster: str = ""

    @property
    def primary(self) -> bool:
        """True while the node claimed to be primary."""
        return self.role in _PRIMARY


@dataclass(frozen=True, slots=True)
class FaultSpan:
    """A fault as a figure shows it.

    Args:
        name: Kind and name of what was broken.
        title: The same with the role by which it was chosen, where it was.
        start_s: When it was injected.
        end_s: When it was healed; the end of the figure where it never was.
        effect_s: When it was shown to bite, or None.
        absence_s: When it was shown to be gone, or None.
        momentary: It has no heal, such as a switchover.
        healed: False where a heal was due and none is recorded.
    """

    name: str
    title: str
    start_s: float
    end_s: float
    effect_s: float | None
    absence_s: float | None
    momentary: bool
    healed: bool


def role_spans(samples: Sequence[RoleSample], start_s: float, end_s: float) -> list[RoleSpan]:
    """Each node's roles between two moments; a sample holds until the node's next one.

    A timeline that a sample doesn't tell is that of the one before.
    """
    by_node: dict[str, list[RoleSample]] = {}
    for sample in samples:
        merged = by_node.setdefault(sample.node, [])
        before = merged[-1] if merged else None
        same = before is not None and before.role == sample.role
        if before is None or not same or sample.timeline not in {"", before.timeline}:
            merged.append(sample)
    spans: list[RoleSpan] = []
    for node, merged in by_node.items():
        ends = [sample.time_s for sample in merged[1:]] + [end_s]
        spans += [
            RoleSpan(
                node,
                sample.role,
                sample.timeline,
                max(sample.time_s, start_s),
                until,
                sample.cluster,
            )
            for sample, until in zip(merged, ends, strict=True)
            if until > start_s and sample.time_s < end_s
        ]
    return spans


def overlaps(spans: Sequence[RoleSpan]) -> list[tuple[RoleSpan, RoleSpan, float, float]]:
    """Pairs of nodes that claimed to be primary of one cluster at once, and from when to when."""
    claims = sorted((span for span in spans if span.primary), key=lambda span: span.start_s)
    found = []
    for number, first in enumerate(claims):
        for second in claims[number + 1 :]:
            start, end = second.start_s, min(first.end_s, second.end_s)
            if start >= first.end_s:
                break
            one_cluster = first.cluster == second.cluster
            if first.node != second.node and one_cluster and start < end:
                found.append((first, second, start, end))
    return found


def fault_spans(run: RecordedRun, end_s: float) -> list[FaultSpan]:
    """The faults that were injected, in order of their injection."""
    steps = list(run.plan.schedule) if run.plan else []
    spans = []
    for number, fault in enumerate(run.schedule):
        if fault.inject_s is None:
            continue
        planned = steps[number] if number < len(steps) else None
        same = planned is not None and planned.kind == fault.kind
        duration = planned.duration_s if planned is not None and same else fault.duration_s
        momentary = fault.heal_s is None and duration is None
        spans.append(
            FaultSpan(
                name=f"{fault.kind} {fault.resolved or fault.target}".strip(),
                title=fault_title(fault),
                start_s=fault.inject_s,
                end_s=fault.inject_s if momentary else (fault.heal_s or end_s),
                effect_s=fault.effect_s,
                absence_s=fault.absence_s,
                momentary=momentary,
                healed=momentary or fault.heal_s is not None,
            )
        )
    return sorted(spans, key=lambda span: span.start_s)


def fault_title(fault: FaultRecord) -> str:
    """Kind and name of what was broken; with the role that it had, where it was chosen by role."""
    if not fault.resolved or fault.resolved == fault.target:
        return fault.title
    return f"{fault.kind} {fault.resolved} ({fault.target})"


def full_title(run: RecordedRun, title: str, time_s: float | None) -> str:
    """A title from the evidence or a measure, with the name that its role stood for at a time."""
    fitting = [fault for fault in run.schedule if fault.title == title]
    if not fitting:
        return title
    before = [
        fault
        for fault in fitting
        if time_s is not None and fault.inject_s is not None and fault.inject_s <= time_s
    ]
    return fault_title(before[-1] if before else fitting[0])


def node_region(run: RecordedRun, node: str, regions: Sequence[str]) -> str:
    """The region of a node: as the verdict has it, else by its name's beginning, else empty."""
    known = run.judgement.nodes.get(node) if run.judgement else None
    fitting = [region for region in regions if node == region or node.startswith(f"{region}-")]
    return known or max(fitting, key=len, default="")


def answered_spans(answered_by: Sequence[str | None], bins: Bins) -> list[tuple[str, float, float]]:
    """Who acknowledged writes, from when to when; a short pause ends nothing."""
    spans: list[tuple[str, float, float]] = []
    for number, node in enumerate(answered_by):
        if node is None:
            continue
        start = bins.start_s + number * bins.width_s
        if (
            spans
            and spans[-1][0] == node
            and start - spans[-1][2] <= max(_PAUSE_S, bins.width_s / 2)
        ):
            spans[-1] = (node, spans[-1][1], start + bins.width_s)
        else:
            spans.append((node, start, start + bins.width_s))
    return spans
