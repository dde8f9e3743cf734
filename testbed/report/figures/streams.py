"""The figure of replication streams: how far behind each was, as the servers said beside the run.

Every run has these looks; a run that measures replication lag has the figure of
:mod:`testbed.report.figures.lag` instead, which knows more than a look twice a second.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from markupsafe import Markup

from testbed.report.figures.canvas import Canvas
from testbed.report.figures.frame import Frame
from testbed.report.figures.lanes import draw_faults
from testbed.report.figures.plot import log_axis, steps
from testbed.report.recorded import StreamLook
from testbed.report.timeline import Bins, bins_over

_HEIGHT = 56.0
_STRIP = 5.0
_BIN_S_MIN = 1.0
"""Looks come twice a second: no bin is without one while the observer is heard."""

STREAMS_MAX = 16


@dataclass(frozen=True, slots=True)
class ObservedStream:
    """One stream of replication over the run.

    Args:
        sender: The node whose changes flow.
        receiver: The node that they flow to.
        looks: By time.
    """

    sender: str
    receiver: str
    looks: tuple[StreamLook, ...]

    @property
    def title(self) -> str:
        """Both nodes."""
        return f"{self.sender}->{self.receiver}"

    @property
    def lags_ms(self) -> list[float]:
        """How far behind it was, of each look that tells."""
        return [one.lag_ms for one in self.looks if one.lag_ms is not None]

    @property
    def p50_ms(self) -> float | None:
        """The median of the looks."""
        return median(self.lags_ms) if self.lags_ms else None

    @property
    def longest_ms(self) -> float | None:
        """The longest of the looks."""
        return max(self.lags_ms, default=None)

    @property
    def streaming(self) -> float:
        """Share of the looks that saw it stream."""
        return sum(one.running for one in self.looks) / len(self.looks)


def observed_streams(looks: Sequence[StreamLook]) -> list[ObservedStream]:
    """The streams that were seen, by their names.

    While nobody is primary a receiver has no sender, and still lacks what its last one had: such a
    look counts for that one. Before a receiver has had any, it counts for none.

    Args:
        looks: Of the whole run, by time.
    """
    found: defaultdict[tuple[str, str], list[StreamLook]] = defaultdict(list)
    latest: dict[str, str] = {}
    for look in looks:
        if look.sender:
            latest[look.receiver] = look.sender
        if look.receiver in latest:
            found[latest[look.receiver], look.receiver].append(look)
    return [ObservedStream(*names, tuple(of)) for names, of in sorted(found.items())]


def streams_figure(frame: Frame, streams: Sequence[ObservedStream]) -> Markup:
    """Draws how far behind each stream was at most, and when it did not stream.

    Args:
        frame: The time axis and the faults.
        streams: As :func:`observed_streams` gives them; at most ``STREAMS_MAX`` are drawn.
    """
    canvas = frame.canvas("How far behind each stream of replication was over time", plots=True)
    top = canvas.y
    draw_faults(canvas, frame.faults)
    drawn = streams[:STREAMS_MAX]
    highest = max((one.longest_ms or 1.0 for one in drawn), default=1.0)
    bins = bins_over(frame.start_s, frame.end_s, canvas.variant.bins_max, _BIN_S_MIN)
    for one in drawn:
        _draw(canvas, bins, one, highest)
    if len(streams) > len(drawn):
        canvas.lane(f"and {len(streams) - len(drawn)} streams more", 16.0, style="note")
    canvas.guides(frame.edges_s, top)
    canvas.time_axis(top)
    return canvas.drawing.markup()


def _draw(canvas: Canvas, bins: Bins, one: ObservedStream, highest: float) -> None:
    top = canvas.lane(one.title, _HEIGHT + _STRIP, plot=True)
    y = log_axis(canvas, top, _HEIGHT, highest)
    inside: defaultdict[int, list[StreamLook]] = defaultdict(list)
    for look in one.looks:
        if bins.start_s <= look.time_s < bins.end_s:
            inside[bins.index(look.time_s)].append(look)
    longest = [_longest(inside[at]) if at in inside else None for at in range(bins.count)]
    line = [None if value is None else y(value) for value in longest]
    canvas.drawing.path(steps(canvas, bins, line), "latency")
    for at, looks in inside.items():
        if not all(look.running for look in looks):
            left = canvas.x(bins.start_s + at * bins.width_s)
            right = canvas.x(bins.start_s + (at + 1) * bins.width_s)
            canvas.drawing.rect(left, top + _HEIGHT, right - left, _STRIP, style="failed")


def _longest(looks: Sequence[StreamLook]) -> float | None:
    return max((look.lag_ms for look in looks if look.lag_ms is not None), default=None)
