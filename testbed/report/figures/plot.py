"""Plots on a canvas: an axis of values, and bands between two stepped lines."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import groupby

from testbed.report.figures.canvas import Canvas
from testbed.report.figures.svg import coordinate
from testbed.report.timeline import Bins
from testbed.report.wording import number


def value_axis(
    canvas: Canvas, top: float, bottom: float, ticks: Sequence[tuple[float, str]], highest: float
) -> None:
    """Faint lines across, with their values at the left.

    Args:
        canvas: To draw on.
        top: Where the highest value stands.
        bottom: Where 0 stands.
        ticks: Values with their labels.
        highest: The value at the top.
    """
    font = canvas.variant.font
    for value, label in ticks:
        y = bottom - value / highest * (bottom - top)
        canvas.drawing.line_under(canvas.left, y, canvas.right, y, style="grid")
        canvas.drawing.text(canvas.left - 4, y + font * 0.36, label, "tick", anchor="end")


def log_axis(
    canvas: Canvas, top: float, height: float, slowest_ms: float, decades_min: int = 2
) -> Callable[[float], float]:
    """A logarithmic axis from 1 ms up to a time, by powers of ten; where each time stands."""
    bottom = top + height
    decades = max(math.ceil(math.log10(max(slowest_ms, 10.0)) - 0.05), decades_min)
    # Short labels: seconds where milliseconds would have four digits.
    ticks = [
        (float(power), f"{10 ** (power - 3):g} s" if power > 2 else number(10.0**power))
        for power in range(decades + 1)
    ]
    value_axis(canvas, top, bottom, ticks, float(decades))

    def y(time_ms: float) -> float:
        share = math.log10(max(time_ms, 1.0)) / decades
        return bottom - min(share, 1.0) * height

    return y


def band(canvas: Canvas, bins: Bins, low: Sequence[float], high: Sequence[float]) -> list[str]:
    """The commands of a band between two stepped lines, drawn where it is not empty."""
    commands: list[str] = []
    for filled, group in groupby(range(bins.count), key=lambda at: high[at] != low[at]):
        if not filled:
            continue
        ats = list(group)
        commands.append(f"M{bin_x(canvas, bins, ats[0])} {coordinate(low[ats[0]])}")
        commands += [f"V{coordinate(high[at])}H{bin_x(canvas, bins, at + 1)}" for at in ats]
        commands += [f"V{coordinate(low[at])}H{bin_x(canvas, bins, at)}" for at in reversed(ats)]
        commands.append("Z")
    return commands


def steps(canvas: Canvas, bins: Bins, line: Sequence[float | None]) -> list[str]:
    """The commands of a stepped line, drawn where there is a value."""
    return [
        f"M{bin_x(canvas, bins, at)} {coordinate(y)}H{bin_x(canvas, bins, at + 1)}"
        for at, y in enumerate(line)
        if y is not None
    ]


def bin_x(canvas: Canvas, bins: Bins, at: float) -> str:
    """Where a bin begins, as a coordinate."""
    return coordinate(canvas.x(bins.start_s + at * bins.width_s))
