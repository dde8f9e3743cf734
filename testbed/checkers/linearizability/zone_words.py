"""What the zones contradict, in words and operations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from testbed.checkers.brief import brief
from testbed.checkers.linearizability import zones
from testbed.checkers.linearizability.values import Numbered
from testbed.checkers.row_view import invocation_row, row_text, shown_row
from testbed.history.operation_table import Kind, OperationTable


@dataclass(frozen=True)
class ZoneFinding:
    """A violation among zones.

    Args:
        found: Its kind, a constant of the zones.
        one: First and last row and row of the write of the cluster to blame.
        other: The same of the cluster that it contradicts.
        key: Number of the key.
    """

    found: int
    one: tuple[int, int, int]
    other: tuple[int, int, int]
    key: int


def explained(
    history: OperationTable, values: Numbered, finding: ZoneFinding
) -> tuple[str, dict[str, Any]]:
    """A reason in one sentence and a counterexample."""
    key = "" if finding.key < 0 else f" of key {brief(history.keys[finding.key])}"
    rows: list[int] = []
    if finding.found in (zones.UNWRITTEN, zones.FUTURE):
        anomaly, text = _misread(history, values, finding, rows)
    else:
        anomaly, text = _contradiction(history, finding, rows)
    begun = sorted({invocation_row(history, row) for row in rows if row >= 0})
    shown = [shown_row(history, row) for row in begun]
    lines = [text, *(row_text(history, row) for row in begun)]
    reason = f"the register{key} is not linearizable: {text}"
    return reason, {"anomaly": anomaly, "text": lines, "operations": shown}


def _misread(
    history: OperationTable, values: Numbered, finding: ZoneFinding, rows: list[int]
) -> tuple[str, str]:
    first, _, written = finding.one
    value = brief(history.value(first))
    rows.append(first)
    if finding.found == zones.FUTURE:
        rows.append(written)
        return "future-read", f"{value} was read before its write was invoked"
    failed = _failed_write(history, values, first)
    rows.append(failed)
    why = "was never written" if failed < 0 else "was written only by an operation that failed"
    return "unwritten-value", f"{value}, which was read, {why}"


def _failed_write(history: OperationTable, values: Numbered, read: int) -> int:
    same = values.rows == values.rows[read]
    same &= (history.key == history.key[read]) & (history.kind == Kind.FAIL)
    rows = np.flatnonzero(same & (history.f == history.function("write")))
    return int(rows[0]) if len(rows) else -1


def _contradiction(
    history: OperationTable, finding: ZoneFinding, rows: list[int]
) -> tuple[str, str]:
    one, other = finding.one, finding.other
    if finding.found == zones.OVERLAP:
        rows += [one[2], one[0], other[2], other[0], one[1], other[1]]
        text = f"{_certain(history, one)}, and {_certain(history, other)}"
        return "two-values-at-once", text
    rows += [one[1], one[0], other[2], other[0], other[1]]
    start, end = (int(history.line[row]) for row in (one[1], one[0]))
    value = _value(history, one)
    text = f"{_certain(history, other)}, but all of {value} lies within, in lines {start} to {end}"
    return "value-within-another", text


def _certain(history: OperationTable, cluster: tuple[int, int, int]) -> str:
    """Between which lines the register certainly had a value."""
    begin = "the beginning" if cluster[0] < 0 else f"line {int(history.line[cluster[0]])}"
    end = int(history.line[cluster[1]])
    return f"the value was {_value(history, cluster)} from {begin} to line {end}"


def _value(history: OperationTable, cluster: tuple[int, int, int]) -> str:
    """The value of a cluster: what its write wrote, or what its last operation read."""
    if cluster[2] >= 0:
        return brief(history.value(cluster[2]))
    return brief(shown_row(history, cluster[1])["value"])
