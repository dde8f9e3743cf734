"""What the scanner fills before it is put away: rows, micro-operations, lists, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from testbed.history import scan_fields, scan_state
from testbed.history.growing import Growing
from testbed.history.operation_table import Tag
from testbed.history.scan_state import Rows

_ROWS = 1 << 14
_MICROS = 1 << 16
_ITEMS = 1 << 18

_ROW_KINDS: dict[str, Any] = {
    "process": np.int32,
    "kind": np.int8,
    "f": np.int16,
    "key": np.int32,
    "tag": np.int8,
    "flags": np.int8,
    "payload": np.int64,
    "second": np.int64,
    "line": np.int64,
    "time": np.int64,
    "indexed": np.int64,
    "micro_end": np.int64,
}
_KEPT = ("process", "kind", "f", "key", "tag", "flags", "line")
_SAID = {"time": scan_fields.HAS_TIME, "indexed": scan_fields.HAS_INDEX}
"""Columns that are kept from the first row on that says them."""

_MICRO_KINDS: dict[str, Any] = {
    "access": np.int8,
    "micro_key": np.int32,
    "micro_value": np.int64,
}
_INDEXES = ("items", "micro_value", "ends", "micro_end", "line")


class ScanBuffer:
    """A bounded buffer for the scanner, and the columns that it is emptied into.

    Args:
        single: Whether values are those of single operations, else micro-operations.
    """

    def __init__(self, *, single: bool) -> None:
        self.counters = np.zeros(scan_state.COUNTERS, np.int64)
        self.rows = Rows(**{name: np.zeros(_ROWS, kind) for name, kind in _ROW_KINDS.items()})
        self.micros = {name: np.zeros(_MICROS, kind) for name, kind in _MICRO_KINDS.items()}
        self.items = np.zeros(_ITEMS, np.int64)
        self.ends = np.zeros(_MICROS, np.int64)
        self.errors = np.zeros((_ROWS, 3), np.int64)
        self.single = single
        self.columns = {name: Growing(kind) for name, kind in _ROW_KINDS.items()}
        self.columns |= {name: Growing(np.int64) for name in ("items", "ends", "pairs")}
        self.columns |= {name: Growing(kind) for name, kind in _MICRO_KINDS.items()}
        if not single:
            # They are places or become indexes: few histories have one that needs more.
            self.columns |= {name: Growing(np.int32, np.int64) for name in _INDEXES}
        self.columns["ends"].extend(np.zeros(1, np.int64))
        self.error_texts: dict[int, str] = {}

    @property
    def count(self) -> int:
        """Rows so far."""
        return self.columns["kind"].size + int(self.counters[scan_state.ROWS])

    def count_from(self) -> None:
        """Say how much was put away: the scanner counts on from there."""
        self.counters[scan_state.LISTS_BEFORE] = self.columns["ends"].size - 1
        self.counters[scan_state.ITEMS_BEFORE] = self.columns["items"].size
        self.counters[scan_state.MICROS_BEFORE] = self.columns["access"].size

    def more(self, data: NDArray[np.uint8]) -> None:
        """Make room: empty the buffer, or enlarge it for a line that does not fit at all."""
        if self.counters[scan_state.ROWS]:
            self.empty(data)
            return
        self.items = np.zeros(len(self.items) * 2, np.int64)
        for name, column in self.micros.items():
            self.micros[name] = np.zeros(len(column) * 2, column.dtype)
        self.ends = np.zeros(len(self.ends) * 2, np.int64)
        self.errors = np.zeros((len(self.errors) * 2, 3), np.int64)

    def empty(self, data: NDArray[np.uint8]) -> None:
        """Put everything away.

        Args:
            data: The block that the errors stand in.
        """
        count = self._took(scan_state.ROWS)
        before = self.columns["kind"].size
        for row, start, end in self.errors[: self._took(scan_state.ERRORS)].tolist():
            self.error_texts[before + row] = data[start:end].tobytes().decode()
        self._empty_lists(count)
        flags = int(np.bitwise_or.reduce(self.rows.flags[:count]))
        for name in _KEPT:
            self.columns[name].extend(getattr(self.rows, name)[:count])
        for name, said in _SAID.items():
            if flags & said or self.columns[name].size:
                self._fill(name, before)
                self.columns[name].extend(getattr(self.rows, name)[:count])

    def fill(self) -> None:
        """Make columns as long as others unless no row says what they hold."""
        for name in _SAID:
            if self.columns[name].size:
                self._fill(name, self.columns["kind"].size)

    def _fill(self, name: str, rows: int) -> None:
        """Rows that did not say what a column holds."""
        missing = rows - self.columns[name].size
        if missing:
            self.columns[name].extend(np.zeros(missing, np.int64))

    def _empty_lists(self, count: int) -> None:
        """Put values away."""
        if self.single:
            payload, tag = self.rows.payload[:count], self.rows.tag[:count]
            paired = np.flatnonzero(tag == Tag.PAIR)
            pairs = np.stack([payload[paired], self.rows.second[paired]], axis=1)
            payload[paired] = self.columns["pairs"].size // 2 + np.arange(len(paired))
            self.columns["pairs"].extend(pairs.reshape(-1))
            self.columns["payload"].extend(payload)
        else:
            micros = self._took(scan_state.MICROS)
            self.columns["micro_end"].extend(self.rows.micro_end[:count])
            for name, column in self.micros.items():
                self.columns[name].extend(column[:micros])
        self.columns["ends"].extend(self.ends[: self._took(scan_state.LISTS)])
        self.columns["items"].extend(self.items[: self._took(scan_state.ITEMS)])

    def _took(self, counter: int) -> int:
        count = int(self.counters[counter])
        self.counters[counter] = 0
        return count

    def put_list(self, numbers: list[int]) -> int:
        """Put a list behind the others, the buffer being empty; its number."""
        self.columns["items"].extend(np.array(numbers, np.int64))
        self.columns["ends"].extend(np.array([self.columns["items"].size], np.int64))
        return self.columns["ends"].size - 2

    def put(self, **values: Any) -> None:
        """Put one value into each of some columns, or several; the buffer is empty."""
        before = self.columns["kind"].size
        for name, value in values.items():
            if name in _SAID:
                self._fill(name, before)
            self.columns[name].extend(np.atleast_1d(np.asarray(value, np.int64)))
