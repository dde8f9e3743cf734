"""What the programs of a run logged, on the clock of its history."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from testbed.report.reading import Problem

LINES_MAX = 20_000
"""So many lines of a file are read: a program that logs in a loop must not fill the memory."""

_LINE_BYTES_MAX = 2000
_QUARTER_S = 900.0


class LogLine(NamedTuple):
    """One line of a log; ``time_s`` is on the clock of the history."""

    time_s: float
    node: str
    program: str
    text: str


_STAMP = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[ T](?P<time>\d\d:\d\d:\d\d)(?:[.,](?P<part>\d{1,9}))?"
    r"(?: ?(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d))?\s*"
)


def read_logs(folder: Path, zero_s: float, problems: list[Problem]) -> tuple[LogLine, ...]:
    """Every line with a time, of every node.

    Lines that go on from the one before have none of their own and are left out, as are programs
    that write no time (HAProxy).

    Args:
        folder: ``logs`` of a run folder, with a folder a node.
        zero_s: Seconds of the Unix epoch at which the history's clock stood at 0.
        problems: What could not be read is added.
    """
    found: list[LogLine] = []
    for path in sorted(folder.glob("*/*.log")):
        try:
            found += _lines(path, zero_s, problems)
        except OSError as error:
            problems.append(Problem(f"logs/{path.parent.name}/{path.name}", f"{error.strerror}"))
    return tuple(sorted(found))


def _lines(path: Path, zero_s: float, problems: list[Problem]) -> Iterator[LogLine]:
    node, program = path.parent.name, path.name.removesuffix(".log")
    local_s: float | None = None
    with path.open("rb") as file:
        for number in range(LINES_MAX + 1):
            line = file.readline(_LINE_BYTES_MAX)
            if not line:
                return
            if number == LINES_MAX:
                what = f"only its first {LINES_MAX:,} lines are looked at"
                problems.append(Problem(f"logs/{node}/{path.name}", what))
                return
            text = line.decode("utf-8", "replace").rstrip()
            stamp = _STAMP.search(text, 0, 60)
            at_s = None if stamp is None else _seconds(stamp)
            if stamp is None or at_s is None:
                continue
            time_s = at_s - zero_s
            if stamp["zone"] is None:
                # Local time of a machine that nothing names: by quarters of an hour, and a log
                # of a run begins when the run does.
                if local_s is None:
                    local_s = round(time_s / _QUARTER_S) * _QUARTER_S
                time_s -= local_s
            yield LogLine(time_s, node, program, (text[: stamp.start()] + text[stamp.end() :]))


def _seconds(stamp: re.Match[str]) -> float | None:
    """The time of a stamp; of one without a zone as if it were UTC. None where it is no time."""
    zone = stamp["zone"] or "Z"
    offset = "+00:00" if zone in ("Z", "UTC", "GMT") else zone
    try:
        moment = datetime.fromisoformat(f"{stamp['date']}T{stamp['time']}{offset}")
        whole = (moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    except (ValueError, OverflowError):
        return None
    return whole + float(f"0.{stamp['part'] or 0}")
