"""Whether one order of all commits fits a history over lists, told without making edges.

Most histories have one, and then nothing else has to be known of the dependencies. What follows a
transaction can be read off the version orders, so Kahn's algorithm (CACM 1962) needs no edges of
its own, and real time is one line that moves along the completions: a seventh of the memory.
"""

# Each kernel is one walk through the micro-operations: calls would cost its speed.
# ruff: noqa: C901, PLR0912, PLR0917

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.kernel import kernel
from testbed.checkers.transactions.list_dependencies import Successors
from testbed.checkers.transactions.list_versions import Versions, columns_of
from testbed.history.transaction_table import NEVER, SPARSE, Access, Outcome, TransactionTable

_OK = int(Outcome.OK)
_READ = int(Access.READ)
_APPEND = int(Access.APPEND)
_NEVER = int(NEVER)

WORK_MAX = 8
"""Pairs of a reader and what came later that are worth a look, by micro-operations."""


def ordered_dependencies(
    table: TransactionTable,
    versions: Versions,
    successors: Successors,
    committed: NDArray[np.bool_],
) -> int | None:
    """How many dependencies there are, if an order of commits agrees with all of them.

    The order also agrees with sessions and real time. The dependencies are those that
    ``dependencies_of`` makes edges of, and are counted as there.

    Returns:
        The number; None where there is no such order, or it can only be told with edges: that of
        histories without times, or with many appends of a key that no read shows.
    """
    if not table.timed or not len(table):
        return None
    rows = len(table.access)
    ended = _ended.for_rows(rows)(
        (table.process, table.outcome, table.start, table.end),
        committed,
        len(table.process_names),
        SPARSE * (len(table) + 1),
    )
    if not len(ended):
        return None
    orders = (versions.base, versions.writer, versions.place)
    after = (successors.following, successors.unseen_starts, successors.unseen)
    arrays = (columns_of(table), orders, after, committed)
    needs = committed.astype(np.int32)
    dependencies, starts = _count.for_rows(rows)(*arrays, needs, WORK_MAX * (rows + 1))
    if dependencies < 0:
        return None
    readers = _group.for_rows(rows)(arrays[0], orders, committed, starts)
    done = np.zeros(len(table), np.bool_)
    placed = _placed.for_rows(rows)(arrays, (starts, readers), (table.start, ended), needs, done)
    return int(dependencies) if placed == np.count_nonzero(committed) else None


@kernel
def _ended(times: Any, committed: Any, processes: int, most: int) -> Any:
    """For each row of the history the transaction that completed there, -1 without one.

    Empty where rows are sparse or transactions do not stand in the order of invocation; and where
    a session goes on before its last transaction has ended, which its order then says alone.
    """
    process, outcome, start, end = times
    nothing = np.empty(0, np.int32)
    last = np.full(processes, -1, np.int64)
    greatest = np.int64(0)
    for row in range(len(start)):
        if row > 0 and start[row] < start[row - 1]:
            return nothing
        if not committed[row]:
            continue
        if start[row] <= last[process[row]]:
            return nothing
        if outcome[row] == _OK:
            last[process[row]] = end[row]
            if end[row] < _NEVER:
                greatest = max(greatest, end[row])
    if greatest >= most:
        return nothing
    ended = np.full(greatest + 1, -1, np.int32)
    for row in range(len(start)):
        if committed[row] and outcome[row] == _OK and end[row] < _NEVER:
            ended[end[row]] = row
    return ended


@kernel
def _count(columns: Any, orders: Any, after: Any, committed: Any, needs: Any, most: int) -> Any:
    """Count dependencies, and what each transaction directly follows.

    Returns:
        The dependencies, -1 where too much would have to be looked at; and for each place, two
        further on, how many others read the version that ends before it.
    """
    first, _outcome, access, key, _value = columns
    base, writer, place = orders
    following, unseen_starts, unseen = after
    readers = np.zeros(len(writer) + 3, np.int32)
    dependencies = np.int64(0)
    work = np.int64(0)
    for row in range(len(committed)):
        if not committed[row]:
            continue
        for at in range(first[row], first[row + 1]):
            if place[at] < 0:
                continue
            seen = base[key[at]] + place[at]
            if access[at] == _APPEND:
                seen += 1
            elif place[at] > 0:
                source = writer[seen - 1]
                if source >= 0 and source != row and committed[source]:
                    readers[seen + 2] += 1
                    needs[row] += 1
                    dependencies += 1
            if following[seen] >= 0:
                if writer[following[seen]] != row:
                    needs[writer[following[seen]]] += 1
                    dependencies += 1
                continue
            begin, end = unseen_starts[key[at]], unseen_starts[key[at] + 1]
            work += end - begin
            if work > most:
                return np.int64(-1), readers
            own = -1
            for number in range(begin, end):
                if unseen[number] == row:
                    own = number
                else:
                    needs[unseen[number]] += 1
            if access[at] == _APPEND or end - begin == 1:
                dependencies += end - begin - (own >= 0)
            elif end > begin:
                # As the edges of a chain of helpers: to those before its own, and to those after.
                dependencies += 1 if own < 0 else int(own > begin) + int(own + 1 < end)
    return dependencies, readers


@kernel
def _group(columns: Any, orders: Any, committed: Any, starts: Any) -> Any:
    """The readers of each version: those of a place begin at ``starts[place]`` afterwards."""
    first, outcome, access, key, _value = columns
    base, writer, place = orders
    for version in range(1, len(starts)):
        starts[version] += starts[version - 1]
    readers = np.empty(starts[-1], np.int32)
    for row in range(len(outcome)):
        if outcome[row] != _OK:
            continue
        for at in range(first[row], first[row + 1]):
            if access[at] == _READ and place[at] > 0:
                seen = base[key[at]] + place[at]
                source = writer[seen - 1]
                if source >= 0 and source != row and committed[source]:
                    readers[starts[seen + 1]] = row
                    starts[seen + 1] += 1
    return readers


@kernel
def _placed(arrays: Any, readers: Any, times: Any, needs: Any, done: Any) -> int:
    """How many transactions can be put in order.

    A transaction needs what it directly follows, and that real time lets it begin: everything that
    had ended by then has its place.
    """
    (first, _outcome, access, key, _value), (base, writer, place), after, committed = arrays
    following, unseen_starts, unseen = after
    starts, reader = readers
    start, ended = times
    # Whatever is looked at is written behind the others, and counts if it needs nothing more.
    queue = np.empty(len(committed) + 1, np.int32)
    placed, ready, opened, line = 0, 0, 0, 0
    while True:
        while line < len(ended) and (ended[line] < 0 or done[ended[line]]):
            line += 1
        while opened < len(start) and (line == len(ended) or start[opened] <= line):
            if committed[opened]:
                needs[opened] -= 1
                queue[ready] = opened
                ready += needs[opened] == 0
            opened += 1
        if placed == ready:
            return placed
        row = queue[placed]
        placed += 1
        done[row] = True
        for at in range(first[row], first[row + 1]):
            if place[at] < 0:
                continue
            seen = base[key[at]] + place[at]
            if access[at] == _APPEND:
                seen += 1
                for number in range(starts[seen], starts[seen + 1]):
                    needs[reader[number]] -= 1
                    queue[ready] = reader[number]
                    ready += needs[reader[number]] == 0
            if following[seen] >= 0:
                after_it = writer[following[seen]]
                if after_it != row:
                    needs[after_it] -= 1
                    queue[ready] = after_it
                    ready += needs[after_it] == 0
                continue
            for number in range(unseen_starts[key[at]], unseen_starts[key[at] + 1]):
                if unseen[number] != row:
                    needs[unseen[number]] -= 1
                    queue[ready] = unseen[number]
                    ready += needs[unseen[number]] == 0
