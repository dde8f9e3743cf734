"""Versions of registers: what each transaction first and last touched of a key."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.transactions.resolved import (
    ABORTED,
    INITIAL,
    INTERMEDIATE,
    OK,
    OWN,
    READ,
    THIN_AIR,
    WRITE,
    Resolved,
)

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class RegisterVersions:
    """Every version of a key that somebody read or that a committed transaction left behind.

    A version is a key with a value; the initial state of a key is one of them. Also values that
    nobody wrote are versions: they say something of the order of others.

    Args:
        resolved: The history.
        key: The key of each version.
        initial: For each key its initial version, -1 where nobody touched the key.
        writer: Row of the transaction that left it behind, -1 for none.
        write_op: That micro-operation, -1 for none.
        read_row: Transactions that read a version of another one, in order of rows, once for each
            version.
        read_version: The version, those of a transaction in the order in which it read them.
        read_op: The micro-operation.
        wrote_row: Transactions that left a version behind.
        wrote_version: The version.
    """

    resolved: Resolved
    key: Ids
    initial: Ids
    writer: Ids
    write_op: Ids
    read_row: Ids
    read_version: Ids
    read_op: Ids
    wrote_row: Ids
    wrote_version: Ids

    def __len__(self) -> int:
        return len(self.key)

    def touches(self) -> Touches:
        """What each transaction first and last touched of each key."""
        keys = len(self.initial)
        read = self.read_row * keys + self.key[self.read_version]
        wrote = self.wrote_row * keys + self.key[self.wrote_version]
        codes = distinct(np.concatenate([read, wrote]))
        first = np.full(len(codes), -1, np.int64)
        last = np.full(len(codes), -1, np.int64)
        first[np.searchsorted(codes, wrote)] = self.wrote_version
        # Of several versions of a key the first that was read is what stays there.
        place, version = np.searchsorted(codes, read)[::-1], self.read_version[::-1]
        last[place] = version
        first[place] = version
        last[np.searchsorted(codes, wrote)] = self.wrote_version
        return Touches(codes // keys, codes % keys, first, last)

    def read_of(self, row: int, version: int) -> int:
        """The micro-operation by which a transaction first read a version."""
        mine = (self.read_row == row) & (self.read_version == version)
        return int(self.read_op[mine][0])

    def steps(self) -> Steps:
        """Every version that a transaction touched, key by key in the order in which it did."""
        row = np.concatenate([self.read_row, self.wrote_row])
        version = np.concatenate([self.read_version, self.wrote_version])
        op = np.concatenate([self.read_op, self.write_op[self.wrote_version]])
        of = row * len(self.initial) + self.key[version]
        order = np.lexsort((op, of))
        return Steps(of[order], version[order], order >= len(self.read_row))


@dataclass(frozen=True)
class Touches:
    """One row for each transaction and key that it touched, in order of transactions.

    Args:
        row: The transaction.
        key: The key.
        first: The version that it read first, else the one that it wrote.
        last: The version that it wrote, else the one that it read first.
    """

    row: Ids
    key: Ids
    first: Ids
    last: Ids


@dataclass(frozen=True)
class Steps:
    """Reads of versions and writes that were left behind, those of a touch one after the other.

    Args:
        of: Which transaction and key: those of each touch, in the same order, are alike.
        version: What was read or written.
        write: Whether it was written.
    """

    of: Ids
    version: Ids
    write: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.of)


def register_versions(resolved: Resolved) -> RegisterVersions:
    """Number the versions of a history."""
    table = resolved.table
    keys, values = max(len(table.keys), 1), len(table.values) + 1
    row_of = np.repeat(np.arange(len(table), dtype=np.int64), np.diff(table.first))
    read_op = _external_reads(resolved, row_of)
    write_op = np.flatnonzero(
        (table.access == WRITE) & (resolved.source == OWN) & resolved.committed[row_of]
    )
    read_code = table.key[read_op] * np.int64(values) + table.value[read_op] + 1
    # A read of the given initial value is a read of the initial state.
    initial = resolved.source[read_op] == INITIAL
    read_code[initial] = table.key[read_op[initial]] * np.int64(values)
    write_code = table.key[write_op] * np.int64(values) + table.value[write_op] + 1
    touched = distinct(table.key[np.concatenate([read_op, write_op])])
    codes = distinct(np.concatenate([read_code, write_code, touched * np.int64(values)]))
    wrote = np.searchsorted(codes, write_code)
    writer = np.full(len(codes), -1, np.int64)
    writer[wrote] = row_of[write_op]
    written_by = np.full(len(codes), -1, np.int64)
    written_by[wrote] = write_op
    initials = np.full(keys, -1, np.int64)
    initials[touched] = np.searchsorted(codes, touched * np.int64(values))
    read = np.searchsorted(codes, read_code)
    once = np.sort(np.unique(row_of[read_op] * len(codes) + read, return_index=True)[1])
    read_op, read = read_op[once], read[once]
    return RegisterVersions(
        resolved, codes // values, initials, writer, written_by,
        row_of[read_op], read, read_op, row_of[write_op], wrote,
    )  # fmt: skip


def distinct(numbers: Ids) -> Ids:
    """Each number once, ascending: for millions of numbers faster than ``numpy.unique``."""
    ordered = np.sort(numbers)
    kept: Ids = ordered[np.diff(ordered, prepend=ordered[:1] - 1) != 0]
    return kept


def _external_reads(resolved: Resolved, row_of: Ids) -> Ids:
    """The reads that saw another transaction's version."""
    table, source = resolved.table, resolved.source
    external = (source >= INITIAL) | np.isin(source, (THIN_AIR, ABORTED, INTERMEDIATE))
    found: Ids = np.flatnonzero((table.access == READ) & external & (table.outcome[row_of] == OK))
    return found
