"""Compiled pieces of the scanner of JSON lines: tables that intern numbers and names."""
# mypy: disable-error-code="no-any-return,return-value,assignment"

from __future__ import annotations

from typing import Any

import numpy as np

from testbed.history.scan_compiler import ONE, compiled
from testbed.history.scan_state import Array

VALUE, NUMBER = 0, 1
"""Columns of a table of numbers; a number of -1 means that the slot is free."""

HASH, NAME_NUMBER, START, END = 0, 1, 2, 3
"""Columns of a table of names; the bytes stand in a text beside it."""


def _hash_number(value: int, mask: int) -> int:
    mixed = np.uint64(np.int64(value)) * np.uint64(0x9E3779B97F4A7C15)
    return np.int64(mixed >> np.uint64(20)) & mask


hash_number: Any = compiled(_hash_number)


def _hash_text(data: Array, start: int, end: int) -> int:
    mixed = np.uint64(0xCBF29CE484222325)
    place, after = np.uint64(start), np.uint64(end)
    while place < after:
        mixed = (mixed ^ np.uint64(data[place])) * np.uint64(0x100000001B3)
        place += ONE
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
