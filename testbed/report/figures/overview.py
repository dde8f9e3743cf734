"""The figure that shows a run at one look: faults, roles, who was served, what was lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import Markup

from testbed.report.figures.canvas import Canvas
from testbed.report.figures.frame import Frame
from testbed.report.figures.lanes import (
    LANE,
    draw_faults,
    draw_lost,
    draw_overlaps,
    draw_roles,
    draw_service,
)
from testbed.report.judgement import Recovery
from testbed.report.recorded import RecordedRun
from testbed.report.wording import seconds

_REGIONS_MAX = 16


def overview(frame: Frame) -> Markup:
    """Draws the whole run on one time axis."""
    canvas = frame.canvas("Faults, roles, service and lost writes over time", plots=False)
    top = canvas.y
    if frame.faults:
        canvas.heading("Faults")
        draw_faults(canvas, frame.faults)
    if frame.roles:
        canvas.heading("Who claimed primary")
        nodes = {role.node for role in frame.roles}
        draw_roles(canvas, frame.roles, sorted(nodes, key=_inventory_order(frame.run)))
        draw_overlaps(canvas, frame.roles)
    if frame.series:
        canvas.heading("Clients served")
    for region, series in list(frame.series.items())[:_REGIONS_MAX]:
        recoveries = frame.recoveries(region)
        strip = canvas.lane(_region_label(canvas, region, recoveries), LANE)
        draw_service(canvas, series, frame.bins, strip)
        if not canvas.variant.labels_above:
            _draw_recoveries(canvas, recoveries, strip)
    draw_lost(canvas, frame.lost(), "Lost writes")
    canvas.guides(frame.edges_s, top)
    canvas.time_axis(top)
    return canvas.drawing.markup()


def _region_label(canvas: Canvas, region: str, recoveries: Sequence[Recovery]) -> str:
    """The region's name; on a small figure with the times that do not fit into its strip."""
    if not canvas.variant.labels_above or not recoveries:
        return region
    return f"{region}: {', '.join(_length(found) for found in recoveries)}"


def _length(found: Recovery) -> str:
    return f"RTO {seconds(found.rto_s)}" if found.rto_s is not None else "not back"


def _draw_recoveries(canvas: Canvas, recoveries: Sequence[Recovery], top: float) -> None:
    """Writes the length of each time without service into the region's strip."""
    for found in recoveries:
        if found.from_s is None:
            continue
        start = canvas.x(found.from_s)
        end = canvas.x(canvas.end_s if found.until_s is None else found.until_s)
        canvas.text_on_plate(_length(found), start, end, top, LANE)


def _inventory_order(run: RecordedRun) -> Callable[[str], tuple[int, str]]:
    """Nodes in the inventory's order where it is known, else by name."""
    known = list(run.judgement.nodes) if run.judgement else []
    return lambda node: (known.index(node) if node in known else len(known), node)
