"""The walk over the past of every transaction, by vector clocks: where causality's work is done."""

from __future__ import annotations

# A kernel takes its arrays one by one and is one loop: calls and objects would cost its speed.
# ruff: noqa: C901, PLR0912, PLR0915, PLR0917
import numpy as np
from numpy.typing import NDArray

from testbed.checkers.kernel import kernel
from testbed.checkers.transactions.resolved import Rows


@kernel
def join(clocks: Rows, into: int, other: int) -> int:
    """The greater of two clocks, entry by entry."""
    for chain in range(clocks.shape[1]):
        clocks[into, chain] = max(clocks[into, chain], clocks[other, chain])
    return 0


@kernel
def latest_before(position: Rows, start: int, stop: int, limit: int) -> int:
    """The last of ``position[start:stop]``, ascending, below a limit; ``start - 1`` if none is."""
    low = start
    high = stop
    while low < high:
        middle = (low + high) // 2
        if position[middle] < limit:
            low = middle + 1
        else:
            high = middle
    return low - 1


@kernel
def walk_past(
    order: Rows,
    start: int,
    stop: int,
    first: NDArray[np.int64],
    before: Rows,
    chain: Rows,
    place: Rows,
    read_first: Rows,
    write_first: Rows,
    read_key: Rows,
    read_source: Rows,
    first_group: NDArray[np.int64],
    group_chain: Rows,
    group_start: NDArray[np.int64],
    position: Rows,
    writer: Rows,
    group_of_write: Rows,
    latest: NDArray[np.int64],
    latest_place: Rows,
    clocks: Rows,
    slot: Rows,
    free: Rows,
    uses: Rows,
    edges: Rows,
    state: NDArray[np.int64],
) -> int:
    """Judge a slice of the order; returns where it stopped for want of room.

    An entry of a clock is how many transactions of a chain are before the transaction or itself.
    ``latest`` and ``latest_place`` are of each group the last writer that was walked over: most
    often it is no later than what the source knew, and there is nothing to search.
    """
    available = state[0]
    found = state[1]
    for index in range(start, stop):
        row = order[index]
        need = 0
        for at in range(read_first[row], read_first[row + 1]):
            need += first_group[read_key[at] + 1] - first_group[read_key[at]]
        if available == 0 or found + need > len(edges):
            state[0] = available
            state[1] = found
            return index
        available -= 1
        own = free[available]
        slot[row] = own
        begin = first[row]
        if begin < first[row + 1]:
            clocks[own, :] = clocks[slot[before[begin]], :]
        else:
            clocks[own, :] = 0
        for at in range(begin + 1, first[row + 1]):
            source = before[at]
            if chain[source] < 0 or clocks[own, chain[source]] <= place[source]:
                join(clocks, own, slot[source])
        for at in range(read_first[row], read_first[row + 1]):
            source = read_source[at]
            key = read_key[at]
            known = slot[source] if source >= 0 else -1
            for group in range(first_group[key], first_group[key + 1]):
                where = group_chain[group]
                covered = clocks[known, where] if known >= 0 else 0
                if latest_place[group] < covered:
                    continue
                seen = clocks[own, where]
                if seen <= covered:
                    continue
                last = latest[group]
                if latest_place[group] >= seen:
                    last = latest_before(position, group_start[group], last, seen)
                if last >= group_start[group] and position[last] >= covered:
                    edges[found, 0] = writer[last]
                    edges[found, 1] = source
                    edges[found, 2] = at
                    found += 1
        for at in range(begin, first[row + 1]):
            source = before[at]
            uses[source] -= 1
            if uses[source] == 0:
                free[available] = slot[source]
                available += 1
        for write in range(write_first[row], write_first[row + 1]):
            group = group_of_write[write]
            latest[group] += 1
            latest_place[group] = place[row]
        if chain[row] >= 0:
            clocks[own, chain[row]] = place[row] + 1
        if uses[row] == 0:
            free[available] = own
            available += 1
    state[0] = available
    state[1] = found
    return stop
