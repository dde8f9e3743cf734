"""A history of unique-value registers of which is known what every read saw."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from testbed.history.transaction_table import TransactionTable

Rows = NDArray[np.int32]
Flags = NDArray[np.bool_]

INITIAL = -1
"""In place of the transaction that was read from: the initial state."""
OWN = -2
NOT_READ = -3
THIN_AIR = -4
ABORTED = -5
INTERMEDIATE = -6
FUTURE = -7
INTERNAL = -8
BESIDES = -10
"""Added to another code for a read that is internal as well: it comes after an own write."""

MISREADS = {
    THIN_AIR: "garbage-read",
    ABORTED: "G1a",
    INTERMEDIATE: "G1b",
    FUTURE: "future-read",
    INTERNAL: "internal",
}
"""What is wrong with a read, by its number in ``Resolved.source``."""
_AFTER_OWN = (THIN_AIR, ABORTED, INTERMEDIATE, FUTURE)
MISREADS |= {code + BESIDES: MISREADS[code] for code in _AFTER_OWN}

OK, FAIL = 1, 2
READ, WRITE = 0, 1


@dataclass(frozen=True)
class Resolved:
    """A history of unique-value registers, its reads resolved.

    Only committed transactions have reads, writes and a place in a session: those that are known to
    have committed, and indeterminate ones of which a committed transaction read a write.

    Args:
        table: The history.
        committed: Whether the transaction took effect, one a row.
        source: For a read the row of the transaction that it saw or a code of this module; for a
            write :data:`OWN` if it is the last of its key in its transaction.
        previous: The row before it in its session, -1 for none, one a row. An indeterminate
            transaction has one and is nobody's: it may have taken effect after its successors.
        chain: Number of the chain of transactions that it belongs to: its process, or a chain of
            its own.
        position: Its place in the chain, from 0.
        chains: How many chains there are.
        read_first: Reads of row ``t`` are ``read_first[t]`` to ``read_first[t + 1]``, in program
            order, those of the own writes left out.
        read_key: Key of the read.
        read_source: Row of the transaction that it read from, or :data:`INITIAL`.
        read_op: The micro-operation.
        write_first: As ``read_first``, for the last write to each key.
        write_key: Key of the write.
        write_op: The micro-operation.
    """

    table: TransactionTable
    committed: Flags
    source: Rows
    previous: Rows
    chain: Rows
    position: Rows
    chains: int
    read_first: Rows
    read_key: Rows
    read_source: Rows
    read_op: Rows
    write_first: Rows
    write_key: Rows
    write_op: Rows

    def __len__(self) -> int:
        return len(self.table)

    @property
    def work(self) -> int:
        """Micro-operations: what kernels are chosen by."""
        return len(self.table.key)

    def without_sessions(self) -> Resolved:
        """The same with each transaction in a session of its own."""
        rows = len(self)
        alone, chain = np.full(rows, -1, np.int32), np.arange(rows, dtype=np.int32)
        return dataclasses.replace(self, previous=alone, chain=chain, chains=rows)

    def misreads(self, code: int) -> NDArray[np.int64]:
        """The micro-operations that saw what a code of this module stands for."""
        return np.flatnonzero((self.source == code) | (self.source == code + BESIDES))

    def row_of(self, op: int) -> int:
        """The transaction of a micro-operation."""
        return int(np.searchsorted(self.table.first, op, side="right")) - 1
