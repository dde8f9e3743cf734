"""Histories as columns, written as lines by hand or drawn, for the tests of what reads them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from testbed.history.operation_table import NULL, Kind, OperationTable, Tag


@dataclass
class Columns:
    """Collects lines in the order of the file."""

    lines: list[dict[str, Any]] = field(default_factory=list)

    def line(self, kind: str, process: Any, f: str, value: Any = None, key: Any = None) -> Columns:
        """One line."""
        self.lines.append({"type": kind, "process": process, "f": f, "value": value, "key": key})
        return self

    def call(
        self, process: Any, f: str, value: Any = None, result: Any = None, outcome: str = "ok"
    ) -> Columns:
        """An operation that nothing happens during: a result of None repeats the value."""
        self.line("invoke", process, f, value)
        return self.line(outcome, process, f, value if result is None else result)

    def table(self) -> OperationTable:
        """Everything as columns."""
        return table_of(self.lines)


def table_of(lines: Iterable[dict[str, Any]]) -> OperationTable:
    """Columns of lines: ``type``, ``process``, ``f``, ``value``, and ``key``, ``time``."""
    return _Builder().build(list(lines))


class _Builder:
    def __init__(self) -> None:
        self.pairs: list[list[int]] = []
        self.starts, self.items = [0], []  # type: ignore[var-annotated]
        self.others: dict[str, int] = {}
        self.values: list[Any] = []

    def build(self, lines: list[dict[str, Any]]) -> OperationTable:
        functions: dict[str, int] = {}
        keys: dict[str, int] = {}
        names: dict[Any, int] = {}
        tagged = [self._tagged(line.get("value")) for line in lines]
        key = [
            -1 if line.get("key") is None else keys.setdefault(json.dumps(line["key"]), len(keys))
            for line in lines
        ]
        process = [names.setdefault(line["process"], len(names)) for line in lines]
        f = [functions.setdefault(line["f"], len(functions)) for line in lines]
        times = [line.get("time") for line in lines]
        return OperationTable(
            process=np.array(process, dtype=np.int32),
            kind=np.array([Kind[line["type"].upper()] for line in lines], dtype=np.int8),
            f=np.array(f, dtype=np.int16),
            key=np.array(key, dtype=np.int32),
            tag=np.array([tag for tag, _ in tagged], dtype=np.int8),
            payload=np.array([payload for _, payload in tagged], dtype=np.int64),
            pairs=np.array(self.pairs, dtype=np.int64).reshape(-1, 2),
            list_starts=np.array(self.starts, dtype=np.int64),
            list_items=np.array(self.items, dtype=np.int64),
            others=self.values,
            functions=tuple(functions),
            keys=[json.loads(text) for text in keys],
            process_names=tuple(names),
            line=np.arange(1, len(lines) + 1),
            time_ns=None if None in times else np.array(times, dtype=np.int64),
            errors={},
        )

    def _tagged(self, value: Any) -> tuple[int, int]:
        if value is None:
            return Tag.NULL, 0
        if _is_whole(value):
            return Tag.INTEGER, value
        if isinstance(value, list) and all(item is None or _is_whole(item) for item in value):
            whole = [int(NULL) if item is None else item for item in value]
            if len(whole) == 2:
                self.pairs.append(whole)
                return Tag.PAIR, len(self.pairs) - 1
            self.items += whole
            self.starts.append(len(self.items))
            return Tag.LIST, len(self.starts) - 2
        text = json.dumps(value, sort_keys=True)
        if text not in self.others:
            self.others[text] = len(self.values)
            self.values.append(value)
        return Tag.OTHER, self.others[text]


def _is_whole(value: Any) -> bool:
    """Whether a column of integers can hold it."""
    return type(value) is int and abs(value) < 2**63
