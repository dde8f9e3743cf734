"""The logs around a failure: what every node said when something happened, in one order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from testbed.report.log_lines import LogLine
from testbed.report.recorded import RecordedRun
from testbed.report.story import Moment

ROWS_MAX = 100
"""More is no reading: the least telling are left out first."""

_BEFORE_S, _AFTER_S = 1.5, 3.0
_REPEAT_S = 5.0

_BAD = re.compile(r"\b(panic|fatal|error|err|crit(ical)?|warn(ing)?)\b", re.IGNORECASE)
_TELLING = re.compile(
    r"promot|demot|leader|timeline|standby|shut(ting)?[ _-]?down|lock|fail|elect|fenc|recover"
    r"|slot|conflict|unreachable|suspect|terminat|starting|ready to accept|switch|rewind|lost",
    re.IGNORECASE,
)
_ROUTINE = re.compile(r"no action\.|Lock owner:|connection (received|authorized)", re.IGNORECASE)
_NUMBERS = re.compile(r"[0-9A-Fa-f]*\d[0-9A-Fa-f]*")


@dataclass(frozen=True, slots=True)
class LogRow:
    """A line of a log, or a moment of the run between them.

    Args:
        time_s: When.
        node: Whose; empty for a moment.
        program: Which program's; the kind of a moment.
        text: What it said.
        repeats: How often it was said again shortly after, but for numbers.
        until_s: When it was said last.
        weight: How telling it is; 0 for routine.
    """

    time_s: float
    node: str
    program: str
    text: str
    repeats: int = 0
    until_s: float = 0.0
    weight: int = 0


def log_rows(run: RecordedRun, moments: Sequence[Moment]) -> list[LogRow]:
    """The lines around the moments of a run, with the moments between them.

    Args:
        run: With its logs.
        moments: What happened, as told above the figures.
    """
    spans = _around(moments)
    lines = _once(line for line in run.logs if any(a <= line.time_s <= b for a, b in spans))
    if not lines:
        return []
    told = [LogRow(one.time_s, "", one.kind, one.text, weight=9) for one in moments[:40]]
    room = max(ROWS_MAX - len(told), 20)
    ranked = sorted(lines, key=lambda row: -row.weight)[:room]
    return sorted([*told, *ranked], key=lambda row: (row.time_s, row.node))


def _around(moments: Sequence[Moment]) -> list[tuple[float, float]]:
    """The stretches of time around some moments, merged."""
    spans: list[tuple[float, float]] = []
    for one in moments:
        since_s, until_s = one.time_s - _BEFORE_S, one.time_s + _AFTER_S
        if spans and since_s <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(until_s, spans[-1][1]))
        else:
            spans.append((since_s, until_s))
    return spans


def _once(lines: Iterator[LogLine]) -> list[LogRow]:
    """What a program says again and again stands once, with how often it did."""
    rows: list[LogRow] = []
    latest: dict[tuple[str, str, str], int] = {}
    for line in lines:
        key = (line.node, line.program, _NUMBERS.sub("0", line.text))
        at = latest.get(key)
        if at is not None and line.time_s - max(rows[at].time_s, rows[at].until_s) <= _REPEAT_S:
            rows[at] = replace(rows[at], repeats=rows[at].repeats + 1, until_s=line.time_s)
            continue
        latest[key] = len(rows)
        rows.append(
            LogRow(line.time_s, line.node, line.program, line.text, weight=_weight(line.text))
        )
    return rows


def _weight(text: str) -> int:
    if _ROUTINE.search(text):
        return 0
    return 1 + bool(_TELLING.search(text)) + 2 * bool(_BAD.search(text))
