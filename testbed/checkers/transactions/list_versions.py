"""The versions of lists: the order of the appends of each key, as its longest read shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.kernel import kernel
from testbed.history.operation_table import Integers
from testbed.history.transaction_table import Access, Outcome, TransactionTable

NOBODY = -1
"""In ``Versions.writer``: no transaction appended the element."""
AGAIN = -2
"""In ``Versions.writer``: the element stands in the list already."""

_OK = int(Outcome.OK)
_READ = int(Access.READ)
_APPEND = int(Access.APPEND)


@dataclass(frozen=True)
class Versions:
    """For each key its elements in order, and where each micro-operation stands in that order.

    Key ``k`` has the elements ``base[k]`` to ``base[k] + length[k]``; the place after them is free,
    so that place ``base[k] + n`` belongs to the version of ``n`` elements.

    Args:
        base: One a key.
        length: Elements of the longest read of each key.
        longest: The micro-operation of that read; -1 where nothing was read.
        writer: The transaction that appended each element, or ``NOBODY`` or ``AGAIN``.
        append: Its micro-operation.
        place: For an append the number of elements before its own, -1 where no read shows it; for a
            read of a committed transaction the number of elements it saw, -1 where it is no prefix
            of the longest; -1 for every other.
        superseded: For an append whether its transaction appends to the key again.
        twice: Two micro-operations that append the same to the same key; None where none do.
        strays: Reads that are no prefixes of the longest.
        finder: Hash tables of the appends, one a key, where each begins, and their transactions.
    """

    base: Integers
    length: Integers
    longest: Integers
    writer: NDArray[np.int32]
    append: Integers
    place: NDArray[np.int32]
    superseded: NDArray[np.bool_]
    twice: tuple[int, int] | None
    strays: Integers
    finder: tuple[Integers, Integers, NDArray[np.int32]]

    @property
    def certain(self) -> bool:
        """Whether the reads of each key show one order, and each element once."""
        return len(self.strays) == 0 and not bool(np.any(self.writer == AGAIN))

    def owner_of(self, table: TransactionTable, key: int, value: int) -> int:
        """The transaction that appended a value to a key; -1 where there is none."""
        found, tables, owner = self.finder
        return int(owner[find(columns_of(table), (found, tables), key, value)])


def versions_of(table: TransactionTable) -> Versions:
    """Find the version orders: linear in micro-operations and elements.

    The longest read of a key is the order of its appends, every other one must be a prefix of it
    (Kingsbury and Alvaro, "Elle", VLDB 2020: lists make versions traceable).
    """
    columns = columns_of(table)
    lists = (table.list_starts, table.list_items)
    rows = len(table.access)
    longest, length = _longest.for_rows(rows)(columns, lists, len(table.keys))
    tables = _tables.for_rows(rows)(columns, len(table.keys))
    found, owner, superseded, twice = _index.for_rows(rows)(columns, tables)
    base = np.zeros(len(table.keys) + 1, np.int64)
    np.cumsum(length + 1, out=base[1:])
    writer, append, place = _orders.for_rows(rows)(
        columns, lists, (longest, length, base), (found, tables, owner)
    )
    strays = _compare.for_rows(rows)(columns, lists, longest, place)
    return Versions(
        base=base[:-1],
        length=length,
        longest=longest,
        writer=writer,
        append=append,
        place=place,
        superseded=superseded,
        twice=(int(twice[0]), int(twice[1])) if twice[0] >= 0 else None,
        strays=np.flatnonzero(strays),
        finder=(found, tables, owner),
    )


def columns_of(table: TransactionTable) -> tuple[Any, ...]:
    """What every loop over micro-operations reads."""
    return (table.first, table.outcome, table.access, table.key, table.value)


@kernel
def _longest(columns: Any, lists: Any, keys: int) -> Any:
    first, outcome, access, key, value = columns
    starts = lists[0]
    longest = np.full(keys, -1, np.int64)
    length = np.zeros(keys, np.int64)
    for row in range(len(outcome)):
        if outcome[row] != _OK:
            continue
        for at in range(first[row], first[row + 1]):
            if access[at] == _READ and value[at] >= 0:
                size = starts[value[at] + 1] - starts[value[at]]
                if longest[key[at]] < 0 or size > length[key[at]]:
                    longest[key[at]] = at
                    length[key[at]] = size
    return longest, length


@kernel
def _tables(columns: Any, keys: int) -> Any:
    """Where the hash table of each key begins: a power of two of slots, at most half of them used.

    One a key, for what happens to a key happens within a short time: so it stays in the cache.
    """
    access = columns[2]
    key = columns[3]
    begins = np.zeros(keys + 1, np.int64)
    for at in range(len(access)):
        if access[at] == _APPEND:
            begins[key[at] + 1] += 1
    for each in range(keys):
        slots = 1
        while slots < 2 * begins[each + 1]:
            slots *= 2
        begins[each + 1] = begins[each] + slots
    return begins


@kernel
def _index(columns: Any, tables: Any) -> Any:
    """Hash tables of appends, with linear probing."""
    first, outcome, access, key, value = columns
    found = np.full(tables[-1], -1, np.int64)
    owner = np.full(tables[-1], -1, np.int32)
    superseded = np.zeros(len(access), np.bool_)
    latest = np.full(len(tables) - 1, -1, np.int64)
    twice = np.full(2, -1, np.int64)
    for row in range(len(outcome)):
        for at in range(first[row], first[row + 1]):
            if access[at] != _APPEND:
                continue
            before = latest[key[at]]
            if before >= first[row]:
                superseded[before] = True
            latest[key[at]] = at
            slot = find(columns, (found, tables), key[at], value[at])
            if found[slot] < 0:
                found[slot] = at
                owner[slot] = row
            elif twice[0] < 0:
                twice[0] = found[slot]
                twice[1] = at
    return found, owner, superseded, twice


@kernel
def find(columns: Any, finder: Any, wanted_key: Any, wanted_value: Any) -> Any:
    """The slot of an append; an empty one where there is none."""
    value = columns[4]
    found, tables = finder
    begin = tables[wanted_key]
    mask = tables[wanted_key + 1] - begin - 1
    # Small integers of numpy overflow where those of the compiler do not.
    mixed = np.int64(wanted_value) * 2654435761
    slot = (mixed ^ (mixed >> 17)) & mask
    while found[begin + slot] >= 0 and value[found[begin + slot]] != wanted_value:
        slot = (slot + 1) & mask
    return begin + slot


@kernel
def _orders(columns: Any, lists: Any, orders: Any, finder: Any) -> Any:
    access = columns[2]
    value = columns[4]
    starts, items = lists
    longest, length, base = orders
    found, tables, owner = finder
    writer = np.full(base[-1], NOBODY, np.int32)
    append = np.full(base[-1], -1, np.int64)
    place = np.full(len(access), -1, np.int32)
    for key in range(len(longest)):
        if longest[key] < 0 or length[key] == 0:
            continue
        begin = starts[value[longest[key]]]
        for number in range(length[key]):
            slot = find(columns, (found, tables), key, items[begin + number])
            at = found[slot]
            if at < 0:
                continue
            append[base[key] + number] = at
            if place[at] >= 0:
                writer[base[key] + number] = AGAIN
            else:
                place[at] = number
                writer[base[key] + number] = owner[slot]
    return writer, append, place


@kernel
def _compare(columns: Any, lists: Any, longest: Any, place: Any) -> Any:
    first, outcome, access, key, value = columns
    starts, items = lists
    strays = np.zeros(len(access), np.bool_)
    whole = np.zeros(len(longest), np.int64)
    for each in range(len(longest)):
        if longest[each] >= 0:
            whole[each] = starts[value[longest[each]]]
    for row in range(len(outcome)):
        if outcome[row] != _OK:
            continue
        for at in range(first[row], first[row + 1]):
            if access[at] != _READ or value[at] < -1:
                continue
            size = 0
            unlike = 0
            if value[at] >= 0:
                begin = starts[value[at]]
                size = starts[value[at] + 1] - begin
                same = whole[key[at]]
                # To the end in any case: so several are compared at once.
                for number in range(size):
                    unlike |= items[begin + number] ^ items[same + number]
            if unlike == 0:
                place[at] = size
            else:
                strays[at] = True
    return strays
