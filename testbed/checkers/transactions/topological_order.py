"""An order of transactions in which each comes after what happens before it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.kernel import kernel
from testbed.checkers.transactions.predecessors import Predecessors
from testbed.checkers.transactions.resolved import Flags, Resolved, Rows


def topological_order(resolved: Resolved, before: Predecessors) -> Rows | None:
    """Committed transactions and helpers, each after what comes before it; None if none exists."""
    rows, nodes = len(resolved), len(before)
    if rows == nodes and follows_rows.for_rows(resolved.work)(before.first, before.row):
        return np.flatnonzero(resolved.committed).astype(np.int32)
    wanted = np.ones(nodes, np.bool_)
    wanted[:rows] = resolved.committed
    order = np.empty(nodes, np.int32)
    peeled = peel_sinks.for_rows(resolved.work)(
        wanted, before.first, before.row, np.zeros(nodes, np.int32), order
    )
    return order[:peeled][::-1].copy() if peeled == np.count_nonzero(wanted) else None


@kernel
def follows_rows(first: NDArray[np.int64], before: Rows) -> bool:
    """Whether what comes before a row are rows before it."""
    for row in range(len(first) - 1):
        for at in range(first[row], first[row + 1]):
            if before[at] >= row:
                return False
    return True


@kernel
def peel_sinks(
    wanted: Flags, first: NDArray[np.int64], before: Rows, count: Rows, order: Rows
) -> int:
    """Kahn's algorithm from the ends: ``order`` is a topological order reversed."""
    for at in range(len(before)):
        count[before[at]] += 1
    filled = 0
    for node in range(len(wanted) - 1, -1, -1):
        if wanted[node] and count[node] == 0:
            order[filled] = node
            filled += 1
    taken = 0
    while taken < filled:
        node = order[taken]
        taken += 1
        for at in range(first[node], first[node + 1]):
            source = before[at]
            count[source] -= 1
            if count[source] == 0:
                order[filled] = source
                filled += 1
    return filled
