"""What the scanner fills before it is put away: rows, micro-operations, lists, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from testbed.history import scan, scan_tokens, scan_values
from testbed.history.growing import Growing
from testbed.history.operation_table import Tag

_ROWS = 1 << 14
_MICROS = 1 << 16
_ITEMS = 1 << 18

_ROW_KINDS = {
    "process": (scan.PROCESS, np.int32),
    "kind": (scan.KIND, np.int8),
    "f": (scan.FUNCTION, np.int16),
    "key": (scan.KEY, np.int32),
    "tag": (scan_values.TAG, np.int8),
    "flags": (scan.FLAGS, np.int8),
    "line": (scan.LINE, np.int64),
    "time": (scan.TIME, np.int64),
    "index": (scan.INDEX, np.int64),
}
_MICRO_KINDS = {
    "access": (scan_values.ACCESS, np.int8),
    "micro_key": (scan_values.MICRO_KEY, np.int32),
    "micro_value": (scan_values.MICRO_VALUE, np.int64),
}


class ScanBuffer:
    """A bounded buffer for the scanner, and the columns that it is emptied into.

    Args:
        single: Whether values are those of single operations, else micro-operations.
    """

    def __init__(self, *, single: bool) -> None:
        self.counters = np.zeros(scan_tokens.COUNTERS, np.int64)
        self.rows = np.zeros((_ROWS, scan.COLUMNS), np.int64)
        self.micros = np.zeros((_MICROS, 3), np.int64)
        self.items = np.zeros(_ITEMS, np.int64)
        self.ends = np.zeros(_MICROS, np.int64)
        self.errors = np.zeros((_ROWS, 3), np.int64)
        self.single = single
        self.columns = {name: Growing(kind) for name, (_, kind) in _ROW_KINDS.items()}
        others = ("payload", "micro_end", "items", "ends", "pairs")
        self.columns |= {name: Growing(np.int64) for name in others}
        self.columns |= {name: Growing(kind) for name, (_, kind) in _MICRO_KINDS.items()}
        self.columns["ends"].extend(np.zeros(1, np.int64))
        self.error_texts: dict[int, str] = {}

    @property
    def count(self) -> int:
        """Rows so far."""
        return self.columns["kind"].size + int(self.counters[scan_tokens.ROWS])

    def more(self, data: NDArray[np.uint8]) -> None:
        """Make room: empty the buffer, or enlarge it for a line that does not fit at all."""
        if self.counters[scan_tokens.ROWS]:
            self.empty(data)
            return
        self.items = np.zeros(len(self.items) * 2, np.int64)
        self.micros = np.zeros((len(self.micros) * 2, 3), np.int64)
        self.ends = np.zeros(len(self.ends) * 2, np.int64)
        self.errors = np.zeros((len(self.errors) * 2, 3), np.int64)

    def empty(self, data: NDArray[np.uint8]) -> None:
        """Put everything away.

        Args:
            data: The block that the errors stand in.
        """
        rows = self.rows[: self._took(scan_tokens.ROWS)]
        before = self.columns["kind"].size
        for row, start, end in self.errors[: self._took(scan_tokens.ERRORS)].tolist():
            self.error_texts[before + row] = data[start:end].tobytes().decode()
        self._empty_lists(rows)
        for name, (column, _) in _ROW_KINDS.items():
            self.columns[name].extend(rows[:, column])

    def _empty_lists(self, rows: NDArray[np.int64]) -> None:
        """Put values away, their places counted from the beginning of the history."""
        lists, items = self.columns["ends"].size - 1, self.columns["items"].size
        micros = self.micros[: self._took(scan_tokens.MICROS)]
        if self.single:
            payload = rows[:, scan_values.PAYLOAD]
            payload[rows[:, scan_values.TAG] == Tag.LIST] += lists
            paired = np.flatnonzero(rows[:, scan_values.TAG] == Tag.PAIR)
            pairs = rows[paired][:, [scan_values.PAYLOAD, scan_values.SECOND]]
            payload[paired] = self.columns["pairs"].size // 2 + np.arange(len(paired))
            self.columns["pairs"].extend(pairs.reshape(-1))
            self.columns["payload"].extend(payload)
        else:
            place = rows[:, scan.MICRO_END] + self.columns["access"].size
            self.columns["micro_end"].extend(place)
            self._number_lists(micros, lists)
            for name, (column, _) in _MICRO_KINDS.items():
                self.columns[name].extend(micros[:, column])
        self.columns["ends"].extend(self.ends[: self._took(scan_tokens.LISTS)] + items)
        self.columns["items"].extend(self.items[: self._took(scan_tokens.ITEMS)])

    def _number_lists(self, micros: NDArray[np.int64], lists: int) -> None:
        """Lists that reads saw, numbered from the beginning of the history."""
        if self.counters[scan_tokens.LISTS] and lists:
            seen = (micros[:, scan_values.ACCESS] == 0) & (micros[:, scan_values.MICRO_VALUE] >= 0)
            micros[seen, scan_values.MICRO_VALUE] += lists

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
        for name, value in values.items():
            self.columns[name].extend(np.atleast_1d(np.asarray(value, np.int64)))
