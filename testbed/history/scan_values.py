"""Compiled pieces of the scanner of JSON lines: the values of operations and of transactions."""
# ruff: noqa: PLR0911, PLR0917 - the part of Python that is compiled
# mypy: disable-error-code="no-any-return,return-value,assignment"

from __future__ import annotations

from typing import Any

from testbed.history.scan_compiler import compiled, part
from testbed.history.scan_state import (
    ITEMS,
    ITEMS_BEFORE,
    LISTS,
    LISTS_BEFORE,
    MICROS,
    Array,
    Rows,
    State,
)
from testbed.history.scan_tokens import (
    DONE,
    FULL,
    MASK2,
    MASK4,
    MASK5,
    MASK6,
    MASK7,
    UNUSUAL,
    blank,
    int_list,
    integer,
    key_of,
    word,
)

OPERATIONS, ON_REGISTERS, ON_LISTS = 0, 1, 2
"""What values are: of single operations; micro-operations on registers; on lists."""

NOTHING = -1

_R, _W, _READ, _WRITE = word(b'r"'), word(b'w"'), word(b'read"'), word(b'write"')
_APPEND, _NULL = word(b'append"'), word(b"null")


def _end_list(ends: Array, counters: Array, count: int) -> int:
    """Number a list whose items in the buffer end at ``count``."""
    number = counters[LISTS]
    ends[number] = counters[ITEMS_BEFORE] + count
    counters[LISTS] = number + 1
    counters[ITEMS] = count
    return counters[LISTS_BEFORE] + number


end_list: Any = part(_end_list)


def _single_value(
    data: Array, words: Array, at: int, row: int, rows: Rows, state: State
) -> tuple[int, int]:
    """Put the value of a single operation: trouble, and the place behind it."""
    if data[at] == 110:
        rows.tag[row] = 0
        return (DONE if words[at] & MASK4 == _NULL else UNUSUAL), at + 4
    if data[at] != 91:
        value, at = integer(data, words, at)
        rows.tag[row] = 1
        rows.payload[row] = value
        return (UNUSUAL if at < 0 else DONE), at
    first = state.counters[ITEMS]
    count, at = int_list(data, words, at, state.items, first)
    if at < 0:
        return (FULL if at == -2 else UNUSUAL), at
    if count - first == 2:
        rows.tag[row] = 2
        rows.payload[row] = state.items[first]
        rows.second[row] = state.items[first + 1]
        return DONE, at
    if state.counters[LISTS] >= len(state.ends):
        return FULL, at
    rows.tag[row] = 3
    rows.payload[row] = end_list(state.ends, state.counters, count)
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
    data: Array, words: Array, at: int, mode: int, state: State
) -> tuple[int, int, int]:
    """What a read saw: trouble, the place behind it, and the value or the number of a list."""
    if data[at] == 110:
        return (DONE if words[at] & MASK4 == _NULL else UNUSUAL), at + 4, NOTHING
    if mode != ON_LISTS:
        value, at = integer(data, words, at)
        return (UNUSUAL if at < 0 or value < 0 else DONE), at, value
    if data[at] != 91:
        return UNUSUAL, at, 0
    if state.counters[LISTS] >= len(state.ends):
        return FULL, at, 0
    first = state.counters[ITEMS]
    count, at = int_list(data, words, at, state.items, first)
    if at < 0:
        return (FULL if at == -2 else UNUSUAL), at, 0
    for place in range(first, count):
        if state.items[place] < 0:
            return UNUSUAL, at, 0
    return DONE, at, end_list(state.ends, state.counters, count)


seen_value: Any = part(_seen_value)


def _micro_operation(
    data: Array, words: Array, at: int, mode: int, state: State
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
    trouble, at, key = key_of(data, words, blank(data, at + 1), state)
    if trouble:
        return trouble, at
    at = blank(data, at)
    value = NOTHING
    if data[at] == 44:
        at = blank(data, at + 1)
        if access == 0:
            trouble, at, value = seen_value(data, words, at, mode, state)
        else:
            value, at = integer(data, words, at)
            trouble = UNUSUAL if at < 0 or value < 0 else DONE
        if trouble:
            return trouble, at
        at = blank(data, at)
    elif access > 0:
        return UNUSUAL, at
    place = state.counters[MICROS]
    if place >= len(state.access):
        return FULL, at
    state.access[place] = access
    state.micro_key[place] = key
    state.micro_value[place] = value
    state.counters[MICROS] = place + 1
    return (DONE if data[at] == 93 else UNUSUAL), at + 1


micro_operation: Any = part(_micro_operation)


def _micro_operations(
    data: Array, words: Array, at: int, mode: int, state: State
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
        trouble, at = micro_operation(data, words, at, mode, state)
        if trouble:
            return trouble, at
        at = blank(data, at)
        if data[at] == 93:
            return DONE, at + 1
        if data[at] != 44:
            return UNUSUAL, at
        at = blank(data, at + 1)


micro_operations: Any = part(_micro_operations)
