"""What single transactions over lists show without a graph."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.kernel import kernel
from testbed.checkers.transactions.list_dependencies import Successors
from testbed.checkers.transactions.list_versions import Versions, columns_of
from testbed.history.operation_table import Integers
from testbed.history.transaction_table import Access, Outcome, TransactionTable


class Case(enum.IntEnum):
    """Rows of the cases found."""

    INTERNAL = 0
    FUTURE_READ = 1
    INTERMEDIATE = 2
    LOST_UPDATE = 3
    CURSOR = 4
    VANISHED = 5
    OWN_ORDER = 6


_OK = int(Outcome.OK)
_READ = int(Access.READ)
_APPEND = int(Access.APPEND)
_INTERNAL, _FUTURE, _INTERMEDIATE, _LOST, _CURSOR, _VANISHED, _OWN_ORDER = (int(c) for c in Case)
_CASES = len(Case)


def examine(
    table: TransactionTable,
    versions: Versions,
    successors: Successors,
    committed: NDArray[np.bool_],
) -> Integers:
    """Look at each committed transaction by itself, once.

    Returns:
        For each :class:`Case` how often it was found, and two micro-operations of the first: the
        read in question and what it contradicts.
    """
    rows = len(table.access)
    columns = columns_of(table)
    keys = len(table.keys)
    cases = np.zeros((_CASES, 3), np.int64)
    longest = int(np.max(np.diff(table.first), initial=0))
    _within.for_rows(rows)(columns, (table.list_starts, table.list_items), keys, longest, cases)
    orders = (versions.base, versions.writer, versions.append, versions.place, versions.superseded)
    after = (successors.following, committed)
    _against.for_rows(rows)(columns, orders, after, keys, longest, cases)
    return cases


@kernel
def _hit(cases: Any, case: int, read: Any, other: Any) -> None:
    if cases[case, 0] == 0:
        cases[case, 1] = read
        cases[case, 2] = other
    cases[case, 0] += 1


@kernel
def _contradicts(lists: Any, values: Any, reads: Any, own: Any) -> bool:
    """Whether a read contradicts the one before it and the appends in between.

    ``own`` links each own append of the transaction to the one before; ``last`` of them are
    compared from the end of the list backwards.
    """
    starts, items = lists
    before, now = reads
    last, count, links, begin = own
    end = 0
    size = 0
    if now >= 0:
        end = starts[now + 1]
        size = end - starts[now]
    if size < count:
        return True
    at = last
    for back in range(count):
        if items[end - 1 - back] != values[at]:
            return True
        at = links[at - begin]
    if before == -2:
        return False
    old = 0
    if before >= 0:
        old = starts[before + 1] - starts[before]
    if old + count != size:
        return True
    for number in range(old):
        if items[starts[before] + number] != items[starts[now] + number]:
            return True
    return False


@kernel
def _within(columns: Any, lists: Any, keys: int, longest: int, cases: Any) -> None:
    """Internal consistency: axiom INT of Cerone, Bernardi and Gotsman, CONCUR 2015.

    Nothing but what the transaction itself read and appended is looked at.
    """
    first, outcome, access, key, value = columns
    touched = np.full(keys, -1, np.int64)
    list_before = np.full(keys, -2, np.int64)
    last = np.full(keys, -1, np.int64)
    count = np.zeros(keys, np.int64)
    links = np.full(max(longest, 1), -1, np.int64)
    for row in range(len(outcome)):
        if outcome[row] != _OK:
            continue
        begin = first[row]
        for at in range(begin, first[row + 1]):
            k = key[at]
            if access[at] == _READ and value[at] < -1:
                continue
            fresh = touched[k] < begin
            if fresh:
                list_before[k] = -2
                last[k] = -1
                count[k] = 0
            touched[k] = at
            if access[at] == _APPEND:
                links[at - begin] = last[k]
                last[k] = at
                count[k] += 1
                continue
            if not fresh:
                own = (last[k], count[k], links, begin)
                if _contradicts(lists, value, (list_before[k], value[at]), own):
                    _hit(cases, _INTERNAL, at, at)
            list_before[k] = value[at]
            last[k] = -1
            count[k] = 0


@kernel
def _demand(columns: Any, orders: Any, at: Any, begin: Any, needs: Any) -> None:
    """After a read of what another transaction wrote: note what else of it must be seen now.

    ``needs`` has for each key since which read, how many elements at least, and which append.
    """
    first, _outcome, access, key, _value = columns
    base, writer, append, place, superseded = orders
    source = writer[base[key[at]] + place[at] - 1]
    for other in range(first[source], first[source + 1]):
        if access[other] != _APPEND or superseded[other]:
            continue
        k = key[other]
        least = place[other] + 1 if place[other] >= 0 else len(append) + 1
        if needs[0, k] < begin or needs[1, k] < least:
            needs[0, k], needs[1, k], needs[2, k] = at, least, other


@kernel
def _update(orders: Any, following: Any, reads: Any, claimed: Any, cases: Any) -> None:
    """The first append to a key after reads of it: whether the versions read were the latest."""
    base, writer, append, place, _superseded = orders
    row, k, begin, read, links = reads
    while read >= begin:
        version = base[k] + place[read]
        # A version that the transaction read twice is not lost for that.
        if claimed[version] < begin:
            if claimed[version] >= 0:
                _hit(cases, _LOST, read, claimed[version])
            else:
                claimed[version] = read
            follows = following[version]
            if follows >= 0 and writer[follows] != row:
                _hit(cases, _CURSOR, read, append[follows])
        read = links[read - begin]


@kernel
def _against(  # noqa: C901, PLR0912, PLR0917 - one walk through the micro-operations
    columns: Any, orders: Any, after: Any, keys: int, longest: int, cases: Any
) -> None:
    """What reads and appends show against the version orders."""
    first, _outcome, access, key, _value = columns
    base, writer, append, place, superseded = orders
    following, committed = after
    read_first = np.full(keys, -1, np.int64)
    read_last = np.full(keys, -1, np.int64)
    links = np.full(max(longest, 1), -1, np.int64)
    read_most = np.zeros(keys, np.int64)
    appended = np.full(keys, -1, np.int64)
    needs = np.full((3, keys), -1, np.int64)
    claimed = np.full(len(writer), -1, np.int64)
    asked = np.full(len(committed), -1, np.int64)
    for row in range(len(committed)):
        if not committed[row]:  # of what is indeterminate, what it read is not known
            continue
        begin = first[row]
        for at in range(begin, first[row + 1]):
            k = key[at]
            if access[at] == _APPEND:
                earlier = appended[k]
                appended[k] = at
                if earlier >= begin and place[at] >= 0 and not 0 <= place[earlier] < place[at]:
                    _hit(cases, _OWN_ORDER, earlier, at)
                if read_first[k] >= begin and 0 <= place[at] < read_most[k]:
                    _hit(cases, _FUTURE, read_first[k], at)
                if read_first[k] >= begin and earlier < begin:
                    reads = (row, k, begin, read_last[k], links)
                    _update(orders, following, reads, claimed, cases)
                continue
            if access[at] != _READ or place[at] < 0:
                continue
            if read_first[k] < begin:
                read_first[k], read_most[k] = at, 0
            links[at - begin] = read_last[k] if read_last[k] >= begin else -1
            read_last[k] = at
            read_most[k] = max(read_most[k], place[at])
            if needs[0, k] >= begin and place[at] < needs[1, k]:
                _hit(cases, _VANISHED, at, needs[2, k])
            if place[at] == 0:
                continue
            version = base[k] + place[at] - 1
            if writer[version] >= 0 and writer[version] != row:
                if superseded[append[version]]:
                    _hit(cases, _INTERMEDIATE, at, append[version])
                if committed[writer[version]] and asked[writer[version]] != row:
                    asked[writer[version]] = row
                    _demand(columns, orders, at, begin, needs)
