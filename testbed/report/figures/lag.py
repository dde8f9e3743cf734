"""The figure of replication lag: a plot for each directed link over one time axis."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from statistics import median

from markupsafe import Markup

from testbed.report.figures.canvas import Canvas
from testbed.report.figures.frame import Frame
from testbed.report.figures.lanes import draw_faults
from testbed.report.figures.plot import band, log_axis, steps
from testbed.report.judgement import LagPoint, LinkLag
from testbed.report.timeline import Bins, bins_over
from testbed.report.wording import number

_HEIGHT = 72.0
_LINKS_MAX = 16
_SHOWN = ("heartbeats", "servers", "clients")
"""Which measurement is drawn where there are several: heartbeats come at equal distances."""


def drawn_links(links: Sequence[LinkLag]) -> list[LinkLag]:
    """One measurement of each link and pair of nodes, those of one region below each other."""
    by_pair: defaultdict[tuple[str, str, str], dict[str, LinkLag]] = defaultdict(dict)
    for one in links:
        if one.series:
            by_pair[one.link, one.origin, one.seen_at][one.measurement] = one
    return [
        next((found[name] for name in _SHOWN if name in found), next(iter(found.values())))
        for _, found in sorted(by_pair.items())
    ]


def lag_figure(frame: Frame, links: Sequence[LinkLag]) -> Markup:
    """Draws the lag of each link: the median, up to the 95th, the 99th percentile and the longest.

    Args:
        frame: The time axis and the faults.
        links: As :func:`drawn_links` gives them.
    """
    canvas = frame.canvas("Replication lag of each link over time", plots=True)
    top = canvas.y
    draw_faults(canvas, frame.faults)
    highest = max((point.max_ms for one in links for point in one.series), default=1.0)
    several = len({one.link for one in links}) < len(links)
    for one in links[:_LINKS_MAX]:
        label = f"{one.origin}->{one.seen_at}" if several else one.link
        _draw_link(canvas, frame, one, label, highest)
    if len(links) > _LINKS_MAX:
        canvas.lane(f"and {len(links) - _LINKS_MAX} links more", 16.0, style="note")
    canvas.guides(frame.edges_s, top)
    canvas.time_axis(top)
    return canvas.drawing.markup()


def _draw_link(canvas: Canvas, frame: Frame, one: LinkLag, label: str, highest: float) -> None:
    top = canvas.lane(f"{label}, ms", _HEIGHT, plot=True)
    bottom = top + _HEIGHT
    y = log_axis(canvas, top, _HEIGHT, highest)
    # Points come a second apart: a bin is no narrower than that.
    bins = bins_over(frame.start_s, frame.end_s, canvas.variant.bins_max, 1.0)
    points = _binned(one.series, bins)
    edges = [
        [bottom if point is None else y(value(point)) for point in points]
        for value in (_p50, _p95, _p99, _longest)
    ]
    for style, low, high in zip(
        ("lag-max", "lag-p99", "lag-p95"), edges[2::-1], edges[:0:-1], strict=True
    ):
        canvas.drawing.path(band(canvas, bins, low, high), style)
    known = [None if point is None else y(point.p50_ms) for point in points]
    canvas.drawing.path(steps(canvas, bins, known), "latency")
    if one.floor_ms:
        at = y(one.floor_ms)
        canvas.drawing.line(canvas.left, at, canvas.right, at, style="asked")
        text = f"floor {number(one.floor_ms)} ms"
        canvas.drawing.text(canvas.right - 2, at + canvas.variant.font, text, "note", anchor="end")


def _binned(series: Sequence[LagPoint], bins: Bins) -> list[LagPoint | None]:
    """The points of each bin as one: its longest is exact, its quantiles the medians of theirs."""
    inside: defaultdict[int, list[LagPoint]] = defaultdict(list)
    for point in series:
        if bins.start_s <= point.time_s < bins.end_s:
            inside[bins.index(point.time_s)].append(point)
    return [_merged(inside[at]) if at in inside else None for at in range(bins.count)]


def _merged(points: Sequence[LagPoint]) -> LagPoint:
    if len(points) == 1:
        return points[0]
    p50, p95, p99 = (median(map(value, points)) for value in (_p50, _p95, _p99))
    return LagPoint(points[0].time_s, p50, p95, p99, max(map(_longest, points)))


def _p50(point: LagPoint) -> float:
    return point.p50_ms


def _p95(point: LagPoint) -> float:
    return point.p95_ms


def _p99(point: LagPoint) -> float:
    return point.p99_ms


def _longest(point: LagPoint) -> float:
    return point.max_ms
