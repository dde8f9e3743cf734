"""Compiled pieces of the scanner of JSON lines: the values of operations and of transactions."""
# ruff: noqa: PLR0911, PLR0917 - the part of Python that is compiled
# mypy: disable-error-code="no-any-return,return-value,assignment"

from __future__ import annotations

from typing import Any

from testbed.history.scan_tokens import (
    DONE,
    FULL,
    ITEMS,
    LISTS,
    MASK2,
    MASK4,
    MASK5,
    MASK6,
    MASK7,
    MICROS,
    UNUSUAL,
    Array,
    blank,
    compiled,
    int_list,
    integer,
    key_of,
    part,
    word,
)

OPERATIONS, ON_REGISTERS, ON_LISTS = 0, 1, 2
"""What values are: of single operations; micro-operations on registers; on lists."""

TAG, PAYLOAD, SECOND = 0, 1, 2
"""Columns of a row that a value fills; ``SECOND`` is that of a pair."""

ACCESS, MICRO_KEY, MICRO_VALUE = 0, 1, 2
"""Columns of micro-operations."""

NOTHING = -1

_R, _W, _READ, _WRITE = word(b'r"'), word(b'w"'), word(b'read"'), word(b'write"')
_APPEND, _NULL = word(b'append"'), word(b"null")


def _end_list(ends: Array, counters: Array, count: int) -> int:
    """Number a list whose items end at ``count``."""
    number = counters[LISTS]
    ends[number] = count
    counters[LISTS] = number + 1
    counters[ITEMS] = count
    return number


end_list: Any = part(_end_list)


def _single_value(
    data: Array,
    words: Array,
    at: int,
    row: int,
    out: Array,
    items: Array,
    ends: Array,
    counters: Array,
) -> tuple[int, int]:
    """Put the value of a single operation: trouble, and the place behind it."""
    if data[at] == 110:
        out[row, TAG] = 0
        return (DONE if words[at] & MASK4 == _NULL else UNUSUAL), at + 4
    if data[at] != 91:
        value, at = integer(data, at)
        out[row, TAG] = 1
        out[row, PAYLOAD] = value
        return (UNUSUAL if at < 0 else DONE), at
    first = counters[ITEMS]
    count, at = int_list(data, words, at, items, first)
    if at < 0:
        return (FULL if at == -2 else UNUSUAL), at
    if count - first == 2:
        out[row, TAG] = 2
        out[row, PAYLOAD] = items[first]
        out[row, SECOND] = items[first + 1]
        return DONE, at
    if counters[LISTS] >= len(ends):
        return FULL, at
    out[row, TAG] = 3
    out[row, PAYLOAD] = end_list(ends, counters, count)
    return DONE, at


single_value: Any = part(_single_value)


def _access_of(words: Array, at: int) -> tuple[int, int]:
    """What the name behind a quote stands for, -1 for no such name; and the place behind it."""
    name = words[at]
    if name & MASK2 == _R:
        return 0, at + 2
    if name & MASK7 == _APPEND:
        return 2, at + 7
    if name & MASK2 == _W:
        return 1, at + 2
    if name & MASK5 == _READ:
        return 0, at + 5
    return (1 if name & MASK6 == _WRITE else -1), at + 6


access_of: Any = compiled(_access_of)


def _seen_value(
    data: Array, words: Array, at: int, items: Array, ends: Array, counters: Array, mode: int
) -> tuple[int, int, int]:
    """What a read saw: trouble, the place behind it, and the value or the number of a list."""
    if data[at] == 110:
        return (DONE if words[at] & MASK4 == _NULL else UNUSUAL), at + 4, NOTHING
    if mode != ON_LISTS:
        value, at = integer(data, at)
        return (UNUSUAL if at < 0 or value < 0 else DONE), at, value
    if data[at] != 91:
        return UNUSUAL, at, 0
    if counters[LISTS] >= len(ends):
        return FULL, at, 0
    first = counters[ITEMS]
    count, at = int_list(data, words, at, items, first)
    if at < 0:
        return (FULL if at == -2 else UNUSUAL), at, 0
    for place in range(first, count):
        if items[place] < 0:
            return UNUSUAL, at, 0
    return DONE, at, end_list(ends, counters, count)


seen_value: Any = part(_seen_value)


def _micro_operation(
    data: Array,
    words: Array,
    at: int,
    micros: Array,
    items: Array,
    ends: Array,
    counters: Array,
    mode: int,
    table: Array,
    values: Array,
    names: Array,
    text: Array,
) -> tuple[int, int]:
    """Put one micro-operation: trouble, and the place behind it."""
    at = blank(data, at + 1)
    if data[at] != 34:
        return UNUSUAL, at
    access, at = access_of(words, at + 1)
    if access < 0 or (access > 0 and (access == 2) != (mode == ON_LISTS)):
        return UNUSUAL, at
    at = blank(data, at)
    if data[at] != 44:
        return UNUSUAL, at
    trouble, at, key = key_of(data, blank(data, at + 1), counters, table, values, names, text)
    if trouble:
        return trouble, at
    at = blank(data, at)
    value = NOTHING
    if data[at] == 44:
        at = blank(data, at + 1)
        if access == 0:
            trouble, at, value = seen_value(data, words, at, items, ends, counters, mode)
        else:
            value, at = integer(data, at)
            trouble = UNUSUAL if at < 0 or value < 0 else DONE
        if trouble:
            return trouble, at
        at = blank(data, at)
    elif access > 0:
        return UNUSUAL, at
    place = counters[MICROS]
    if place >= len(micros):
        return FULL, at
    micros[place, ACCESS] = access
    micros[place, MICRO_KEY] = key
    micros[place, MICRO_VALUE] = value
    counters[MICROS] = place + 1
    return (DONE if data[at] == 93 else UNUSUAL), at + 1


micro_operation: Any = part(_micro_operation)


def _micro_operations(
    data: Array,
    words: Array,
    at: int,
    micros: Array,
    items: Array,
    ends: Array,
    counters: Array,
    mode: int,
    table: Array,
    values: Array,
    names: Array,
    text: Array,
) -> tuple[int, int]:
    """Put the micro-operations of a transaction: trouble, and the place behind them."""
    if data[at] != 91:
        return UNUSUAL, at
    at = blank(data, at + 1)
    if data[at] == 93:
        return DONE, at + 1
    while True:
        if data[at] != 91:
            return UNUSUAL, at
        trouble, at = micro_operation(
            data, words, at, micros, items, ends, counters, mode, table, values, names, text
        )
        if trouble:
            return trouble, at
        at = blank(data, at)
        if data[at] == 93:
            return DONE, at + 1
        if data[at] != 44:
            return UNUSUAL, at
        at = blank(data, at + 1)


micro_operations: Any = part(_micro_operations)
