"""Sessions of whole numbers, to columns by the compiled scanner."""

from __future__ import annotations

import numpy as np

from testbed.history import scan_sessions
from testbed.history.scan_fields import PADDING
from testbed.history.scan_sessions import SessionColumns
from testbed.history.scan_tables import no_numbers
from testbed.history.scan_tokens import overlapping
from testbed.history.transaction_table import TransactionTable


def scanned_table(data: bytes, source: str) -> TransactionTable | None:
    """The table of a file, or None if it holds anything but whole numbers, or a mistake.

    Args:
        data: The file.
        source: The file, for messages.
    """
    columns = _room(data.count(b"["), data.count(b"{"))
    padded = np.zeros(len(data) + PADDING, np.uint8)
    padded[: len(data)] = np.frombuffer(data, np.uint8)
    if not scan_sessions.scan_sessions(padded, overlapping(padded), len(data), columns):
        return None
    sessions, transactions, micros, keys, values = columns.counters.tolist()
    used = np.flatnonzero(columns.sizes[:sessions])
    rows = np.arange(transactions, dtype=np.int64)
    return TransactionTable(
        process=np.repeat(np.arange(len(used), dtype=np.int32), columns.sizes[used]),
        outcome=columns.outcome[:transactions].copy(),
        start=rows,
        end=rows.copy(),
        first=np.concatenate((np.zeros(1, np.int64), columns.ends[:transactions])),
        access=columns.access[:micros].copy(),
        key=columns.key[:micros].copy(),
        value=columns.value[:micros].copy(),
        list_starts=np.zeros(1, np.int64),
        list_items=np.empty(0, np.int64),
        keys=columns.key_values[:keys].tolist(),
        values=columns.value_values[:values].tolist(),
        process_names=used.tolist(),
        timed=False,
        line=np.zeros(transactions, np.int64),
        source=source,
    )


def _room(brackets: int, braces: int) -> SessionColumns:
    """Room for as much as there can be at most in a file with so many brackets and braces."""
    slots = 1 << (2 * brackets).bit_length()
    return SessionColumns(
        sizes=np.empty(brackets, np.int64),
        outcome=np.empty(braces, np.int8),
        ends=np.empty(braces, np.int64),
        access=np.empty(brackets, np.int8),
        key=np.empty(brackets, np.int32),
        value=np.empty(brackets, np.int64),
        keys=no_numbers(slots),
        key_values=np.empty(brackets, np.int64),
        values=no_numbers(slots),
        value_values=np.empty(brackets, np.int64),
        counters=np.zeros(scan_sessions.COUNTERS, np.int64),
    )
