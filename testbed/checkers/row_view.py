"""How an operation of a table stands in a counterexample: plain JSON, and words for people."""

from __future__ import annotations

from typing import Any

import numpy as np

from testbed.checkers.brief import brief
from testbed.history.operation_table import Kind, OperationTable, Tag

_OUTCOMES = {Kind.OK: "ok", Kind.FAIL: "fail", Kind.INFO: "info"}


def shown_row(table: OperationTable, row: int) -> dict[str, Any]:
    """One operation as plain JSON.

    Args:
        table: The history.
        row: The row of the operation's invocation, or of its completion.

    Returns:
        ``line``, ``process``, ``f``, ``key`` (left out without one), ``value`` (the completion's
        where it has one), ``outcome`` (``ok``, ``fail`` or ``info``), ``start`` and ``end`` (the
        lines of invocation and completion: a time without ties; ``end`` is None for what never
        completed), ``start_ns`` and ``end_ns`` where the history has times, and ``error``.
    """
    invoked, completed = _rows(table, row)
    kind = Kind.INFO if completed < 0 else Kind(int(table.kind[completed]))
    saw = completed >= 0 and table.tag[completed] != Tag.NULL
    shown: dict[str, Any] = {
        "line": int(table.line[invoked]),
        "process": table.process_names[int(table.process[invoked])],
        "f": table.functions[int(table.f[invoked])],
    }
    if table.key[invoked] >= 0:
        shown["key"] = table.keys[int(table.key[invoked])]
    shown["value"] = table.value(completed if saw else invoked)
    shown["outcome"] = _OUTCOMES[kind]
    shown["start"] = int(table.line[invoked])
    shown["end"] = None if kind == Kind.INFO else int(table.line[completed])
    if table.time_ns is not None:
        shown["start_ns"] = int(table.time_ns[invoked])
        shown["end_ns"] = None if kind == Kind.INFO else int(table.time_ns[completed])
    if completed in table.errors:
        shown["error"] = table.errors[completed]
    return shown


def row_text(table: OperationTable, row: int) -> str:
    """One operation in words: ``process 3 read 5 (lines 10 to 12)``."""
    shown = shown_row(table, row)
    what = [f"process {shown['process']} {shown['f']}"]
    if "key" in shown:
        what.append(f"of key {brief(shown['key'])}")
    if shown["value"] is not None or shown["outcome"] == "ok":
        what.append(brief(shown["value"]))
    if shown["end"] is None:
        place = f"from line {shown['start']} on, outcome unknown"
    else:
        place = f"lines {shown['start']} to {shown['end']}"
        place += ", failed" if shown["outcome"] == "fail" else ""
    return f"{' '.join(what)} ({place})"


def invocation_row(table: OperationTable, row: int) -> int:
    """The row of the invocation of an operation of which either row is given."""
    return _rows(table, row)[0]


def _rows(table: OperationTable, row: int) -> tuple[int, int]:
    """The rows of invocation and completion, -1 without one, whichever of them was given.

    A process does one thing at a time: the other row is the nearest one of the same process. Only
    that is looked for; the partners of all rows are not needed to show a few.
    """
    process = table.process[row]
    if table.kind[row] != Kind.INVOKE:
        return row - 1 - int(np.argmax(table.process[:row][::-1] == process)), row
    later = table.process[row + 1 :] == process
    after = row + 1 + int(np.argmax(later)) if later.any() else -1
    return row, -1 if after < 0 or table.kind[after] == Kind.INVOKE else after
