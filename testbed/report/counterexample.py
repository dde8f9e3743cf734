"""A counterexample in words: operations as lines that can be read from top to bottom."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from testbed.report.visible import compact
from testbed.report.wording import number

_LINES_MAX = 8
_TEXT_MAX = 400


def counterexample_text(items: Sequence[Any]) -> str:
    """All lines, up to a number that a person will read."""
    lines = [counterexample_line(item) for item in items[:_LINES_MAX]]
    if len(items) > _LINES_MAX:
        lines.append(f"... and {len(items) - _LINES_MAX} more in verdict.json")
    return "\n".join(lines)


def counterexample_line(item: Any) -> str:
    """One line: an operation in words, with what else is known of it; else compact JSON.

    An operation is a line of a history (``time``, ``type``), or both of its lines as a checker
    shows them (``start_ns``, ``end_ns``, ``outcome``).
    """
    if isinstance(item, dict) and _is_text(item.get("text")):
        # In the checker's own words; then its operations with what those leave out.
        operations = item.get("operations")
        told = operations if isinstance(operations, list) else []
        lines = [compact(line, _TEXT_MAX) for line in item["text"]]
        return "\n".join([*lines, *map(counterexample_line, told[:_LINES_MAX])])
    if not isinstance(item, dict) or "f" not in item:
        return compact(item)
    if "start_ns" in item:
        when, what = _span(item.get("start_ns"), item.get("end_ns")), item.get("outcome", "")
    elif "time" in item:
        when, what = _seconds(item["time"]), item.get("type", "")
    else:
        return compact(item)
    call = " ".join(
        compact(item[name], 200) for name in ("f", "key", "value") if item.get(name) is not None
    )
    words = [when, f"process {compact(item.get('process', '?'), 20)}"]
    words += [compact(item["region"], 60)] if item.get("region") else []
    words += [f"{call} -> {compact(what, 20)}" if what else call]
    words += [f"by {compact(item['node'], 60)}"] if item.get("node") else []
    words += [f"({compact(item['error'], 120)})"] if item.get("error") else []
    rest = [
        f"{name} {_told(value)}"
        for name, value in item.items()
        if name not in _TOLD and value is not None
    ]
    kind = f"{compact(item['kind'], 40)}: " if item.get("kind") else ""
    return kind + "  ".join([*words, ", ".join(rest)]).strip()


_TOLD = frozenset(
    {"kind", "time", "type", "start_ns", "end_ns", "outcome", "process", "region", "node", "f"}
    | {"key", "value", "error"}
)


def _is_text(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) for one in value)


def _told(value: Any) -> str:
    """A list of names as words, a number without idle digits, anything else as compact JSON."""
    if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
        return compact(" ".join(value), 160)
    if isinstance(value, float) and math.isfinite(value):
        return number(value)
    return compact(value, 160)


def _seconds(time_ns: Any) -> str:
    known = isinstance(time_ns, int | float) and math.isfinite(time_ns)
    return f"{time_ns / 1e9:.3f} s" if known else compact(time_ns, 20)


def _span(start_ns: Any, end_ns: Any) -> str:
    start = _seconds(start_ns)
    return start if end_ns is None else f"{start} to {_seconds(end_ns)}"
