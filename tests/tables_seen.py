"""What tables say, so that two ways of reading the same bytes can be compared."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from testbed.history.operation_table import OperationTable
from testbed.history.problem import HistoryError
from testbed.history.transaction_table import Access, TransactionTable


def operations_seen(table: OperationTable) -> Any:
    """Everything that a table says, without the numbers of names."""
    return [
        (
            table.process_names[table.process[row]],
            int(table.kind[row]),
            table.functions[table.f[row]],
            None if table.key[row] < 0 else repr(table.keys[table.key[row]]),
            int(table.tag[row]),
            repr(table.value(row)),
            int(table.line[row]),
            None if table.time_ns is None else int(table.time_ns[row]),
            table.errors.get(row),
            int(table.partner[row]),
        )
        for row in range(len(table))
    ]


def transactions_seen(table: TransactionTable, lists: bool) -> Any:
    """The same of transactions."""
    found = []
    for row in range(len(table)):
        micros = []
        for place in range(table.first[row], table.first[row + 1]):
            value: Any = int(table.value[place])
            if value >= 0 and (table.access[place] != Access.READ or not lists):
                value = repr(table.values[value])
            elif value >= 0:
                items = table.list_items[table.list_starts[value] : table.list_starts[value + 1]]
                value = [repr(table.values[item]) for item in items]
            micros.append((int(table.access[place]), repr(table.keys[table.key[place]]), value))
        who = table.process_names[table.process[row]]
        times = (int(table.start[row]), int(table.end[row]), int(table.line[row]))
        found.append((who, int(table.outcome[row]), *times, micros))
    return found, table.timed if found else None


def every_field(table: TransactionTable) -> dict[str, Any]:
    """Every field, arrays as lists with their kind."""
    found: dict[str, Any] = {}
    for field in dataclasses.fields(table):
        value = getattr(table, field.name)
        if isinstance(value, np.ndarray):
            found[field.name] = (str(value.dtype), value.tolist())
        else:
            found[field.name] = list(value) if field.name.endswith(("s", "names")) else value
    found["source"] = table.source
    return found


def sessions_seen(table: TransactionTable) -> dict[str, Any]:
    """Every field with the values themselves: which number stands for one does not matter."""
    found = every_field(table)
    values = found.pop("values")
    kind, numbers = found["value"]
    found["value"] = (kind, [("is", values[each]) if each >= 0 else each for each in numbers])
    return found


def outcome_of(read: Callable[[], Any], refusal: type[Exception] = HistoryError) -> Any:
    """What is read, or the text of the refusal."""
    try:
        return read()
    except refusal as error:
        return str(error)
