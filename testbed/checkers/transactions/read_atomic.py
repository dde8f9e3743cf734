"""Read atomic of unique-value registers.

A transaction sees all of another or nothing: whatever it reads from, and whatever came before it in
its session, comes before the source of each of its reads where it writes the same key. The axiom is
Biswas and Enea's (2019), the edges are AWDIT's (arXiv 2504.06975): of its session only the latest
earlier writer of the key matters, the others come before that one. Linear in the history for
transactions of bounded size. Under the strong form so does whatever had ended before it began: of
the writers of the key among it those matter after whose end none of the others began.
"""

from __future__ import annotations

# A kernel takes its arrays one by one and is one loop: calls and objects would cost its speed.
# ruff: noqa: C901, PLR0912, PLR0917
import numpy as np
from numpy.typing import NDArray

from testbed.checkers.kernel import kernel
from testbed.checkers.transactions.commit_graph import Forced
from testbed.checkers.transactions.resolved import OK, Resolved, Rows
from testbed.history.transaction_table import NEVER


def forced_by_sources(resolved: Resolved) -> Forced:
    """The edges that read atomic forces, those of repeated reads that differ included."""
    sources = resolved.read_source
    writes = np.diff(resolved.write_first)
    # A key that was read twice from two sources may force an edge for each of them.
    most = 2 * int(writes[sources[sources >= 0]].sum()) + 2 * len(sources)
    before, after, read = (np.empty(most, np.int32) for _ in range(3))
    keys = max(len(resolved.table.keys), 1)
    order = np.argsort(resolved.chain, kind="stable").astype(np.int32)
    found = walk_sessions_reads.for_rows(resolved.work)(
        order, resolved.chain, resolved.committed,
        resolved.read_first, resolved.read_key, sources,
        resolved.write_first, resolved.write_key,
        np.full((keys, 2), -1, np.int64), np.full((keys, 3), -1, np.int64),
        before, after, read,
    )  # fmt: skip
    return Forced(before[:found], after[:found], read[:found])


def forced_by_time(resolved: Resolved) -> Forced:
    """The edges that what had ended before a reader began forces."""
    table = resolved.table
    row = np.repeat(np.arange(len(resolved), dtype=np.int32), np.diff(resolved.write_first))
    over = np.flatnonzero((table.outcome[row] == OK) & (table.end[row] < NEVER))
    order = over[np.lexsort((table.end[row[over]], resolved.write_key[over]))]
    row, key = row[order], resolved.write_key[order]
    first = np.searchsorted(key, np.arange(len(table.keys) + 1))
    start, end = table.start[row], table.end[row]
    latest = np.empty(len(row), np.int64)
    arrays = (
        resolved.read_first, resolved.read_key, resolved.read_source, table.start,
        first, row, start, end, latest,
    )  # fmt: skip
    walk = walk_ended_writers.for_rows(resolved.work)
    before, after, read = (np.empty(0, np.int32) for _ in range(3))
    most = walk(*arrays, before, after, read)
    before, after, read = (np.empty(most, np.int32) for _ in range(3))
    walk(*arrays, before, after, read)
    return Forced(before, after, read)


@kernel
def walk_sessions_reads(
    order: Rows,
    chain: Rows,
    committed: NDArray[np.bool_],
    read_first: Rows,
    read_key: Rows,
    read_source: Rows,
    write_first: Rows,
    write_key: Rows,
    last_write: NDArray[np.int64],
    seen: NDArray[np.int64],
    before: Rows,
    after: Rows,
    read: Rows,
) -> int:
    """Session by session.

    A row of ``last_write`` is a key: the chain, its latest transaction that wrote it. A row of
    ``seen``: the reading transaction, its first read of the key, one from another source or -1.
    """
    found = 0
    for index in range(len(order)):
        row = order[index]
        if not committed[row]:
            continue
        for at in range(read_first[row], read_first[row + 1]):
            key = read_key[at]
            source = read_source[at]
            if last_write[key, 0] == chain[row] and last_write[key, 1] != source:
                before[found] = last_write[key, 1]
                after[found] = source
                read[found] = at
                found += 1
            if seen[key, 0] != row:
                seen[key, 0] = row
                seen[key, 1] = at
                seen[key, 2] = -1
            elif read_source[seen[key, 1]] != source:
                seen[key, 2] = at
        for at in range(read_first[row], read_first[row + 1]):
            source = read_source[at]
            if source < 0:
                continue
            for write in range(write_first[source], write_first[source + 1]):
                key = write_key[write]
                if seen[key, 0] != row:
                    continue
                for which in range(1, 3):
                    other = seen[key, which]
                    if other >= 0 and read_source[other] != source:
                        before[found] = source
                        after[found] = read_source[other]
                        read[found] = other
                        found += 1
        for write in range(write_first[row], write_first[row + 1]):
            last_write[write_key[write], 0] = chain[row]
            last_write[write_key[write], 1] = row
    return found


@kernel
def walk_ended_writers(
    read_first: Rows,
    read_key: Rows,
    read_source: Rows,
    begun: NDArray[np.int64],
    first: NDArray[np.int64],
    writer: Rows,
    start: NDArray[np.int64],
    end: NDArray[np.int64],
    latest: NDArray[np.int64],
    before: Rows,
    after: Rows,
    read: Rows,
) -> int:
    """Count the edges, and write them where there is room.

    The writers of a key stand in the order of their ends; ``latest`` becomes for each the latest
    start of those up to it.
    """
    for key in range(len(first) - 1):
        for at in range(first[key], first[key + 1]):
            latest[at] = start[at]
            if at > first[key]:
                latest[at] = max(start[at], latest[at - 1])
    found = 0
    for row in range(len(read_first) - 1):
        for at in range(read_first[row], read_first[row + 1]):
            key, source = read_key[at], read_source[at]
            low, high = first[key], first[key + 1]
            while low < high:
                middle = (low + high) // 2
                if end[middle] < begun[row]:
                    low = middle + 1
                else:
                    high = middle
            other = low - 1
            bound = latest[other] if other >= first[key] else 0
            # What ended before the latest of them began comes before that one.
            while other >= first[key] and end[other] >= bound:
                anyway = source >= 0 and end[other] < begun[source]
                if writer[other] != source and not anyway:
                    if found < len(before):
                        before[found] = writer[other]
                        after[found] = source
                        read[found] = at
                    found += 1
                other -= 1
    return found
