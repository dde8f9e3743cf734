"""Operation tables from a few readable lines, without going through a file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np

from testbed.history.operation_table import NULL, Kind, OperationTable, Tag

KINDS = {"invoke": Kind.INVOKE, "ok": Kind.OK, "fail": Kind.FAIL, "info": Kind.INFO}


def table(*lines: tuple[Any, ...]) -> OperationTable:
    """A table of ``(process, type, f, value)`` or ``(process, type, f, value, key)``."""
    return table_of(lines)


def table_of(lines: Iterable[tuple[Any, ...]]) -> OperationTable:
    """The same from any iterable; what JSON the values are decides their tags."""
    rows = [(*line, None)[:5] if len(line) < 5 else line for line in lines]
    functions = list(dict.fromkeys(row[2] for row in rows))
    processes = list(dict.fromkeys(row[0] for row in rows))
    keys = list(dict.fromkeys(row[4] for row in rows if row[4] is not None))
    values = _Values()
    tagged = [values.add(row[3]) for row in rows]
    return OperationTable(
        process=np.array([processes.index(row[0]) for row in rows], dtype=np.int32),
        kind=np.array([KINDS[row[1]] for row in rows], dtype=np.int8),
        f=np.array([functions.index(row[2]) for row in rows], dtype=np.int16),
        key=np.array([-1 if row[4] is None else keys.index(row[4]) for row in rows], np.int32),
        tag=np.array([tag for tag, _ in tagged], dtype=np.int8),
        payload=np.array([payload for _, payload in tagged], dtype=np.int64),
        pairs=np.array(values.pairs, dtype=np.int64).reshape(-1, 2),
        list_starts=np.array(values.list_starts, dtype=np.int64),
        list_items=np.array(values.list_items, dtype=np.int64),
        others=values.others,
        functions=tuple(functions),
        keys=keys,
        process_names=processes,
        line=np.arange(1, len(rows) + 1, dtype=np.int64),
        time_ns=None,
        errors={},
    )


def whole(value: Any) -> bool:
    """Whether a value fits among integers or null."""
    return value is None or (type(value) is int and abs(value) < 2**63)


class _Values:
    """Values as tags and payloads."""

    def __init__(self) -> None:
        self.pairs: list[list[int]] = []
        self.list_starts = [0]
        self.list_items: list[int] = []
        self.others: list[Any] = []
        self._numbers: dict[str, int] = {}

    def add(self, value: Any) -> tuple[int, int]:
        if value is None:
            return Tag.NULL, 0
        if whole(value):
            return Tag.INTEGER, value
        if isinstance(value, list | tuple) and all(map(whole, value)):
            items = [int(NULL) if item is None else item for item in value]
            if len(items) == 2:
                self.pairs.append(items)
                return Tag.PAIR, len(self.pairs) - 1
            self.list_items += items
            self.list_starts.append(len(self.list_items))
            return Tag.LIST, len(self.list_starts) - 2
        text = json.dumps(value, sort_keys=True)
        number = self._numbers.setdefault(text, len(self.others))
        if number == len(self.others):
            self.others.append(value)
        return Tag.OTHER, number
