"""One world of the live view: in full, or on a single line where there is no room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from testbed.report.standing import ActiveFault, Lane
from testbed.report.visible import visible

_NAME = 14
_BAR = 20
_FAULTS = 3


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters that a view is drawn with.

    Args:
        levels: From nothing to the most, for a sparkline.
        full: The done part of a bar.
        empty: The rest of it.
        primary: Marks the primary's region.
        fault: Marks a fault.
        ascii_only: Whether all of them are ASCII.
    """

    levels: str
    full: str
    empty: str
    primary: str
    fault: str
    ascii_only: bool


_UNICODE = Glyphs("·▁▂▃▄▅▆▇█", "━", "─", "★", "◆", ascii_only=False)
_ASCII = Glyphs("_.,:-=+*#", "#", "-", "P", "!", ascii_only=True)


def glyphs_for(*, ascii_only: bool) -> Glyphs:
    """The characters for a terminal."""
    return _ASCII if ascii_only else _UNICODE


def sparkline(values: Sequence[float], highest: float, width: int, glyphs: Glyphs) -> str:
    """The last values, one a column; the lowest level is for nothing at all.

    Args:
        values: Oldest first.
        highest: What a full column stands for.
        width: Columns at most.
        glyphs: The characters.
    """
    top = len(glyphs.levels) - 1
    columns = []
    for value in values[-width:] if width > 0 else ():
        share = min(value / highest, 1.0) if highest > 0 else 0.0
        columns.append(glyphs.levels[max(1, round(share * top)) if value > 0 else 0])
    return "".join(columns)


def bar(done: float | None, width: int, glyphs: Glyphs) -> str:
    """A progress bar; all empty when nobody can tell."""
    filled = round(min(max(done or 0.0, 0.0), 1.0) * width)
    return glyphs.full * filled + glyphs.empty * (width - filled)


def lane_lines(number: int, lane: Lane, now: float, width: int, glyphs: Glyphs) -> list[Text]:
    """The world in full: its phase, a line a region, a line a fault."""
    lines = [_title(number, lane, width, glyphs), _phase(lane, now, width, glyphs)]
    lines += [_region(region, lane, width, glyphs) for region in lane.rates]
    faults = list(lane.faults.values())
    lines += [_fault(fault, now, glyphs) for fault in faults[:_FAULTS]]
    if len(faults) > _FAULTS:
        lines.append(Text(f"  and {len(faults) - _FAULTS} more faults", style="magenta"))
    return lines


def lane_line(number: int, lane: Lane, now: float, glyphs: Glyphs) -> Text:
    """The world on one line: the shortest and most wanted first."""
    phase = lane.phase.name if lane.phase else "waiting"
    done = f" {lane.phase.done:.0%}" if lane.phase and lane.phase.done is not None else ""
    line = Text(f"{number} {visible(phase, 14)}{done}", style="bold")
    latest = [found[-1] for found in lane.rates.values() if found]
    if latest:
        line.append(f" {sum(rate.acknowledged_ops_s for rate in latest):.0f}/s", style="default")
    where = ",".join(dict.fromkeys(lane.primaries.values()))
    if where:
        line.append(f" {glyphs.primary}{visible(where, 30)}", style="cyan")
    for fault in lane.faults.values():
        line.append(f" {glyphs.fault}{_aged(fault, now)}", style="magenta")
    return line


def _title(number: int, lane: Lane, width: int, glyphs: Glyphs) -> Text:
    rule = glyphs.empty * 2
    title = Text(f"{rule} world {number} ", style="bold")
    if lane.example:
        title.append(f"example {lane.example.number} ")
        title.append(f"{visible(lane.example.title, 200)} ", style="dim")
    return title.append(glyphs.empty * max(width - title.cell_len, 0), style="dim")


def _phase(lane: Lane, now: float, width: int, glyphs: Glyphs) -> Text:
    if lane.phase is None:
        return Text("  waiting", style="dim")
    phase = lane.phase
    line = Text(f"  {visible(phase.name, _NAME):<{_NAME}} ")
    if width >= 60:
        line.append(bar(phase.done, _BAR, glyphs), style="cyan").append(" ")
    if phase.done is not None:
        line.append(f"{min(phase.done, 1.0):4.0%} ")
    line.append(f"{now - lane.phase_since:.0f} s")
    if phase.remaining_s is not None:
        line.append(f", about {phase.remaining_s:.0f} s left")
    return line.append(f"  {visible(phase.detail, 200)}" if phase.detail else "", style="dim")


def _region(region: str, lane: Lane, width: int, glyphs: Glyphs) -> Text:
    """A region's last acknowledged rates, what fails now, and the primary if it is there."""
    rates = list(lane.rates[region])
    primaries = [node for node, where in lane.primaries.items() if where == region]
    highest = max(
        (rate.acknowledged_ops_s for found in lane.rates.values() for rate in found), default=0.0
    )
    columns = min(max(width - _NAME - 50, 8), 40)
    spark = sparkline([rate.acknowledged_ops_s for rate in rates], highest, columns, glyphs)
    line = Text(f"  {visible(region, _NAME):<{_NAME}} ")
    line.append(f"{spark:>{columns}}", style="blue")
    if rates:
        last = rates[-1]
        style = "bold red" if last.acknowledged_ops_s == 0 else "default"
        line.append(f" {last.acknowledged_ops_s:4.0f}/s", style=style)
    else:
        line.append("    -/s", style="dim")
    if primaries:
        names = ", ".join(visible(name, 30) for name in primaries)
        line.append(f" {glyphs.primary} {names if width >= 60 else 'primary'}", style="cyan")
    if rates and rates[-1].failed_ops_s:
        line.append(f" {rates[-1].failed_ops_s:.0f}/s failed", style="red")
    if rates and rates[-1].unknown_ops_s:
        line.append(f" {rates[-1].unknown_ops_s:.0f}/s unknown", style="yellow")
    return line


def _fault(fault: ActiveFault, now: float, glyphs: Glyphs) -> Text:
    line = Text(f"  {glyphs.fault} {_aged(fault, now)}", style="magenta")
    states = {"heal": "healed, not yet shown to be gone", "absence": "not shown to be gone"}
    known = {True: "shown to bite", False: "not shown to bite", None: "injected"}
    return line.append(f"  {states.get(fault.phase) or known[fault.shown]}", style="default")


def _aged(fault: ActiveFault, now: float) -> str:
    return f"{visible(fault.title, 60)} {max(now - fault.since, 0.0):.0f} s"
