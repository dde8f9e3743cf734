"""Compiled pieces of the scanner of JSON lines: tokens."""
# ruff: noqa: PLR1714 - the part of Python that is compiled
# mypy: disable-error-code="no-any-return,return-value,assignment"

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from testbed.history.scan_compiler import ONE, compiled, part
from testbed.history.scan_interning import name_of, number_of
from testbed.history.scan_state import KEYS, Array, State

NULL = -(2**63)
DONE, UNUSUAL, FULL, TABLE_FULL = 0, 1, 2, 3
"""Why the scan stopped: at the end, at an unusual line, for want of room for rows or in a table."""


def _blank(data: Array, at: int) -> int:
    """Behind blanks within a line."""
    place = np.uint64(at)
    while data[place] <= 32 and (data[place] == 32 or data[place] == 9 or data[place] == 13):
        place += ONE
    return np.int64(place)


blank: Any = compiled(_blank)


_ZEROS, _HIGH, _SIXES = (np.uint64(digit * 0x0101010101010101) for digit in (0x30, 0xF0, 0x06))
_PAIRS, _FOURS = np.uint64(0x00FF00FF00FF00FF), np.uint64(0x0000FFFF0000FFFF)


def _eight_digits(eight: int) -> int:
    """The number of eight digits that are one number of eight bytes; -1 for anything else.

    Three multiplications for eight digits, each joining neighbours: the well-known way of doing it
    within one register.
    """
    if eight & _HIGH != _ZEROS or (eight + _SIXES) & _HIGH != _ZEROS:
        return -1
    eight -= _ZEROS
    eight = (eight * np.uint64(10) + (eight >> np.uint64(8))) & _PAIRS
    eight = (eight * np.uint64(100) + (eight >> np.uint64(16))) & _FOURS
    return np.int64((eight * np.uint64(10_000) + (eight >> np.uint64(32))) & np.uint64(0xFFFFFFFF))


eight_digits: Any = compiled(_eight_digits)


def _integer(data: Array, words: Array, at: int) -> tuple[int, int]:
    """A whole number of at most 18 digits and the place behind it; -1 for anything else."""
    place = np.uint64(at)
    negative = data[place] == 45
    if negative:
        place += ONE
    first = place
    value = np.int64(0)
    eight = eight_digits(np.uint64(words[place]))
    if eight >= 0:
        value = eight
        place += np.uint64(8)
    while 48 <= data[place] <= 57:
        value = value * 10 + (np.int64(data[place]) - 48)
        place += ONE
    digits = np.int64(place) - np.int64(first)
    after = data[place]
    if digits == 0 or digits > 18 or (digits > 1 and data[first] == 48):
        return 0, -1
    if after == 46 or after == 101 or after == 69 or (negative and value == 0):
        return 0, -1
    return (-value if negative else value), np.int64(place)


integer: Any = compiled(_integer)


def _text_end(data: Array, at: int) -> int:
    """The closing quote of a plain text whose first byte is ``at``; -1 for anything else."""
    place = np.uint64(at)
    while 32 <= data[place] < 127 and data[place] != 34 and data[place] != 92:
        place += ONE
    return np.int64(place) if data[place] == 34 else -1


text_end: Any = compiled(_text_end)


def word(text: bytes) -> int:
    """A text of at most eight bytes as the number that :func:`overlapping` has of it."""
    return int.from_bytes(text, "little")


def overlapping(data: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Eight bytes from every place on as one number, without a copy."""
    return np.ndarray((len(data) - 8,), np.int64, data, strides=(1,))


MASK2, MASK3, MASK4, MASK5, MASK6, MASK7 = (256**size - 1 for size in range(2, 8))
_NULL_WORD = word(b"null")


def _int_list(data: Array, words: Array, at: int, items: Array, count: int) -> tuple[int, int]:
    """Put the whole numbers and nulls of a list behind ``count`` items.

    Returns:
        How many items there are then and the place behind the list; instead of the place -1 for
        an unusual list and -2 for want of room.
    """
    at = blank(data, at + 1)
    if data[at] == 93:
        return count, at + 1
    while True:
        if count >= len(items):
            return count, -2
        if words[at] & MASK4 == _NULL_WORD:
            items[count] = NULL
            at += 4
        else:
            value, at = integer(data, words, at)
            if at < 0:
                return count, -1
            items[count] = value
        count += 1
        at = blank(data, at)
        if data[at] == 93:
            return count, at + 1
        if data[at] != 44:
            return count, -1
        at = blank(data, at + 1)


int_list: Any = compiled(_int_list)


def _key_of(data: Array, words: Array, at: int, state: State) -> tuple[int, int, int]:
    """Trouble, the place behind a key, and its interned number."""
    if data[at] == 34:
        end = text_end(data, at + 1)
        if end < 0:
            return UNUSUAL, at, 0
        number = name_of(state.key_names, state.key_text, data, at + 1, end)
        return (UNUSUAL if number < 0 else DONE), end + 1, number
    value, at = integer(data, words, at)
    if at < 0:
        return UNUSUAL, at, 0
    number = number_of(state.keys, state.key_values, value, state.counters, KEYS)
    return (TABLE_FULL if number < 0 else DONE), at, number


key_of: Any = part(_key_of)
