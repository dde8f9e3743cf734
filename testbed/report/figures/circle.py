"""The figure of a circle: transactions of which each must come before the next."""

from __future__ import annotations

from markupsafe import Markup

from testbed.report.contradiction import Contradiction
from testbed.report.figures.act_style import bar_style, name_style
from testbed.report.figures.canvas import Canvas
from testbed.report.figures.frame import Frame

_LANE = 48.0
_BAR = 12.0


def circle_figure(frame: Frame, found: Contradiction) -> Markup:
    """Transactions in the order of the history, a lane each, with arrows for what goes before."""
    start = min(act.start_s for act in found.acts)
    ends = [act.start_s if act.end_s is None else act.end_s for act in found.acts]
    span = max(ends) - start or 1.0
    label = "A circle: each arrow is an order that one more order contradicts"
    canvas = Canvas(label, frame.variant, start - 0.1 * span, max(ends) + 0.25 * span, plots=False)
    top = canvas.y
    bars = []
    for act in found.acts:
        y = canvas.lane(f"{act.part}, process {act.process}", _LANE)
        middle = y + _LANE / 2
        x1 = canvas.x(act.start_s)
        x2 = max(canvas.x(canvas.end_s if act.end_s is None else act.end_s), x1 + 26.0)
        canvas.drawing.rect(
            x1,
            middle - _BAR / 2,
            x2 - x1,
            _BAR,
            style=bar_style(act),
            title=f"{act.call} of process {act.process}",
        )
        style = name_style(act)
        canvas.drawing.text(x1 + 4, middle + _BAR / 2 - 2, act.call, style)
        bars.append((x1, x2, middle))
    for place, edge in enumerate(found.edges):
        _draw_edge(canvas, bars[edge.source], bars[edge.target], edge.kind, place)
    canvas.place_axis(top, "in the order of the history")
    return canvas.drawing.markup()


def _draw_edge(
    canvas: Canvas,
    source: tuple[float, float, float],
    target: tuple[float, float, float],
    kind: str,
    place: int,
) -> None:
    """An arrow from one lane to another, beside those that were drawn before."""
    down = target[2] >= source[2]
    half = _BAR / 2
    share = 0.3 + 0.4 * (place % 2)
    x1 = source[0] + share * (source[1] - source[0])
    x2 = target[0] + share * (target[1] - target[0])
    y1 = source[2] + (half if down else -half)
    y2 = target[2] + (-half if down else half)
    back = -5.0 if down else 5.0
    middle = (y1 + y2) / 2
    curve = f"M{x1:.1f} {y1:.1f}C{x1:.1f} {middle:.1f} {x2:.1f} {middle:.1f} {x2:.1f} "
    canvas.drawing.path([f"{curve}{y2 + back:.1f}"], "edge")
    canvas.drawing.path([f"M{x2:.1f} {y2:.1f}l-5 {back * 1.6:g}h10Z"], "edge-head")
    canvas.drawing.text((x1 + x2) / 2, middle + 4, kind, "act-label", anchor="middle")
