"""The compiled scanner of JSON lines: bytes to rows, with no object a line.

It knows the common shape of a line and nothing else: a line that holds anything unusual (an escape,
a float, a name not seen before, a mistake) stops it, is read by the ordinary reader, and the scan
goes on behind it. So it can refuse nothing and accepts nothing that the ordinary reader would not.
"""
# ruff: noqa: PLR0912, PLR0917, C901 - the part of Python that is compiled
# mypy: disable-error-code="no-any-return,return-value,assignment"

from __future__ import annotations

from typing import Any

from testbed.history.scan_compiler import compiled, part
from testbed.history.scan_fields import (
    F_F,
    F_KEY,
    F_OTHER,
    F_PROCESS,
    F_TYPE,
    F_VALUE,
    FIELD,
    LENGTH,
    REST,
    REST_MASK,
    WORD,
    WORD_MASK,
    next_field,
    put_number,
    put_text,
    repeats,
)
from testbed.history.scan_interning import number_of
from testbed.history.scan_state import (
    ERRORS,
    ITEMS,
    KEYS,
    LISTS,
    MICROS,
    MICROS_BEFORE,
    ROWS,
    Array,
    Rows,
    State,
)
from testbed.history.scan_tokens import (
    DONE,
    FULL,
    NULL,
    TABLE_FULL,
    UNUSUAL,
    blank,
    key_of,
)
from testbed.history.scan_values import OPERATIONS, micro_operations, single_value

_WANTED = 1 << F_TYPE | 1 << F_F | 1 << F_PROCESS


def _split(row: int, rows: Rows, state: State) -> int:
    """Take the key of a row from its pair of key and value: trouble."""
    if rows.tag[row] != 2:
        return UNUSUAL if rows.tag[row] != 0 or rows.kind[row] == 0 else DONE
    if rows.payload[row] == NULL:
        return UNUSUAL
    number = number_of(state.keys, state.key_values, rows.payload[row], state.counters, KEYS)
    value = rows.second[row]
    rows.key[row] = number
    rows.tag[row] = 0 if value == NULL else 1
    rows.payload[row] = 0 if value == NULL else value
    return TABLE_FULL if number < 0 else DONE


split_pair: Any = part(_split)


def _one_line(
    data: Array, words: Array, at: int, row: int, mode: int, split: bool, rows: Rows, state: State
) -> tuple[int, int]:
    """Put one line from its brace on: trouble, and the place of its end."""
    fields, field, others = 0, 0, 0
    habits = state.habits
    rows.key[row] = -1
    rows.tag[row] = 0
    rows.payload[row] = 0
    rows.flags[row] = 0
    while True:
        before = at
        if (
            words[at] & habits[field, WORD_MASK] == habits[field, WORD]
            and words[at + 8] & habits[field, REST_MASK] == habits[field, REST]
        ):
            at += habits[field, LENGTH]
            field = habits[field, FIELD]
        else:
            field, at = next_field(data, words, at, field, habits)
            if at < 0:
                return UNUSUAL, at
            if field < 0:
                break
        # The ordinary reader says which name an object has twice.
        if field == F_OTHER:
            if repeats(data, before, others, habits):
                return UNUSUAL, at
            others += 1
        elif fields >> field & 1:
            return UNUSUAL, at
        fields |= 1 << field
        if field == F_VALUE:
            if mode == OPERATIONS:
                trouble, at = single_value(data, words, at, row, rows, state)
            else:
                trouble, at = micro_operations(data, words, at, mode, state)
        elif field == F_KEY:
            trouble, at, number = key_of(data, words, at, state)
            rows.key[row] = number
        elif data[at] == 34:
            trouble, at = put_text(data, words, at, field, row, rows, state)
        else:
            trouble, at = put_number(data, words, at, field, row, rows, state)
        if trouble:
            return trouble, at
        if data[at] == 125:
            break
    wanted = _WANTED | (0 if mode == OPERATIONS else 1 << F_VALUE)
    at = blank(data, at + 1)
    if fields & wanted != wanted or data[at] != 10:
        return UNUSUAL, at
    trouble = DONE
    if split and rows.key[row] < 0:
        trouble = split_pair(row, rows, state)
    rows.micro_end[row] = state.counters[MICROS_BEFORE] + state.counters[MICROS]
    return trouble, at


one_line: Any = part(_one_line)


def _scan(
    data: Array,
    words: Array,
    at: int,
    size: int,
    line: int,
    mode: int,
    split: bool,
    rows: Rows,
    state: State,
) -> tuple[int, int, int]:
    """Put lines until the end of the block or the first that is unusual.

    Returns:
        Why it stopped, where the line begins that stopped it, and its number.
    """
    counters = state.counters
    while at < size:
        start = at
        at = blank(data, at)
        if data[at] == 10:
            at += 1
            line += 1
            continue
        row = counters[ROWS]
        if row >= len(rows.kind):
            return FULL, start, line
        if data[at] != 123:
            return UNUSUAL, start, line
        lists, count = counters[LISTS], counters[ITEMS]
        micro, error = counters[MICROS], counters[ERRORS]
        trouble, at = one_line(data, words, at, row, mode, split, rows, state)
        if trouble:
            counters[LISTS], counters[ITEMS] = lists, count
            counters[MICROS], counters[ERRORS] = micro, error
            return trouble, start, line
        rows.line[row] = line
        counters[ROWS] = row + 1
        at += 1
        line += 1
    return DONE, at, line


# Nothing is allocated: to count who uses each array would cost more than the scan.
scan: Any = compiled(_scan, _nrt=False)
