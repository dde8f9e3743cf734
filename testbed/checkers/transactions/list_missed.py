"""Every later version that a reader of a list missed, not the next one alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.kernel import kernel
from testbed.checkers.transactions.graph import Edge, Edges
from testbed.checkers.transactions.list_dependencies import Successors, put
from testbed.checkers.transactions.list_versions import Versions, columns_of
from testbed.history.transaction_table import Access, Outcome, TransactionTable

_OK = int(Outcome.OK)
_READ = int(Access.READ)
_RW, _JOIN = int(Edge.RW), int(Edge.JOIN)


def missed_by(
    table: TransactionTable,
    versions: Versions,
    successors: Successors,
    inside: NDArray[np.bool_],
) -> tuple[Edges, int]:
    """RW from each reader to every later writer of the key, not to the next alone.

    Read atomic and causal consistency ask whether any later version was visible. A chain of
    helpers a key: each leads to one writer and to the next helper, a reader to the helper of the
    first version that it missed.

    Args:
        table: The transactions.
        versions: The version orders.
        successors: What overwrites each version.
        inside: The transactions that matter, all of them committed.

    Returns:
        The edges, and the number of nodes: the transactions and then the helpers.
    """
    run = _missed.for_rows(len(table.access))
    arguments = (
        columns_of(table),
        (versions.base, versions.length, versions.writer, versions.place),
        (successors.unseen_starts, successors.unseen),
        inside,
    )
    count, _ = run(*arguments, (np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.int8)))
    edges = (np.empty(count, np.int32), np.empty(count, np.int32), np.empty(count, np.int8))
    _, nodes = run(*arguments, edges)
    return Edges(*edges), int(nodes)


@kernel
def _missed_chains(orders: Any, after: Any, inside: Any, edges: Any) -> Any:
    """The chains of helpers, and for each place the first helper at or after it."""
    base, length, writer, _place = orders
    starts, unseen = after
    nodes = len(inside)
    entry = np.full(len(writer), -1, np.int64)
    count = 0
    for key in range(len(base)):
        helper = -1
        for number in range(starts[key + 1] - 1, starts[key] - 1, -1):
            if inside[unseen[number]]:
                count = put(edges, count, nodes, unseen[number], _JOIN)
                if helper >= 0:
                    count = put(edges, count, nodes, helper, _JOIN)
                helper = nodes
                nodes += 1
        for place in range(base[key] + length[key], base[key] - 1, -1):
            if writer[place] >= 0 and inside[writer[place]]:
                count = put(edges, count, nodes, writer[place], _JOIN)
                if helper >= 0:
                    count = put(edges, count, nodes, helper, _JOIN)
                helper = nodes
                nodes += 1
            entry[place] = helper
    return entry, nodes, count


@kernel
def _missed(columns: Any, orders: Any, after: Any, inside: Any, edges: Any) -> Any:
    first, outcome, access, key, _value = columns
    base, _length, _writer, place = orders
    entry, nodes, count = _missed_chains(orders, after, inside, edges)
    for row in range(len(outcome)):
        if outcome[row] == _OK and inside[row]:
            for at in range(first[row], first[row + 1]):
                if access[at] == _READ and place[at] >= 0:
                    helper = entry[base[key[at]] + place[at]]
                    if helper >= 0:
                        count = put(edges, count, row, helper, _RW)
    return count, nodes
