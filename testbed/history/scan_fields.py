"""Compiled pieces of the scanner of JSON lines: the fields of a line."""
# ruff: noqa: PLR0911, PLR0917 - the part of Python that is compiled
# mypy: disable-error-code="no-any-return,return-value,assignment"

from __future__ import annotations

from typing import Any

import numpy as np

from testbed.history.scan_compiler import compiled, part
from testbed.history.scan_interning import name_of, number_of
from testbed.history.scan_state import ERRORS, PROCESSES, Array, Rows, State
from testbed.history.scan_tokens import (
    DONE,
    FULL,
    MASK2,
    MASK3,
    MASK4,
    MASK5,
    MASK6,
    MASK7,
    TABLE_FULL,
    UNUSUAL,
    blank,
    integer,
    text_end,
    word,
)

HAS_TIME, HAS_INDEX, HAS_PROCESS, UNTIMED = 1, 2, 4, 8
"""Bits of ``Rows.flags``."""

PADDING = 32
"""Bytes behind a block: the scanner looks ahead without asking where the end is."""

WORD, REST, WORD_MASK, REST_MASK, LENGTH, FIELD = 0, 1, 2, 3, 4, 5
"""Columns of the habits: the first eight bytes and the next, which of them count, how many they
are, and the field that they begin."""

FIELDS = 11
"""Rows of the habits: one for each field that stood before, the first for the begin of a line."""


OTHERS_MAX = 8
"""A line may have so many fields that are none of ours: their names stand behind the habits."""


def no_habits() -> Array:
    """Habits of a scanner that has seen nothing yet: they are those of no line."""
    habits = np.zeros((FIELDS + OTHERS_MAX, 6), np.int64)
    habits[:, WORD] = 1
    return habits


_PROCESS, _TYPE, _TIME = word(b'process"'), word(b'type"'), word(b'time"')
_VALUE, _KEY, _F, _INDEX = word(b'value"'), word(b'key"'), word(b'f"'), word(b'index"')
_ERROR, _UNTIMED, _TRUE = word(b'error"'), word(b'untimed"'), word(b"true")
_INVOKE, _FAIL, _INFO, _OK = word(b'invoke"'), word(b'fail"'), word(b'info"'), word(b'ok"')
F_PROCESS, F_TYPE, F_F, F_VALUE, F_KEY = 1, 2, 3, 4, 5
F_TIME, F_INDEX, F_ERROR, F_UNTIMED, F_OTHER = 6, 7, 8, 9, 10


def _kind_of(words: Array, at: int) -> tuple[int, int]:
    """Which type stands behind a quote, -1 for none; and the place behind it."""
    name = words[at]
    if name & MASK7 == _INVOKE:
        return 0, at + 7
    if name & MASK3 == _OK:
        return 1, at + 3
    if name & MASK5 == _FAIL:
        return 2, at + 5
    return (3 if name & MASK5 == _INFO else -1), at + 5


kind_of: Any = part(_kind_of)


def _field_of(words: Array, at: int) -> tuple[int, int]:
    """Which field's name stands behind a quote, 0 for none of ours; and the place behind it."""
    name = words[at]
    if name & MASK5 == _TYPE:
        return F_TYPE, at + 5
    if name & MASK6 == _VALUE:
        return F_VALUE, at + 6
    if name == _PROCESS:
        return F_PROCESS, at + 8
    if name & MASK2 == _F:
        return F_F, at + 2
    if name & MASK5 == _TIME:
        return F_TIME, at + 5
    if name & MASK6 == _INDEX:
        return F_INDEX, at + 6
    if name & MASK4 == _KEY:
        return F_KEY, at + 4
    if name & MASK6 == _ERROR:
        return F_ERROR, at + 6
    return (F_UNTIMED if name == _UNTIMED else 0), at + 8


field_of: Any = compiled(_field_of)


def _next_field(
    data: Array, words: Array, start: int, before: int, habits: Array
) -> tuple[int, int]:
    """The field that begins behind the value of another, and where its own value begins.

    The place is -1 for what is unusual; the field is -1 at the end of the line. What stands
    between two values is remembered, for most lines are alike.
    """
    at = blank(data, start)
    if data[at] == 125:
        return -1, at
    if data[at] != (44 if before else 123):
        return 0, -1
    at = blank(data, at + 1)
    if data[at] != 34:
        return 0, -1
    field, after = field_of(words, at + 1)
    if not field:
        field, after = F_OTHER, text_end(data, at + 1) + 1
        if after == 0:
            return 0, -1
    at = blank(data, after)
    if data[at] != 58:
        return 0, -1
    at = blank(data, at + 1)
    length = at - start
    if length <= 16 and not habits[before, LENGTH]:
        first, rest = min(length, 8), max(length - 8, 0)
        habits[before, WORD_MASK] = -1 if first == 8 else (1 << (8 * first)) - 1
        habits[before, REST_MASK] = -1 if rest == 8 else (1 << (8 * rest)) - 1
        habits[before, WORD] = words[start] & habits[before, WORD_MASK]
        habits[before, REST] = words[start + 8] & habits[before, REST_MASK]
        habits[before, LENGTH] = length
        habits[before, FIELD] = field
    return field, at


next_field: Any = compiled(_next_field)


def _repeats(data: Array, at: int, count: int, habits: Array) -> bool:
    """Whether a field that is none of ours may have the name of an earlier one of its line.

    Args:
        data: The block.
        at: Behind the value before it.
        count: How many such fields the line had before.
        habits: Their names are behind it, and this one's is put there.
    """
    if count >= OTHERS_MAX:
        return True
    while data[at] != 34:
        at += 1
    start = at + 1
    length = text_end(data, start) - start
    for before in range(FIELDS, FIELDS + count):
        if habits[before, 1] == length:
            place, same = habits[before, 0], 0
            while same < length and data[place + same] == data[start + same]:
                same += 1
            if same == length:
                return True
    habits[FIELDS + count, 0] = start
    habits[FIELDS + count, 1] = length
    return False


repeats: Any = compiled(_repeats)


def _put_text(
    data: Array, words: Array, at: int, field: int, row: int, rows: Rows, state: State
) -> tuple[int, int]:
    """Put a field that is a text: trouble, and the place behind it."""
    if field == F_TYPE:
        kind, at = kind_of(words, at + 1)
        rows.kind[row] = kind
        return (UNUSUAL if kind < 0 else DONE), at
    end = text_end(data, at + 1)
    if end < 0:
        return UNUSUAL, at
    if field == F_F:
        number = name_of(state.functions, state.function_text, data, at + 1, end)
        rows.f[row] = number
        return (UNUSUAL if number < 0 else DONE), end + 1
    if field == F_ERROR:
        count = state.counters[ERRORS]
        if count >= len(state.errors):
            return FULL, at
        state.errors[count, 0] = row
        state.errors[count, 1] = at + 1
        state.errors[count, 2] = end
        state.counters[ERRORS] = count + 1
        return DONE, end + 1
    return (DONE if field == F_OTHER else UNUSUAL), end + 1


put_text: Any = part(_put_text)


def _put_number(
    data: Array, words: Array, at: int, field: int, row: int, rows: Rows, state: State
) -> tuple[int, int]:
    """Put a field that is a whole number: trouble, and the place behind it."""
    if field == F_UNTIMED:
        if words[at] & MASK4 != _TRUE:
            return UNUSUAL, at
        rows.flags[row] |= UNTIMED
        return DONE, at + 4
    value, at = integer(data, words, at)
    if at < 0:
        return UNUSUAL, at
    if field == F_PROCESS:
        if value < 0:
            return UNUSUAL, at
        number = number_of(state.processes, state.process_values, value, state.counters, PROCESSES)
        rows.process[row] = number
        rows.flags[row] |= HAS_PROCESS
        return (TABLE_FULL if number < 0 else DONE), at
    if field == F_TIME:
        rows.time[row] = value
        rows.flags[row] |= HAS_TIME
    elif field == F_INDEX:
        rows.indexed[row] = value
        rows.flags[row] |= HAS_INDEX
    elif field != F_OTHER:
        return UNUSUAL, at
    return DONE, at


put_number: Any = part(_put_number)
