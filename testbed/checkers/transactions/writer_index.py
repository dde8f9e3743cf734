"""The writers of each key, chain by chain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.kernel import kernel
from testbed.checkers.transactions.resolved import Resolved, Rows


@dataclass(frozen=True)
class WriterIndex:
    """Writers of each key by chain: groups ``first_group[key]`` to ``first_group[key + 1]``.

    Args:
        group_chain: The chain of a group.
        group_start: Its writers in ``position`` and ``row``, in order.
        position: Place of a writer in its chain.
        row: The writer.
        group_of_write: The group of each write of ``Resolved.write_op``.
    """

    first_group: NDArray[np.int64]
    group_chain: Rows
    group_start: NDArray[np.int64]
    position: Rows
    row: Rows
    group_of_write: Rows


def index_writers(resolved: Resolved) -> WriterIndex:
    """Find them: the last writes of committed transactions."""
    writer = np.repeat(np.arange(len(resolved), dtype=np.int32), np.diff(resolved.write_first))
    # Rows stand in session order, so a stable sort leaves each group in it.
    sort = sort_stably.for_rows(len(writer))
    by_chain = sort(resolved.chain[writer], np.arange(len(writer), dtype=np.int32), resolved.chains)
    by_key = sort(resolved.write_key[by_chain], by_chain, len(resolved.table.keys))
    row = writer[by_key]
    key, chain = resolved.write_key[by_key], resolved.chain[row]
    begins = np.ones(len(row), np.bool_)
    begins[1:] = (key[1:] != key[:-1]) | (chain[1:] != chain[:-1])
    start = np.flatnonzero(begins)
    first = np.zeros(len(resolved.table.keys) + 1, np.int64)
    np.cumsum(np.bincount(key[start], minlength=len(first) - 1), out=first[1:])
    group_of_write = np.empty(len(row), np.int32)
    group_of_write[by_key] = np.cumsum(begins) - 1
    return WriterIndex(
        first, chain[start], np.append(start, len(row)), resolved.position[row], row, group_of_write
    )


@kernel
def sort_stably(number: Rows, items: Rows, numbers: int) -> Rows:
    """Items by their numbers, which are small: a counting sort."""
    place = np.zeros(numbers + 1, np.int64)
    for at in range(len(number)):
        place[number[at] + 1] += 1
    for each in range(numbers):
        place[each + 1] += place[each]
    found = np.empty(len(items), np.int32)
    for at in range(len(number)):
        found[place[number[at]]] = items[at]
        place[number[at]] += 1
    return found
