"""Compiled pieces of the scanner of JSON lines: tokens, and tables that intern numbers and names.

Importing this module loads the compiler, which takes half a second: import it late.
"""
# ruff: noqa: PLR0917, PLR1714 - the part of Python that is compiled
# mypy: disable-error-code="no-any-return,return-value,assignment"

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

NULL = -(2**63)
DONE, UNUSUAL, FULL, TABLE_FULL = 0, 1, 2, 3
"""Why the scan stopped: at the end, at an unusual line, for want of room for rows or in a table."""

PROCESSES, KEYS, ROWS, LISTS, ITEMS, MICROS, ERRORS = 0, 1, 2, 3, 4, 5, 6
"""Places in the counters."""

COUNTERS = 7
VALUE, NUMBER = 0, 1
"""Columns of a table of numbers; a number of -1 means that the slot is free."""

HASH, NAME_NUMBER, START, END = 0, 1, 2, 3
"""Columns of a table of names; the bytes stand in a text beside it."""


_ONE = np.uint64(1)
"""A place that counts up in unsigned numbers needs no check for places from the end."""


def compiled(function: Any) -> Any:
    """A function compiled, or loaded from the disk if it was compiled before."""
    config: Any = numba.config
    before = config.CACHE_DIR
    config.CACHE_DIR = str(_CACHE)
    try:
        return numba.njit(function, cache=True, nogil=True)
    finally:
        config.CACHE_DIR = before


def _cache_folder() -> Path:
    """A folder for what is compiled from exactly these sources.

    The compiler forgets a compiled function when its own module changes, but not when that of a
    function that it calls does.
    """
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("scan*.py")):
        digest.update(source.read_bytes())
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "testbed" / "compiled" / f"scan-{digest.hexdigest()[:16]}"


_CACHE = _cache_folder()


def part(function: Any) -> Any:
    """A function that becomes part of the compiled ones that call it.

    A call that hands on a dozen arrays costs more than what most pieces of the scanner do.
    """
    return numba.njit(function, inline="always")


def _hash_number(value: int, mask: int) -> int:
    mixed = np.uint64(value) * np.uint64(0x9E3779B97F4A7C15)
    return np.int64(mixed >> np.uint64(20)) & mask


hash_number: Any = compiled(_hash_number)


def _hash_text(data: Array, start: int, end: int) -> int:
    mixed = np.uint64(0xCBF29CE484222325)
    place, after = np.uint64(start), np.uint64(end)
    while place < after:
        mixed = (mixed ^ np.uint64(data[place])) * np.uint64(0x100000001B3)
        place += _ONE
    return np.int64(mixed >> np.uint64(1))


hash_text: Any = compiled(_hash_text)


def _number_of(table: Array, values: Array, value: int, counters: Array, which: int) -> int:
    """The interned number of a value, a new one if need be; -1 when the table is too full."""
    mask = len(table) - 1
    slot = hash_number(value, mask)
    while table[slot, NUMBER] >= 0:
        if table[slot, VALUE] == value:
            return table[slot, NUMBER]
        slot = (slot + 1) & mask
    number = counters[which]
    if number >= len(values):
        return -1
    table[slot, VALUE] = value
    table[slot, NUMBER] = number
    values[number] = value
    counters[which] = number + 1
    return number


number_of: Any = compiled(_number_of)


def _put_numbers(table: Array, values: Array, numbers: Array) -> None:
    """Fill a fresh table."""
    mask = len(table) - 1
    for place in range(len(values)):
        slot = hash_number(values[place], mask)
        while table[slot, NUMBER] >= 0:
            slot = (slot + 1) & mask
        table[slot, VALUE] = values[place]
        table[slot, NUMBER] = numbers[place]


put_numbers: Any = compiled(_put_numbers)


def _name_of(table: Array, text: Array, data: Array, start: int, end: int) -> int:
    """The interned number of a text; -1 for one not seen before."""
    hashed = hash_text(data, start, end)
    mask = len(table) - 1
    slot = hashed & mask
    while table[slot, NAME_NUMBER] >= 0:
        first = table[slot, START]
        if table[slot, HASH] == hashed and table[slot, END] - first == end - start:
            same = True
            for offset in range(end - start):
                same = same and text[first + offset] == data[start + offset]
            if same:
                return table[slot, NAME_NUMBER]
        slot = (slot + 1) & mask
    return -1


name_of: Any = compiled(_name_of)


def _blank(data: Array, at: int) -> int:
    """Behind blanks within a line."""
    place = np.uint64(at)
    while data[place] <= 32 and (data[place] == 32 or data[place] == 9 or data[place] == 13):
        place += _ONE
    return np.int64(place)


blank: Any = compiled(_blank)


def _integer(data: Array, at: int) -> tuple[int, int]:
    """A whole number of at most 18 digits and the place behind it; -1 for anything else."""
    place = np.uint64(at)
    negative = data[place] == 45
    if negative:
        place += _ONE
    first = place
    value = np.int64(0)
    while 48 <= data[place] <= 57:
        value = value * 10 + (np.int64(data[place]) - 48)
        place += _ONE
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
        place += _ONE
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
            value, at = integer(data, at)
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


def _key_of(
    data: Array,
    at: int,
    counters: Array,
    table: Array,
    values: Array,
    names: Array,
    text: Array,
) -> tuple[int, int, int]:
    """Trouble, the place behind a key, and its interned number."""
    if data[at] == 34:
        end = text_end(data, at + 1)
        if end < 0:
            return UNUSUAL, at, 0
        number = name_of(names, text, data, at + 1, end)
        return (UNUSUAL if number < 0 else DONE), end + 1, number
    value, at = integer(data, at)
    if at < 0:
        return UNUSUAL, at, 0
    number = number_of(table, values, value, counters, KEYS)
    return (TABLE_FULL if number < 0 else DONE), at, number


key_of: Any = compiled(_key_of)
