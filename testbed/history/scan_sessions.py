"""The compiled scanner of sessions: bytes to columns, with no object an operation.

It knows whole numbers as keys and values, and transactions that say whether they committed before
what they did. Whatever else a file holds, a mistake included, is left to the ordinary reader.
"""
# ruff: noqa: C901, PLR0911, PLR1714 - the part of Python that is compiled
# mypy: disable-error-code="no-any-return,return-value,assignment"

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from testbed.history.scan_compiler import ONE, compiled
from testbed.history.scan_interning import number_of
from testbed.history.scan_state import Array
from testbed.history.scan_tokens import MASK2, MASK3, MASK4, MASK5, integer, word
from testbed.history.transaction_table import Access, Outcome

SESSIONS, TRANSACTIONS, MICROS, KEYS = 0, 1, 2, 3
"""Places in the counters."""

COUNTERS = 4

UNUSUAL, TABLE_FULL = -1, -2
"""In place of the place: why the scan stopped."""

NOTHING, UNSEEN = -(2**62), -(2**62) + 1
"""In the column of values: less than every number that is scanned."""

_SESS, _IONS = word(b'"session'), word(b's"')
_COMMITT, _ED, _OPS = word(b'"committ'), word(b'ed"'), word(b'"ops"')
_TRUE, _FALS, _NULL = word(b"true"), word(b"fals"), word(b"null")
_COMMITTED, _NOT_COMMITTED = int(Outcome.OK), int(Outcome.FAIL)
_READ, _WRITE = int(Access.READ), int(Access.WRITE)


class SessionColumns(NamedTuple):
    """Room for what is read, and the tables that intern.

    Args:
        sizes: Transactions of each session.
        outcome: Of each transaction.
        ends: The end of the operations of each transaction.
        access: Of each operation.
        key: Number of its key.
        value: Its value, or what a read without one saw.
        keys: Table of numbers, with the keys beside it.
        key_values: These.
        counters: How many there are of everything.
    """

    sizes: Array
    outcome: Array
    ends: Array
    access: Array
    key: Array
    value: Array
    keys: Array
    key_values: Array
    counters: Array


def _space(data: Array, at: int) -> int:
    """Behind blanks and ends of lines."""
    place = np.uint64(at)
    while data[place] <= 32 and (
        data[place] == 32 or data[place] == 10 or data[place] == 9 or data[place] == 13
    ):
        place += ONE
    return np.int64(place)


space: Any = compiled(_space)


def _past(data: Array, at: int, wanted: int) -> int:
    """Behind blanks, a byte, and blanks; -1 where another byte stands."""
    at = space(data, at)
    return space(data, at + 1) if data[at] == wanted else UNUSUAL


past: Any = compiled(_past)


def _operation(data: Array, words: Array, at: int, kept: bool, columns: SessionColumns) -> int:
    """Put one operation from its bracket on; the place behind it, or what is unusual."""
    counters = columns.counters
    micro = counters[MICROS]
    at = past(data, at, 91)
    if at < 0 or data[at] != 34 or data[at + 2] != 34:
        return UNUSUAL
    letter = data[at + 1]
    if letter != 114 and letter != 119:
        return UNUSUAL
    at = past(data, at + 3, 44)
    if at < 0:
        return UNUSUAL
    key, at = integer(data, words, at)
    if at < 0:
        return UNUSUAL
    at = past(data, at, 44)
    if at < 0:
        return UNUSUAL
    columns.access[micro] = _WRITE if letter == 119 else _READ
    number = number_of(columns.keys, columns.key_values, key, counters, KEYS)
    if number < 0:
        return TABLE_FULL
    columns.key[micro] = number
    kept = kept or letter == 119
    columns.value[micro] = NOTHING if kept else UNSEEN
    if words[at] & MASK4 == _NULL:
        if letter == 119:
            return UNUSUAL
        at += 4
    else:
        value, at = integer(data, words, at)
        if at < 0:
            return UNUSUAL
        if kept:
            columns.value[micro] = value
    counters[MICROS] = micro + 1
    return past(data, at, 93)


operation: Any = compiled(_operation)


def _transaction(data: Array, words: Array, at: int, columns: SessionColumns) -> int:
    """Put one transaction from its brace on; the place behind it, or what is unusual."""
    counters = columns.counters
    row = counters[TRANSACTIONS]
    at = past(data, at, 123)
    if at < 0 or words[at] != _COMMITT or words[at + 8] & MASK3 != _ED:
        return UNUSUAL
    at = past(data, at + 11, 58)
    if at < 0:
        return UNUSUAL
    kept = words[at] & MASK4 == _TRUE
    if not kept and (words[at] & MASK4 != _FALS or data[at + 4] != 101):
        return UNUSUAL
    columns.outcome[row] = _COMMITTED if kept else _NOT_COMMITTED
    at = past(data, at + (4 if kept else 5), 44)
    if at < 0 or words[at] & MASK5 != _OPS:
        return UNUSUAL
    at = past(data, at + 5, 58)
    if at < 0 or data[at] != 91:
        return UNUSUAL
    at = space(data, at + 1)
    more = data[at] != 93
    while more:
        at = operation(data, words, at, kept, columns)
        if at < 0:
            return at
        more = data[at] == 44
        if more:
            at = space(data, at + 1)
    counters[TRANSACTIONS] = row + 1
    columns.ends[row] = counters[MICROS]
    at = past(data, at, 93)
    return UNUSUAL if at < 0 else past(data, at, 125)


transaction: Any = compiled(_transaction)


def _session(data: Array, words: Array, at: int, columns: SessionColumns) -> int:
    """Put one session from its bracket on; the place behind it, or what is unusual."""
    counters = columns.counters
    before = counters[TRANSACTIONS]
    at = past(data, at, 91)
    if at < 0:
        return UNUSUAL
    more = data[at] != 93
    while more:
        at = transaction(data, words, at, columns)
        if at < 0:
            return at
        more = data[at] == 44
        if more:
            at = space(data, at + 1)
    columns.sizes[counters[SESSIONS]] = counters[TRANSACTIONS] - before
    counters[SESSIONS] += 1
    return past(data, at, 93)


session: Any = compiled(_session)


def _scan_sessions(data: Array, words: Array, size: int, columns: SessionColumns) -> int:
    """Put a whole file of a size: where it ends, or why that was not reached."""
    at = past(data, 0, 123)
    if at < 0 or words[at] != _SESS or words[at + 8] & MASK2 != _IONS:
        return UNUSUAL
    at = past(data, at + 10, 58)
    if at < 0:
        return UNUSUAL
    at = past(data, at, 91)
    if at < 0:
        return UNUSUAL
    more = data[at] != 93
    while more:
        at = session(data, words, at, columns)
        if at < 0:
            return at
        more = data[at] == 44
        if more:
            at = space(data, at + 1)
    at = past(data, at, 93)
    if at < 0:
        return UNUSUAL
    at = past(data, at, 125)
    return at if at == size else UNUSUAL


scan_sessions: Any = compiled(_scan_sessions)
