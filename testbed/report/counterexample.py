"""A counterexample in words: operations as lines that can be read from top to bottom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from testbed.report.visible import compact

_LINES_MAX = 30


def counterexample_text(items: Sequence[Any]) -> str:
    """All lines, up to a number that a person will read."""
    lines = [counterexample_line(item) for item in items[:_LINES_MAX]]
    if len(items) > _LINES_MAX:
        lines.append(f"... and {len(items) - _LINES_MAX} more in verdict.json")
    return "\n".join(lines)


def counterexample_line(item: Any) -> str:
    """One line: an operation in words, anything else as compact JSON."""
    if not isinstance(item, dict) or not {"time", "type", "f"} <= item.keys():
        return compact(item)
    time = item["time"]
    at = f"{time / 1e9:9.3f} s" if isinstance(time, int | float) else compact(time, 20)
    who = f"process {compact(item.get('process', '?'), 20)}"
    where = " ".join(
        f"{name} {compact(item[name], 60)}" for name in ("region", "node") if item.get(name)
    )
    what = " ".join(
        compact(item[name], 200) for name in ("f", "key", "value") if item.get(name) is not None
    )
    error = f" ({compact(item['error'], 120)})" if item.get("error") else ""
    return f"{at}  {who}  {compact(item['type'], 10):6}  {what}{error}  {where}".rstrip()
