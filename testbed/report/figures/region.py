"""The figure of one region: what its clients got, how long it took, and what went on meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from testbed.report.figures.canvas import Canvas, round_up
from testbed.report.figures.frame import Frame
from testbed.report.figures.lanes import LANE, draw_faults, draw_lost, draw_roles
from testbed.report.figures.plot import band, bin_x, log_axis, steps, value_axis
from testbed.report.figures.svg import coordinate
from testbed.report.judgement import Recovery
from testbed.report.lanes import answered_spans, node_region
from testbed.report.timeline import Bins, RegionSeries
from testbed.report.wording import moment, number, seconds

_RATES_HEIGHT = 120.0
_LATENCY_HEIGHT = 64.0
_BRACKET = 22.0


def region_figure(frame: Frame, region: str) -> Markup:
    """Draws one region of the frame."""
    run, series = frame.run, frame.series[region]
    canvas = frame.canvas(f"Operations of the clients in {region} over time", plots=True)
    top = canvas.y
    draw_faults(canvas, frame.faults)
    recoveries = frame.recoveries(region)
    asked = run.plan.load.rate_ops_s if run.plan else 0.0
    _draw_rates(canvas, series, frame.bins, asked, recoveries)
    draw_lost(canvas, frame.lost(region), "Lost writes")
    _draw_latency(canvas, series, frame.bins)
    answered = answered_spans(series.answered_by, frame.bins)
    if answered:
        _draw_answered(canvas, answered)
    regions = tuple(frame.series)
    nodes = {role.node for role in frame.roles if node_region(run, role.node, regions) == region}
    draw_roles(canvas, frame.roles, sorted(nodes))
    canvas.guides(frame.edges_s, top)
    canvas.time_axis(top)
    return canvas.drawing.markup()


def _draw_rates(
    canvas: Canvas,
    series: RegionSeries,
    bins: Bins,
    asked_ops_s: float,
    recoveries: Sequence[Recovery],
) -> None:
    """Operations a second, stacked: acknowledged writes, reads, then failed, then unknown."""
    headroom = _BRACKET if recoveries else 6.0
    top = canvas.lane("Operations/s", _RATES_HEIGHT, plot=True, headroom=headroom)
    bottom = top + _RATES_HEIGHT
    layers = (
        (series.writes, "writes"),
        (series.reads, "reads"),
        (series.failed, "failed"),
        (series.unknown, "unknown"),
    )
    stacked = [sum(layer[at] for layer, _ in layers) for at in range(bins.count)]
    highest = max(_robust_max(stacked), asked_ops_s * 1.1, 1.0)
    step = round_up(highest / 3)
    highest = max(highest, step)
    _draw_spans(canvas, recoveries, top, bottom)
    value_axis(
        canvas,
        top,
        bottom,
        [(value * step, number(value * step)) for value in range(int(highest / step) + 1)],
        highest,
    )
    below = [0.0] * bins.count
    for layer, style in layers:
        above = [low + value for low, value in zip(below, layer, strict=True)]
        scaled = [
            [bottom - min(value / highest, 1.0) * _RATES_HEIGHT for value in edge]
            for edge in (below, above)
        ]
        canvas.drawing.path(band(canvas, bins, scaled[0], scaled[1]), style)
        below = above
    if asked_ops_s:
        y = bottom - asked_ops_s / highest * _RATES_HEIGHT
        canvas.drawing.line(canvas.left, y, canvas.right, y, style="asked")


def _robust_max(values: Sequence[float]) -> float:
    """The highest value, but one burst may not flatten all the rest: at most 3 times the 95 %."""
    ordered = sorted(values)
    return min(ordered[-1], 3 * (ordered[int(len(ordered) * 0.95)] or ordered[-1]))


def _draw_spans(canvas: Canvas, recoveries: Sequence[Recovery], top: float, bottom: float) -> None:
    """Each time without service as a shaded stretch with a bracket and its length above."""
    for found in recoveries:
        if found.from_s is None:
            continue
        start = canvas.x(found.from_s)
        end = canvas.x(canvas.end_s if found.until_s is None else found.until_s)
        back = found.until_s is not None
        text = f"RTO {seconds(found.rto_s)}" if back else "RTO: not back"
        title = f"{found.fault}: {text}, from {moment(found.from_s)} to {moment(found.until_s)}"
        canvas.drawing.rect(start, top, end - start, bottom - top, style="rto", title=title)
        y = top - 5
        caps = [f"M{coordinate(start)} {y + 5:g}V{y:g}H{coordinate(end)}"]
        caps += [f"V{y + 5:g}"] if back else []
        canvas.drawing.path(caps, "bracket")
        canvas.text_at(text, start, end, y - 4, "rto-label")


def _draw_latency(canvas: Canvas, series: RegionSeries, bins: Bins) -> None:
    """Latency of acknowledged operations on a logarithmic axis: median, and up to the slowest."""
    slowest = max((value for value in series.latency_ms_max if value), default=0.0)
    if not slowest:
        return
    top = canvas.lane("Latency, ms", _LATENCY_HEIGHT, plot=True)
    y = log_axis(canvas, top, _LATENCY_HEIGHT, slowest)
    middle = [None if value is None else y(value) for value in series.latency_ms_p50]
    high = [None if value is None else y(value) for value in series.latency_ms_max]
    bars = [
        f"M{bin_x(canvas, bins, at + 0.5)} {coordinate(low)}V{coordinate(high[at] or 0)}"
        for at, low in enumerate(middle)
        if low is not None
    ]
    canvas.drawing.path(bars, "latency-max")
    canvas.drawing.path(steps(canvas, bins, middle), "latency")


def _draw_answered(canvas: Canvas, answered: Sequence[tuple[str, float, float]]) -> None:
    """Which node acknowledged the writes."""
    top = canvas.lane("Writes answered by", LANE)
    names = list(dict.fromkeys(node for node, _, _ in answered))
    for node, start_s, end_s in answered:
        x1, x2 = canvas.x(start_s), canvas.x(end_s)
        style = f"answered answered-{names.index(node) % 3}"
        title = f"{node}: {moment(start_s)} to {moment(end_s)}"
        canvas.drawing.rect(x1, top, x2 - x1, LANE, style=style, title=title)
        canvas.text_in(node, x1, x2, top + LANE - 4, style="note")
