"""The tables by which the scanner interns whole numbers and names, and their growth."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from testbed.history import scan_interning
from testbed.history.interning import Interned

_FIRST_SLOTS = 1024
_SCANNED_BELOW = 10**18


class NumberTable:
    """Values that the scanner interns by itself where they are whole numbers.

    Args:
        counters: The scanner's counters.
        which: The place of this table's counter in them.
    """

    def __init__(self, counters: NDArray[np.int64], which: int) -> None:
        self._interned = Interned()
        self._counters = counters
        self._which = which
        self.table = no_numbers(_FIRST_SLOTS)
        self.values = np.zeros(_FIRST_SLOTS // 2, np.int64)

    def interned(self) -> Interned:
        """All values so far, in the order of their numbers."""
        known, now = len(self._interned), int(self._counters[self._which])
        for value in self.values[known:now].tolist():
            self._interned.number(value)
        return self._interned

    def number(self, value: Any) -> int:
        """The interned number of any value; the scanner will know it as well if it can."""
        before = len(self.interned())
        number = self._interned.number(value)
        if number == before:
            if number >= len(self.values):
                self.grow()
            if type(value) is int and abs(value) < _SCANNED_BELOW:
                scan_interning.number_of(
                    self.table, self.values, value, self._counters, self._which
                )
            else:
                self._counters[self._which] += 1
        return number

    def grow(self) -> None:
        """Double the table."""
        old = self.table
        self.table = no_numbers(len(old) * 2)
        self.values = np.concatenate((self.values, np.zeros(len(old) - len(self.values), np.int64)))
        taken = old[old[:, scan_interning.NUMBER] >= 0]
        scan_interning.put_numbers(
            self.table,
            taken[:, scan_interning.VALUE].copy(),
            taken[:, scan_interning.NUMBER].copy(),
        )


class NameTable:
    """Texts that the scanner knows.

    Their numbers are given from outside, because keys may be texts and whole numbers both.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, int] = {}
        self._used = 0
        self.table = _no_names(64)
        self.text = np.zeros(4096, np.uint8)

    def add(self, text: str, number: int) -> None:
        """Let the scanner know a text; one that it stops at anyway is left out."""
        if not text.isascii() or not text.isprintable() or text.encode() in self._known:
            return
        data = text.encode()
        self._known[data] = number
        if len(self._known) * 2 < len(self.table) and self._used + len(data) <= len(self.text):
            self._put(data, number)
            return
        self.table = _no_names(len(self.table) * 2)
        self.text = np.zeros(2 * sum(map(len, self._known)) + 4096, np.uint8)
        self._used = 0
        for known, its_number in self._known.items():
            self._put(known, its_number)

    def _put(self, data: bytes, number: int) -> None:
        start, end = self._used, self._used + len(data)
        self._used = end
        self.text[start:end] = np.frombuffer(data, dtype=np.uint8)
        hashed = int(scan_interning.hash_text(self.text, start, end))
        mask = len(self.table) - 1
        slot = hashed & mask
        while self.table[slot, scan_interning.NAME_NUMBER] >= 0:
            slot = (slot + 1) & mask
        self.table[slot] = (hashed, number, start, end)


def no_numbers(slots: int) -> NDArray[np.int64]:
    """An empty table of numbers with so many slots, a power of two."""
    table = np.zeros((slots, 2), np.int64)
    table[:, scan_interning.NUMBER] = -1
    return table


def _no_names(slots: int) -> NDArray[np.int64]:
    table = np.zeros((slots, 4), np.int64)
    table[:, scan_interning.NAME_NUMBER] = -1
    return table
