"""What a register history says of the order of versions by itself.

A transaction that reads a key and writes it replaces the version that it read, under every level
without lost updates: nothing may come between. So the versions of a key fall into chains, each
begun by a blind write or by the initial state; where every write reads its key first (mini-
transactions, arXiv 2504.02344) there is one chain a key and nothing is left to search.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.transactions.resolved import INITIAL, Resolved, Rows


@dataclass(frozen=True)
class Versions:
    """Versions, each one the last write to a key of a transaction, or the initial state of a key.

    The version of write ``i`` of ``Resolved.write_op`` is ``i``; the initial one of key ``k`` is
    ``writes + k``.

    Args:
        row: The writing transaction, :data:`INITIAL` for the initial state.
        key: The key.
        read: For each read of ``Resolved.read_op`` the version that it saw.
        successor: The version that replaces it for sure, -1 for none known.
        replaced: For each version the read by which its writer read the version before it, -1 for
            a blind write.
        overwritten: For each read whether its transaction writes the key itself.
        lost_update: Two reads (of different transactions) of one version that both replace it.
    """

    row: Rows
    key: Rows
    read: NDArray[np.int64]
    successor: NDArray[np.int64]
    replaced: NDArray[np.int64]
    overwritten: NDArray[np.bool_]
    lost_update: tuple[int, int] | None


def versions_of(resolved: Resolved) -> Versions:
    """Find the versions of a history whose reads are repeatable."""
    rows, keys = len(resolved), max(len(resolved.table.keys), 1)
    writer = np.repeat(np.arange(rows, dtype=np.int32), np.diff(resolved.write_first))
    reader = np.repeat(np.arange(rows, dtype=np.int64), np.diff(resolved.read_first))
    writes = len(writer)
    # Every write by (row, key), to look up what was read and what a reader overwrites.
    code = writer.astype(np.int64) * keys + resolved.write_key
    by_code = np.argsort(code, kind="stable")
    sorted_code = code[by_code]
    read = _lookup(
        sorted_code, by_code, resolved.read_source.astype(np.int64) * keys + resolved.read_key
    )
    initial = resolved.read_source == INITIAL
    read[initial] = writes + resolved.read_key[initial]
    own = _lookup(sorted_code, by_code, reader * keys + resolved.read_key)
    versions = writes + keys
    replaced = np.full(versions, -1, np.int64)
    successor = np.full(versions, -1, np.int64)
    # Of repeated reads the first; they saw the same.
    replacing = np.flatnonzero(own >= 0)[::-1]
    replaced[own[replacing]] = replacing
    replacing = replaced[replaced >= 0]
    successor[read[replacing]] = own[replacing]
    lost = None
    clash = np.flatnonzero(successor[read[replacing]] != own[replacing])
    if len(clash):
        one = int(replacing[clash[0]])
        lost = (one, int(replaced[successor[read[one]]]))
    return Versions(
        np.append(writer, np.full(keys, INITIAL, np.int32)),
        np.append(resolved.write_key, np.arange(keys, dtype=np.int32)),
        read,
        successor,
        replaced,
        own >= 0,
        lost,
    )


def _lookup(
    sorted_code: NDArray[np.int64], by_code: NDArray[np.int64], wanted: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The index of each code wanted, -1 for none."""
    if not len(sorted_code):
        return np.full(len(wanted), -1, np.int64)
    at = np.minimum(np.searchsorted(sorted_code, wanted), len(sorted_code) - 1)
    return np.where(sorted_code[at] == wanted, by_code[at], -1)
