"""The figure of a counterexample: its operations on a time axis, a lane a process."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from testbed.report.acts import Act
from testbed.report.contradiction import Contradiction
from testbed.report.figures.act_style import bar_style, name_style
from testbed.report.figures.canvas import Canvas
from testbed.report.figures.circle import circle_figure
from testbed.report.figures.frame import Frame
from testbed.report.figures.lanes import LANE, draw_faults, draw_roles
from testbed.report.figures.svg import text_width
from testbed.report.recorded import Call
from testbed.report.wording import seconds

_PROCESSES_MAX = 12
_ROWS_MAX = 4
_MARGIN = 0.06
_BAR = 12.0


def contradiction_figure(frame: Frame, found: Contradiction) -> Markup:
    """Draws the operations of a contradiction, what their processes did beside, and the faults.

    Of a circle of transactions it draws these, with an arrow for each "must come before".
    """
    if found.edges:
        return circle_figure(frame, found)
    start_s, end_s = _window(found, frame)
    label = "Operations of the counterexample over time, by process"
    canvas = Canvas(label, frame.variant, start_s, end_s, plots=False)
    top = canvas.y
    faults = [one for one in frame.faults if one.start_s <= end_s and one.end_s >= start_s]
    draw_faults(canvas, faults)
    nodes = sorted({act.node for act in found.acts} & {role.node for role in frame.roles})
    roles = [role for role in frame.roles if role.start_s <= end_s and role.end_s >= start_s]
    draw_roles(canvas, roles, nodes)
    _draw_length(canvas, found)
    lanes: dict[str, list[Act]] = {}
    for act in found.acts:
        lanes.setdefault(act.process, []).append(act)
    calls = _context(frame.run.calls, list(lanes)[:_PROCESSES_MAX], start_s, end_s)
    for process, acts in list(lanes.items())[:_PROCESSES_MAX]:
        _draw_process(canvas, process, acts, calls.get(process, ()))
    if len(lanes) > _PROCESSES_MAX:
        canvas.lane(f"and {len(lanes) - _PROCESSES_MAX} processes more", LANE, style="note")
    edges = [edge for fault in faults for edge in (fault.start_s, fault.end_s)]
    canvas.guides([edge for edge in edges if start_s < edge < end_s][:8], top)
    canvas.time_axis(top)
    return canvas.drawing.markup()


def _window(found: Contradiction, frame: Frame) -> tuple[float, float]:
    """The time that the figure shows: all operations, with a margin."""
    times = [act.start_s for act in found.acts]
    times += [act.start_s if act.end_s is None else act.end_s for act in found.acts]
    times += [each for each in (found.since_s, found.until_s) if each is not None]
    first, last = min(times), max(times)
    if any(act.end_s is None for act in found.acts):
        last = max(last, min(first + 1.0, frame.end_s))
    margin = max((last - first) * _MARGIN, 0.002)
    return max(first - margin, 0.0), last + margin


def _draw_length(canvas: Canvas, found: Contradiction) -> None:
    """A lane for how long the contradiction lasted, where it has a length."""
    if found.since_s is None or found.until_s is None:
        return
    top = canvas.lane("✗ lasted", LANE, style="lost-label")
    start, end = canvas.x(found.since_s), canvas.x(found.until_s)
    canvas.drawing.rect(start, top, end - start, LANE, style="none")
    canvas.text_on_plate(seconds(found.until_s - found.since_s), start, end, top, LANE)


def _context(
    calls: Sequence[Call], processes: Sequence[str], start_s: float, end_s: float
) -> Mapping[str, list[Call]]:
    """What some processes did in a stretch of time."""
    found: dict[str, list[Call]] = {process: [] for process in processes}
    # An operation from before may still be under way: none takes longer than this.
    first = bisect_left(calls, start_s - 60.0, key=lambda call: call.invoked_s)
    last = bisect_right(calls, end_s, key=lambda call: call.invoked_s)
    for call in calls[first:last]:
        if call.process in found and call.completed_s >= start_s:
            found[call.process].append(call)
    return found


def _draw_process(canvas: Canvas, process: str, acts: Sequence[Act], calls: Sequence[Call]) -> None:
    """One process: its other operations thin, those of the counterexample strong and named."""
    region = next((act.region for act in acts if act.region), "")
    bars = _placed(canvas, acts)
    height = (1 + max(bar.row for bar in bars)) * (_BAR + 4)
    top = canvas.lane(f"process {process}" + (f", {region}" if region else ""), height)
    _draw_beside(canvas, calls, top + _BAR / 2 - 2)
    for bar in bars:
        act, y = bar.act, top + bar.row * (_BAR + 4)
        style = bar_style(act)
        canvas.drawing.rect(bar.x1, y, bar.x2 - bar.x1, _BAR, style=style, title=act.sentence)
        if bar.name_x is not None:
            anchor = "start" if bar.name_x > bar.x1 else "end"
            inside = bar.x1 < bar.name_x < bar.x2
            style = name_style(act) if inside else "act-label"
            canvas.drawing.text(bar.name_x, y + _BAR - 2, act.call, style, anchor=anchor)


def _draw_beside(canvas: Canvas, calls: Sequence[Call], y: float) -> None:
    """A process's other operations; those that no eye could keep apart become one."""
    spans: list[tuple[float, float]] = []
    for call in calls:
        x1 = canvas.x(call.invoked_s)
        x2 = max(canvas.x(call.completed_s), x1 + 1.0)
        if spans and x1 < spans[-1][1] + 1.0:
            spans[-1] = (spans[-1][0], max(x2, spans[-1][1]))
        else:
            spans.append((x1, x2))
    for x1, x2 in spans:
        canvas.drawing.rect(x1, y, x2 - x1, 4, style="beside")


@dataclass(frozen=True, slots=True)
class _Bar:
    """Where an operation stands: its ends, its row, and where its name is if there is room."""

    act: Act
    x1: float
    x2: float
    row: int = 0
    name_x: float | None = None


def _placed(canvas: Canvas, acts: Sequence[Act]) -> list[_Bar]:
    """The operations of a process in rows, named where there is room.

    Where there is not, the telling ones alone are named, below the others; else none is.
    """
    bars = []
    for act in acts:
        x1 = canvas.x(act.start_s)
        x2 = canvas.x(canvas.end_s if act.end_s is None else act.end_s)
        # A quick operation is still seen.
        bars.append(_Bar(act, x1, max(x2, x1 + 3.0)))
    everything = _named(canvas, bars)
    if everything is not None:
        return everything
    others = [bar for bar in bars if not bar.act.telling]
    telling = _named(canvas, [bar for bar in bars if bar.act.telling])
    if not others or telling is None:
        return bars
    return [*others, *(replace(bar, row=bar.row + 1) for bar in telling)]


def _named(canvas: Canvas, bars: Sequence[_Bar]) -> list[_Bar] | None:
    """The bars in rows so that no name covers another bar; None where there is no room."""
    free = [0.0] * _ROWS_MAX
    placed = []
    for bar in bars:
        width = text_width(bar.act.call, canvas.variant.font) + 4
        # At the right of its bar, else inside of it, else at its left.
        if bar.x2 + 4 + width <= canvas.right:
            left, name_x, until_x = bar.x1, bar.x2 + 4, bar.x2 + 4 + width
        elif bar.x2 - bar.x1 >= width + 4:
            left, name_x, until_x = bar.x1, bar.x1 + 4, bar.x2 + 4
        else:
            left, name_x, until_x = bar.x1 - 4 - width, bar.x1 - 4, bar.x2 + 4
        row = next((row for row, until in enumerate(free) if until <= left), None)
        if row is None:
            return None
        free[row] = until_x
        placed.append(replace(bar, row=row, name_x=name_x))
    return placed


def figures(frames: Sequence[Frame], found: Contradiction) -> list[Markup]:
    """The figure in every size; none where there is no operation to draw."""
    return [contradiction_figure(frame, found) for frame in frames] if found.acts else []
