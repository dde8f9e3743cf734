"""Dependencies among transactions over lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.kernel import kernel
from testbed.checkers.transactions.graph import Edge, Edges
from testbed.checkers.transactions.list_versions import Versions, columns_of
from testbed.history.operation_table import Integers
from testbed.history.transaction_table import Access, Outcome, TransactionTable

_OK = int(Outcome.OK)
_READ = int(Access.READ)
_APPEND = int(Access.APPEND)
_WW, _WR, _RW, _JOIN = int(Edge.WW), int(Edge.WR), int(Edge.RW), int(Edge.JOIN)


@dataclass(frozen=True)
class Successors:
    """What follows each version among what committed.

    Args:
        following: For each place of ``Versions`` the place of the next committed element at or
            after it; -1 where there is none.
        last: For each key the writer of its last committed element; -1 where there is none.
        unseen_starts: The committed appends that no read shows are, for key ``k``,
            ``unseen[unseen_starts[k]:unseen_starts[k + 1]]``.
        unseen: Their transactions, each once a key.
    """

    following: Integers
    last: NDArray[np.int32]
    unseen_starts: Integers
    unseen: NDArray[np.int32]


def successors_of(
    table: TransactionTable, versions: Versions, committed: NDArray[np.bool_]
) -> Successors:
    """Find for each version what overwrites it."""
    rows = len(table.access)
    following, last = _following.for_rows(rows)(
        (versions.base, versions.length), versions.writer, committed
    )
    starts, unseen = _unseen.for_rows(rows)(
        columns_of(table), (versions.place, versions.superseded), committed, len(table.keys)
    )
    return Successors(following, last, starts, unseen)


def dependencies_of(
    table: TransactionTable,
    versions: Versions,
    successors: Successors,
    committed: NDArray[np.bool_],
) -> tuple[Edges, int]:
    """The dependencies, and the number of nodes with the helpers that they need.

    WW from each committed element's writer to the next one's, and from the last one's to all that
    no read shows, which must have come later. WR from the writer of the last element of a read to
    the reader. RW from the reader to the writer of what follows; where that is what no read shows,
    to all of it through a chain of helpers, which leaves out the reader itself.
    """
    run = _dependencies.for_rows(len(table.access))
    arguments = (
        columns_of(table),
        (versions.base, versions.length, versions.writer, versions.place),
        (successors.following, successors.last, successors.unseen_starts, successors.unseen),
        committed,
    )
    # Room for as many as there can be: what is not used takes no memory.
    most = len(versions.writer) + 5 * len(successors.unseen) + 3 * len(table.access)
    room = (np.empty(most, np.int32), np.empty(most, np.int32), np.empty(most, np.int8))
    count, nodes = run(*arguments, room)
    return Edges(room[0][:count], room[1][:count], room[2][:count]), int(nodes)


@kernel
def _following(orders: Any, writer: Any, committed: Any) -> Any:
    base, length = orders
    following = np.full(len(writer), -1, np.int64)
    last = np.full(len(base), -1, np.int32)
    for key in range(len(base)):
        after = -1
        for place in range(base[key] + length[key] - 1, base[key] - 1, -1):
            if writer[place] >= 0 and committed[writer[place]]:
                after = place
                if last[key] < 0:
                    last[key] = writer[place]
            following[place] = after
    return following, last


@kernel
def _unseen(columns: Any, marks: Any, committed: Any, keys: int) -> Any:
    """Groups what no read shows by key; notes in ``place`` where: -2 - number within the key."""
    first, outcome, access, key, _value = columns
    place, superseded = marks
    starts = np.zeros(keys + 1, np.int64)
    for row in range(len(outcome)):
        if committed[row]:
            for at in range(first[row], first[row + 1]):
                if access[at] == _APPEND and place[at] < 0 and not superseded[at]:
                    starts[key[at] + 1] += 1
    for each in range(keys):
        starts[each + 1] += starts[each]
    used = np.zeros(keys, np.int64)
    unseen = np.empty(starts[keys], np.int32)
    for row in range(len(outcome)):
        if committed[row]:
            for at in range(first[row], first[row + 1]):
                if access[at] == _APPEND and place[at] < 0 and not superseded[at]:
                    unseen[starts[key[at]] + used[key[at]]] = row
                    place[at] = -2 - used[key[at]]
                    used[key[at]] += 1
    return starts, unseen


@kernel
def put(edges: Any, count: int, source: Any, target: Any, kind: int) -> int:
    """Write an edge, or only count it where there is no room."""
    if len(edges[0]):
        edges[0][count] = source
        edges[1][count] = target
        edges[2][count] = kind
    return count + 1


@kernel
def _versions_in_order(orders: Any, after: Any, committed: Any, edges: Any) -> Any:
    base, length, writer, _place = orders
    _following, last, unseen_starts, unseen = after
    count = 0
    for key in range(len(base)):
        before = -1
        for place in range(base[key], base[key] + length[key]):
            if writer[place] >= 0 and committed[writer[place]]:
                if before >= 0 and before != writer[place]:
                    count = put(edges, count, before, writer[place], _WW)
                before = writer[place]
        for number in range(unseen_starts[key], unseen_starts[key + 1]):
            if last[key] >= 0 and last[key] != unseen[number]:
                count = put(edges, count, last[key], unseen[number], _WW)
    return count


@kernel
def _chains(after: Any, nodes: int, count: int, edges: Any) -> Any:
    """Two chains of helpers for each key of which two or more appends were not read.

    ``up[number]`` leads to that append and all later ones, ``up[number] + size`` to it and all
    before it.
    """
    _following, _last, unseen_starts, unseen = after
    up = np.full(len(unseen_starts) - 1, -1, np.int64)
    for key in range(len(up)):
        begin = unseen_starts[key]
        size = unseen_starts[key + 1] - begin
        if size < 2:
            continue
        up[key] = nodes
        for number in range(size):
            count = put(edges, count, nodes + number, unseen[begin + number], _JOIN)
            count = put(edges, count, nodes + size + number, unseen[begin + number], _JOIN)
            if number > 0:
                count = put(edges, count, nodes + number - 1, nodes + number, _JOIN)
                count = put(edges, count, nodes + size + number, nodes + size + number - 1, _JOIN)
        nodes += 2 * size
    return up, nodes, count


@kernel
def _to_unseen(row: int, chain: Any, count: int, edges: Any) -> Any:
    """From a reader of the longest version to what no read shows, but not to itself."""
    own, size, up = chain
    if own < 0:
        return put(edges, count, row, up, _RW)
    if own + 1 < size:
        count = put(edges, count, row, up + own + 1, _RW)
    if own > 0:
        count = put(edges, count, row, up + size + own - 1, _RW)
    return count


@kernel
def _dependencies(  # noqa: C901 - one walk through the reads
    columns: Any, orders: Any, after: Any, committed: Any, edges: Any
) -> Any:
    first, outcome, access, key, _value = columns
    base, _length, writer, place = orders
    following, _last, unseen_starts, unseen = after
    count = _versions_in_order(orders, after, committed, edges)
    up, nodes, count = _chains(after, len(outcome), count, edges)
    own_append = np.full(len(base), -1, np.int64)
    for row in range(len(outcome)):
        if outcome[row] != _OK:
            continue
        for at in range(first[row], first[row + 1]):
            if access[at] == _APPEND:
                own_append[key[at]] = at
        for at in range(first[row], first[row + 1]):
            if access[at] != _READ or place[at] < 0:
                continue
            seen = base[key[at]] + place[at]
            if place[at] > 0:
                source = writer[seen - 1]
                if source >= 0 and source != row and committed[source]:
                    count = put(edges, count, source, row, _WR)
            if following[seen] >= 0:
                if writer[following[seen]] != row:
                    count = put(edges, count, row, writer[following[seen]], _RW)
                continue
            begin = unseen_starts[key[at]]
            size = unseen_starts[key[at] + 1] - begin
            if size == 1 and unseen[begin] != row:
                count = put(edges, count, row, unseen[begin], _RW)
            elif size > 1:
                own = own_append[key[at]]
                number = -2 - place[own] if own >= first[row] else -1
                count = _to_unseen(row, (number, size, up[key[at]]), count, edges)
    return count, nodes
