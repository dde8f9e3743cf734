"""Transactions as columns: what the isolation checkers read."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from testbed.history.operation_table import Integers, Small

NEVER = np.int64(2**62)
"""In ``end``: the transaction never completed."""

SPARSE = 8
"""A table of all numbers up to the greatest is worth it up to so many times those in use."""


class Outcome(enum.IntEnum):
    """Values of ``TransactionTable.outcome``."""

    OK = 1
    FAIL = 2
    INFO = 3


class Access(enum.IntEnum):
    """Values of ``TransactionTable.access``: what a micro-operation does."""

    READ = 0
    WRITE = 1
    APPEND = 2


class Read(enum.IntEnum):
    """Values of ``TransactionTable.value`` for a read that has no value."""

    NOTHING = -1
    """The key had none yet: a register's null. (An empty list is a list.)"""
    UNSEEN = -2
    """The result is not known: the transaction is not ``OK``."""


def narrowed(column: NDArray[Any]) -> NDArray[Any]:
    """Indexes as 32-bit numbers, unless one of them is greater."""
    fits = column.dtype == np.int32 or column.max(initial=0) <= np.iinfo(np.int32).max
    return column.astype(np.int32, copy=False) if fits else column


@dataclass(frozen=True)
class TransactionTable:
    """One row a transaction; its micro-operations are ``first[row]`` to ``first[row + 1]``.

    Rows stand in the order of invocation, or session by session where there are no times.

    Args:
        process: Dense number of the process (the session).
        outcome: See :class:`Outcome`.
        start: Row of the invocation in the history: a time without ties. Counts up from 0 within
            the whole where there are no times.
        end: Row of the completion; :data:`NEVER` without one.
        first: One more than there are transactions.
        access: See :class:`Access`, one a micro-operation.
        key: Index into ``keys``.
        value: What was written or appended, an index into ``values``; what a read of a register
            saw, the same or :class:`Read`; for a read of a list its number, or ``UNSEEN``.
        list_starts: List ``i`` is ``list_items[list_starts[i]:list_starts[i + 1]]``.
        list_items: Indexes into ``values``.
        keys: The keys, interned.
        values: The values, interned: equal JSON has one index.
        process_names: Names or numbers of the processes.
        timed: Whether ``start`` and ``end`` say what really happened before what.
        line: Line of the invocation in the file, from 1, for messages.
        source: The file, for messages.
    """

    process: NDArray[np.int32]
    outcome: Small
    start: Integers
    end: Integers
    first: Integers
    access: Small
    key: NDArray[np.int32]
    value: NDArray[np.int32]
    list_starts: NDArray[np.int32] | Integers
    list_items: NDArray[np.int32]
    keys: Sequence[Any]
    values: Sequence[Any]
    process_names: Sequence[int | str]
    timed: bool
    line: Integers
    source: str = "history"

    def __len__(self) -> int:
        return len(self.outcome)
