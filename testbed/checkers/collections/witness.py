"""What a violation looks like to people and to programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from testbed.checkers.row_view import shown_row
from testbed.history.operation_table import OperationTable

EXAMPLES_MAX = 10
"""Violations of one kind that are shown; all are counted."""

ITEMS_MAX = 100
"""Of a longer list so many items are shown in an operation, with ``value_items``, its length."""


def witness(
    table: OperationTable, anomaly: str, text: Sequence[str], rows: Iterable[int], **more: Any
) -> dict[str, Any]:
    """One violation.

    Args:
        table: The history.
        anomaly: What kind it is.
        text: Lines for people, without the operations.
        rows: Invocations of the operations that show it.
        more: What else programs want to know.
    """
    operations = [_shown(table, row) for row in rows if row >= 0]
    lines = [*text, *(f"  {said(operation)}" for operation in operations)]
    return {"anomaly": anomaly, "text": lines, "operations": operations, **more}


def said(operation: dict[str, Any]) -> str:
    """An operation in one line."""
    key = f" of key {_plain(operation['key'])}" if operation.get("key") is not None else ""
    end = operation.get("end")
    lines = f"from line {operation['start']} on" if end is None else f"lines {operation['start']}"
    lines += "" if end is None else f" to {end}"
    value = operation.get("value")
    text = "" if value is None else f" {shortened(value, operation.get('value_items'))}"
    outcome = {"ok": "", "fail": ", failed", "info": ", outcome unknown"}[operation["outcome"]]
    return f"process {operation['process']} {operation['f']}{key}{text} ({lines}{outcome})"


def shortened(value: Any, length: int | None = None, items_max: int = 12) -> str:
    """A value for people, as JSON: a list that is or was longer is cut."""
    if isinstance(value, list) and len(value) > items_max:
        begin = ", ".join(_plain(item) for item in value[: items_max - 2])
        return f"[{begin}, ... {length or len(value)} in all]"
    return _plain(value)


def listed(values: Sequence[Any], values_max: int = 8) -> str:
    """Some values for people, the first ones and how many more."""
    first = ", ".join(shortened(value) for value in values[:values_max])
    more = len(values) - values_max
    return f"{first} and {more} more" if more > 0 else first


def _plain(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _shown(table: OperationTable, row: int) -> dict[str, Any]:
    operation = shown_row(table, row)
    value = operation["value"]
    if isinstance(value, list) and len(value) > ITEMS_MAX:
        operation |= {"value": value[:ITEMS_MAX], "value_items": len(value)}
    return operation
