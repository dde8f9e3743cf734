"""Sessions of whole numbers, to columns by the compiled scanner."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from testbed.history import scan_sessions
from testbed.history.scan_fields import PADDING
from testbed.history.scan_sessions import SessionColumns
from testbed.history.scan_tables import no_numbers
from testbed.history.scan_tokens import overlapping
from testbed.history.transaction_table import SPARSE, Read, TransactionTable, narrowed

_KEYS_FIRST = 1 << 14
_LEAST = (b"[],", b'{"committed":true,"ops":[]},', b'["r",1,1],')
"""The shortest session, transaction and operation."""


def scanned_table(data: bytes, source: str) -> TransactionTable | None:
    """The table of a file, or None if it holds anything but whole numbers, or a mistake.

    Args:
        data: The file.
        source: The file, for messages.
    """
    padded = np.empty(len(data) + PADDING, np.uint8)
    padded[: len(data)] = np.frombuffer(data, np.uint8)
    padded[len(data) :] = 0
    words = overlapping(padded)
    keys_most = _KEYS_FIRST
    end = scan_sessions.TABLE_FULL
    while end == scan_sessions.TABLE_FULL:
        # With more keys it begins again: few histories have so many.
        columns = _room(len(data), keys_most)
        end = scan_sessions.scan_sessions(padded, words, len(data), columns)
        keys_most *= 8
    if end < 0:
        return None
    sessions, transactions, micros, keys = columns.counters.tolist()
    used = np.flatnonzero(columns.sizes[:sessions])
    rows = np.arange(transactions, dtype=np.int64)
    value = columns.value[:micros]
    values = _interned(value)
    return TransactionTable(
        process=np.repeat(np.arange(len(used), dtype=np.int32), columns.sizes[used]),
        outcome=columns.outcome[:transactions],
        start=rows,
        end=rows.copy(),
        first=np.concatenate((np.zeros(1, np.int64), columns.ends[:transactions])),
        access=columns.access[:micros],
        key=columns.key[:micros],
        value=narrowed(value),
        list_starts=np.zeros(1, np.int32),
        list_items=np.empty(0, np.int32),
        keys=columns.key_values[:keys].tolist(),
        values=values,
        process_names=used.tolist(),
        timed=False,
        line=np.zeros(transactions, np.int64),
        source=source,
    )


def _interned(value: NDArray[np.int64]) -> Sequence[int]:
    """Turn values into indexes, in place.

    Whole numbers from 0 that lie close are their own indexes.
    """
    nothing, unseen = value == scan_sessions.NOTHING, value == scan_sessions.UNSEEN
    said = ~(nothing | unseen)
    value[nothing], value[unseen] = Read.NOTHING, Read.UNSEEN
    seen = value[said]
    greatest = int(seen.max(initial=-1))
    if seen.min(initial=0) >= 0 and greatest < SPARSE * (len(seen) + 1):
        return range(greatest + 1)
    numbers, value[said] = np.unique(seen, return_inverse=True)
    found: list[int] = numbers.tolist()
    return found


def _room(size: int, keys: int) -> SessionColumns:
    """Room for as much as a file of a size can hold, and for keys.

    What is not used takes no memory.
    """
    sessions, transactions, micros = (size // len(least) + 1 for least in _LEAST)
    return SessionColumns(
        sizes=np.empty(sessions, np.int64),
        outcome=np.empty(transactions, np.int8),
        ends=np.empty(transactions, np.int64),
        access=np.empty(micros, np.int8),
        key=np.empty(micros, np.int32),
        value=np.empty(micros, np.int64),
        keys=no_numbers(2 * keys),
        key_values=np.empty(keys, np.int64),
        counters=np.zeros(scan_sessions.COUNTERS, np.int64),
    )
