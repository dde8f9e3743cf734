"""Read committed, as Biswas and Enea define it, of unique-value registers.

Once a transaction has read from another, it reads no older version of anything that the other
wrote: if it reads from ``t2`` and later reads, from ``t1``, a key that ``t2`` writes too, then
``t2`` commits before ``t1``. (Bailis calls it monotonic atomic view.) The edges after AWDIT
(arXiv 2504.06975): for the first read from ``t2`` and each key that ``t2`` writes, to the source of
the next later read of that key which is another than ``t2``; the others follow. Linear in the
history for transactions of bounded size.
"""

from __future__ import annotations

# A kernel takes its arrays one by one and is one loop: calls and objects would cost its speed.
# ruff: noqa: C901, PLR0917
import numpy as np
from numpy.typing import NDArray

from testbed.checkers.kernel import kernel
from testbed.checkers.transactions.commit_graph import Forced
from testbed.checkers.transactions.resolved import Resolved, Rows


def forced_by_reads(resolved: Resolved) -> Forced:
    """The edges that read committed forces."""
    sources = resolved.read_source
    writes = np.diff(resolved.write_first)
    most = int(writes[sources[sources >= 0]].sum())
    before, after, read = (np.empty(most, np.int32) for _ in range(3))
    keys, rows = max(len(resolved.table.keys), 1), len(resolved)
    found = walk_reads.for_rows(resolved.work)(
        resolved.read_first, resolved.read_key, sources, resolved.write_first, resolved.write_key,
        np.full(rows, -1, np.int32), np.zeros(len(sources), np.bool_),
        np.full((keys, 3), -1, np.int64), before, after, read,
    )  # fmt: skip
    return Forced(before[:found], after[:found], read[:found])


@kernel
def walk_reads(
    read_first: Rows,
    read_key: Rows,
    read_source: Rows,
    write_first: Rows,
    write_key: Rows,
    last_reader: Rows,
    is_first: NDArray[np.bool_],
    later: NDArray[np.int64],
    before: Rows,
    after: Rows,
    read: Rows,
) -> int:
    """Walk each transaction's reads backwards.

    A row of ``later`` is a key: the next later read of it, the next one from another source than
    that, the transaction that these are of.
    """
    found = 0
    for row in range(len(read_first) - 1):
        for at in range(read_first[row], read_first[row + 1]):
            source = read_source[at]
            if source >= 0 and last_reader[source] != row:
                last_reader[source] = row
                is_first[at] = True
        for at in range(read_first[row + 1] - 1, read_first[row] - 1, -1):
            source = read_source[at]
            if is_first[at]:
                for write in range(write_first[source], write_first[source + 1]):
                    key = write_key[write]
                    if later[key, 2] != row:
                        continue
                    next_read = later[key, 0]
                    if read_source[next_read] == source:
                        next_read = later[key, 1]
                        if next_read < 0:
                            continue
                    before[found] = source
                    after[found] = read_source[next_read]
                    read[found] = next_read
                    found += 1
            key = read_key[at]
            if later[key, 2] != row:
                later[key, 2] = row
                later[key, 0] = at
                later[key, 1] = -1
            elif read_source[later[key, 0]] != source:
                later[key, 1] = later[key, 0]
                later[key, 0] = at
            else:
                later[key, 0] = at
    return found
