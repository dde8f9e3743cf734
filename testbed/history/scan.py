"""The compiled scanner of JSON lines: bytes to rows, with no object a line.

It knows the common shape of a line and nothing else: a line that holds anything unusual (an escape,
a float, a name not seen before, a mistake) stops it, is read by the ordinary reader, and the scan
goes on behind it. So it can refuse nothing and accepts nothing that the ordinary reader would not.
"""
# ruff: noqa: PLR0911, PLR0912, PLR0917, C901 - the part of Python that is compiled
# mypy: disable-error-code="no-any-return,return-value,assignment"

from __future__ import annotations

from typing import Any

from testbed.history.scan_tokens import (
    DONE,
    ERRORS,
    FULL,
    ITEMS,
    KEYS,
    LISTS,
    MASK2,
    MASK3,
    MASK4,
    MASK5,
    MASK6,
    MASK7,
    MICROS,
    NULL,
    PROCESSES,
    ROWS,
    TABLE_FULL,
    UNUSUAL,
    Array,
    blank,
    compiled,
    integer,
    key_of,
    name_of,
    number_of,
    part,
    text_end,
    word,
)
from testbed.history.scan_values import (
    OPERATIONS,
    PAYLOAD,
    SECOND,
    TAG,
    micro_operations,
    single_value,
)

PROCESS, KIND, FUNCTION, KEY, FLAGS, LINE, TIME, INDEX, MICRO_END = 3, 4, 5, 6, 7, 8, 9, 10, 11
"""The other columns of a row."""

COLUMNS = 12
HAS_TIME, HAS_INDEX, HAS_PROCESS, UNTIMED = 1, 2, 4, 8
"""Bits of ``FLAGS``."""

PADDING = 32
"""Bytes behind a block: the scanner looks ahead without asking where the end is."""

_PROCESS, _TYPE, _TIME = word(b'process"'), word(b'type"'), word(b'time"')
_VALUE, _KEY, _F, _INDEX = word(b'value"'), word(b'key"'), word(b'f"'), word(b'index"')
_ERROR, _UNTIMED, _TRUE = word(b'error"'), word(b'untimed"'), word(b"true")
_INVOKE, _FAIL, _INFO, _OK = word(b'invoke"'), word(b'fail"'), word(b'info"'), word(b'ok"')
F_PROCESS, F_TYPE, F_F, F_VALUE, F_KEY = 1, 2, 4, 8, 16
F_TIME, F_INDEX, F_ERROR, F_UNTIMED = 32, 64, 128, 256


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


kind_of: Any = compiled(_kind_of)


def _field_of(words: Array, at: int) -> tuple[int, int]:
    """Which field's name stands behind a quote, 0 for another; and the place behind its name."""
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


def _put_text(
    data: Array,
    words: Array,
    at: int,
    field: int,
    row: int,
    out: Array,
    errors: Array,
    counters: Array,
    functions: Array,
    function_text: Array,
) -> tuple[int, int]:
    """Put a field that is a text: trouble, and the place behind it."""
    if field == F_TYPE:
        kind, at = kind_of(words, at + 1)
        out[row, KIND] = kind
        return (UNUSUAL if kind < 0 else DONE), at
    end = text_end(data, at + 1)
    if end < 0:
        return UNUSUAL, at
    if field == F_F:
        number = name_of(functions, function_text, data, at + 1, end)
        out[row, FUNCTION] = number
        return (UNUSUAL if number < 0 else DONE), end + 1
    if field == F_ERROR:
        count = counters[ERRORS]
        if count >= len(errors):
            return FULL, at
        errors[count, 0] = row
        errors[count, 1] = at + 1
        errors[count, 2] = end
        counters[ERRORS] = count + 1
        return DONE, end + 1
    return (UNUSUAL if field else DONE), end + 1


put_text: Any = part(_put_text)


def _put_number(
    data: Array,
    words: Array,
    at: int,
    field: int,
    row: int,
    out: Array,
    counters: Array,
    processes: Array,
    process_values: Array,
) -> tuple[int, int]:
    """Put a field that is a whole number: trouble, and the place behind it."""
    if field == F_UNTIMED:
        if words[at] & MASK4 != _TRUE:
            return UNUSUAL, at
        out[row, FLAGS] |= UNTIMED
        return DONE, at + 4
    value, at = integer(data, at)
    if at < 0:
        return UNUSUAL, at
    if field == F_PROCESS:
        if value < 0:
            return UNUSUAL, at
        number = number_of(processes, process_values, value, counters, PROCESSES)
        out[row, PROCESS] = number
        out[row, FLAGS] |= HAS_PROCESS
        return (TABLE_FULL if number < 0 else DONE), at
    if field == F_TIME:
        out[row, TIME] = value
        out[row, FLAGS] |= HAS_TIME
    elif field == F_INDEX:
        out[row, INDEX] = value
        out[row, FLAGS] |= HAS_INDEX
    elif field:
        return UNUSUAL, at
    return DONE, at


put_number: Any = part(_put_number)


def _split(row: int, out: Array, counters: Array, keys: Array, key_values: Array) -> int:
    """Take the key of a row from its pair of key and value: trouble."""
    if out[row, TAG] != 2:
        return UNUSUAL if out[row, TAG] != 0 or out[row, KIND] == 0 else DONE
    if out[row, PAYLOAD] == NULL:
        return UNUSUAL
    number = number_of(keys, key_values, out[row, PAYLOAD], counters, KEYS)
    value = out[row, SECOND]
    out[row, KEY] = number
    out[row, TAG] = 0 if value == NULL else 1
    out[row, PAYLOAD] = 0 if value == NULL else value
    return TABLE_FULL if number < 0 else DONE


split_pair: Any = part(_split)


def _one_line(
    data: Array,
    words: Array,
    at: int,
    row: int,
    mode: int,
    split: bool,
    out: Array,
    micros: Array,
    items: Array,
    ends: Array,
    errors: Array,
    counters: Array,
    processes: Array,
    process_values: Array,
    keys: Array,
    key_values: Array,
    key_names: Array,
    key_text: Array,
    functions: Array,
    function_text: Array,
) -> tuple[int, int]:
    """Put one line from its brace on: trouble, and the place of its end."""
    at = blank(data, at + 1)
    fields = 0
    out[row, KEY] = -1
    out[row, TAG] = 0
    out[row, PAYLOAD] = 0
    out[row, FLAGS] = 0
    while True:
        if data[at] != 34:
            return UNUSUAL, at
        field, after = field_of(words, at + 1)
        if not field:
            after = text_end(data, at + 1) + 1
            if after == 0:
                return UNUSUAL, at
        at = blank(data, after)
        if field & fields or data[at] != 58:
            return UNUSUAL, at
        fields |= field
        at = blank(data, at + 1)
        if field == F_VALUE:
            if mode == OPERATIONS:
                trouble, at = single_value(data, words, at, row, out, items, ends, counters)
            else:
                trouble, at = micro_operations(
                    data,
                    words,
                    at,
                    micros,
                    items,
                    ends,
                    counters,
                    mode,
                    keys,
                    key_values,
                    key_names,
                    key_text,
                )
        elif field == F_KEY:
            trouble, at, number = key_of(data, at, counters, keys, key_values, key_names, key_text)
            out[row, KEY] = number
        elif data[at] == 34:
            trouble, at = put_text(
                data, words, at, field, row, out, errors, counters, functions, function_text
            )
        else:
            trouble, at = put_number(
                data, words, at, field, row, out, counters, processes, process_values
            )
        if trouble:
            return trouble, at
        at = blank(data, at)
        if data[at] == 125:
            break
        if data[at] != 44:
            return UNUSUAL, at
        at = blank(data, at + 1)
    wanted = F_TYPE | F_F | F_PROCESS | (0 if mode == OPERATIONS else F_VALUE)
    at = blank(data, at + 1)
    if fields & wanted != wanted or data[at] != 10:
        return UNUSUAL, at
    trouble = DONE
    if split and out[row, KEY] < 0:
        trouble = split_pair(row, out, counters, keys, key_values)
    out[row, MICRO_END] = counters[MICROS]
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
    out: Array,
    micros: Array,
    items: Array,
    ends: Array,
    errors: Array,
    counters: Array,
    processes: Array,
    process_values: Array,
    keys: Array,
    key_values: Array,
    key_names: Array,
    key_text: Array,
    functions: Array,
    function_text: Array,
) -> tuple[int, int, int]:
    """Put lines until the end of the block or the first that is unusual.

    Returns:
        Why it stopped, where the line begins that stopped it, and its number.
    """
    while at < size:
        start = at
        at = blank(data, at)
        if data[at] == 10:
            at += 1
            line += 1
            continue
        row = counters[ROWS]
        if row >= len(out):
            return FULL, start, line
        if data[at] != 123:
            return UNUSUAL, start, line
        lists, count = counters[LISTS], counters[ITEMS]
        micro, error = counters[MICROS], counters[ERRORS]
        trouble, at = one_line(
            data,
            words,
            at,
            row,
            mode,
            split,
            out,
            micros,
            items,
            ends,
            errors,
            counters,
            processes,
            process_values,
            keys,
            key_values,
            key_names,
            key_text,
            functions,
            function_text,
        )
        if trouble:
            counters[LISTS], counters[ITEMS] = lists, count
            counters[MICROS], counters[ERRORS] = micro, error
            return trouble, start, line
        out[row, LINE] = line
        counters[ROWS] = row + 1
        at += 1
        line += 1
    return DONE, at, line


scan: Any = compiled(_scan)
