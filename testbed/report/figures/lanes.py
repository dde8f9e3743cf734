"""Lanes of a figure: faults, roles of nodes, service of regions, lost writes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from testbed.checkers.counted import counted
from testbed.report.figures.canvas import Canvas
from testbed.report.judgement import LostWrite
from testbed.report.lanes import FaultSpan, RoleSpan, overlaps
from testbed.report.timeline import Bins, RegionSeries
from testbed.report.wording import moment, seconds

LANE = 16.0
_LANES_MAX = 16
_TICKS_MAX = 400


def draw_faults(canvas: Canvas, spans: Sequence[FaultSpan]) -> None:
    """A lane a fault: hatched until it was shown to bite, solid while it held.

    After the heal it is hatched again until it was shown to be gone.
    """
    names = list(dict.fromkeys(span.name for span in spans))
    for name in names[:_LANES_MAX]:
        top = canvas.lane(name, LANE)
        for span in spans:
            if span.name == name:
                _draw_fault(canvas, span, top)
    _draw_rest(canvas, len(names), "fault")


def _draw_fault(canvas: Canvas, span: FaultSpan, top: float) -> None:
    drawing, base = canvas.drawing, top + LANE - 4
    start, end = canvas.x(span.start_s), canvas.x(span.end_s)
    if span.momentary:
        drawing.rect(
            start - 2, top, 4, LANE, style="fault", title=f"{span.title} at {moment(span.start_s)}"
        )
        drawing.text(start + 5, base, moment(span.start_s), "note")
        return
    held = f"{moment(span.start_s)} to {moment(span.end_s)}"
    title = f"{span.title}: {held}" + ("" if span.healed else ", no heal recorded")
    shown = canvas.x(span.effect_s) if span.effect_s is not None else end
    unshown = f"{title}; not yet shown to bite"
    drawing.rect(start, top, shown - start, LANE, style="fault-unshown", title=unshown)
    if span.effect_s is None:
        canvas.text_on_plate("not shown to bite", start, end, top, LANE)
    else:
        drawing.rect(shown, top, end - shown, LANE, style="fault", title=title)
        lasted = seconds(span.end_s - span.start_s)
        whole = lasted + ("" if span.healed else ", no heal recorded")
        canvas.text_in(whole, shown, end, base, style="on-fault", short=lasted)
    if span.absence_s is not None and span.healed:
        gone = canvas.x(span.absence_s)
        drawing.rect(
            end,
            top,
            gone - end,
            LANE,
            style="fault-unshown",
            title="healed; not yet shown to be gone",
        )


def draw_roles(canvas: Canvas, spans: Sequence[RoleSpan], nodes: Sequence[str]) -> None:
    """A lane a node: a strong bar while it claimed to be primary, a thin one as a replica."""
    for node in nodes[:_LANES_MAX]:
        top = canvas.lane(node, LANE)
        for span in spans:
            if span.node == node:
                _draw_role(canvas, span, top)
    _draw_rest(canvas, len(nodes), "node")


def _draw_role(canvas: Canvas, span: RoleSpan, top: float) -> None:
    start, end = canvas.x(span.start_s), canvas.x(span.end_s)
    timeline = f", timeline {span.timeline}" if span.timeline else ""
    said = f"{span.node}: {span.role}{timeline}, {moment(span.start_s)} to {moment(span.end_s)}"
    if span.primary:
        canvas.drawing.rect(start, top, end - start, LANE, style="primary", title=said)
        text, base = f"primary{timeline}", top + LANE - 4
        canvas.text_in(text, start, end, base, style="on-primary", short="primary")
    elif span.role == "replica":
        canvas.drawing.rect(start, top + 6, end - start, LANE - 12, style="replica", title=said)
    else:
        canvas.drawing.rect(start, top + 2, end - start, LANE - 4, style="other-role", title=said)
        canvas.text_in(span.role, start, end, top + LANE - 4, style="note")


def draw_overlaps(canvas: Canvas, spans: Sequence[RoleSpan]) -> None:
    """A lane that is there only when two nodes of one cluster claimed to be primary at once."""
    found = overlaps(spans)
    if not found:
        return
    top = canvas.lane("✗ two at once", LANE, style="lost-label")
    for first, second, start_s, end_s in found[:_TICKS_MAX]:
        start, end = canvas.x(start_s), canvas.x(end_s)
        title = f"{first.node} and {second.node} both claim to be primary"
        canvas.drawing.rect(start, top, end - start, LANE, style="none", title=title)
        if len(found) == 1:
            text = seconds(end_s - start_s)
            canvas.text_at(text, end, end, top + LANE - 4, "lost-label")


def service_states(series: RegionSeries) -> list[str]:
    """Bin by bin: ``served``, ``partly``, ``none``, or ``idle`` where nothing ended."""
    return [
        "idle" if share is None else "served" if share >= 0.9 else "partly" if share else "none"
        for share in series.served
    ]


def draw_service(canvas: Canvas, series: RegionSeries, bins: Bins, top: float) -> None:
    """A strip: when the region's clients were served, partly, or not at all."""
    at = 0
    for state, group in groupby(service_states(series)):
        count = sum(1 for _ in group)
        start_s = bins.start_s + at * bins.width_s
        end_s = start_s + count * bins.width_s
        at += count
        if state != "idle":
            x = canvas.x(start_s)
            title = f"{series.region}: {state}, {moment(start_s)} to {moment(end_s)}"
            canvas.drawing.rect(x, top, canvas.x(end_s) - x, LANE, style=state, title=title)


def draw_lost(canvas: Canvas, lost: Sequence[LostWrite], label: str) -> None:
    """A tick for each lost write at the time of its acknowledgement, one a pixel at most."""
    times = [write.acknowledged_s for write in lost if write.acknowledged_s is not None]
    if not times:
        return
    top = canvas.lane(label, LANE)
    pixels = sorted({round(canvas.x(time_s)) for time_s in times})
    canvas.drawing.path([f"M{x} {top:g}V{top + LANE:g}" for x in pixels[:_TICKS_MAX]], "lost")
    text = f"✗ {counted(len(lost), 'acknowledged write')} lost"
    canvas.text_at(text, pixels[-1], pixels[-1], top + LANE - 4, "lost-label")


def _draw_rest(canvas: Canvas, count: int, noun: str) -> None:
    if count > _LANES_MAX:
        canvas.lane(f"and {counted(count - _LANES_MAX, noun)} more", LANE, style="note")
