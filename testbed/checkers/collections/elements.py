"""Elements of collections as dense numbers, so that arrays can say something of each of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from testbed.history.operation_table import NULL, Integers, OperationTable, Tag
from testbed.history.problem import HistoryError, Problem

Numbers = NDArray[np.int32]

STRANGER = -1
"""The number of an element that is not among those that were numbered."""

_TABLE_PER_ELEMENT = 8
"""So many slots an element is a lookup table worth; sparser integers are searched for."""


@dataclass(frozen=True)
class Contents:
    """What reads returned.

    Args:
        starts: Read ``i`` returned ``numbers[starts[i]:ends[i]]``.
        ends: See ``starts``.
        numbers: Numbers of elements, :data:`STRANGER` for any other.
    """

    starts: Integers
    ends: Integers
    numbers: Numbers

    def of(self, read: int) -> Numbers:
        """The elements of one read."""
        return self.numbers[self.starts[read] : self.ends[read]]


@dataclass(frozen=True)
class Elements:
    """The distinct values of some rows, numbered from 0: integers first, in order.

    Args:
        integers: Ascending, without repetition.
        others: What is no integer, by its canonical text, in the order of ``named``.
        named: The same as plain JSON.
    """

    integers: Integers
    others: dict[bytes, int]
    named: Sequence[Any]

    def __len__(self) -> int:
        return len(self.integers) + len(self.named)

    def value(self, number: int) -> Any:
        """An element as plain JSON."""
        if number < len(self.integers):
            return int(self.integers[number])
        return self.named[number - len(self.integers)]

    @cached_property
    def _slots(self) -> Numbers | None:
        if not len(self.integers):
            return None
        span = int(self.integers[-1]) - int(self.integers[0]) + 1
        if span > _TABLE_PER_ELEMENT * len(self.integers) + 1024:
            return None
        slots = np.full(span + 1, STRANGER, dtype=np.int32)
        slots[self.integers - self.integers[0]] = np.arange(len(self.integers), dtype=np.int32)
        return slots

    def number_integers(self, integers: Integers) -> Numbers:
        """The number of each integer."""
        if not len(self.integers):
            return np.full(len(integers), STRANGER, dtype=np.int32)
        first, last = self.integers[0], self.integers[-1]
        inside = (integers >= first) & (integers <= last)
        if self._slots is not None:
            places = np.where(inside, integers, last + 1) - first
            numbers: Numbers = self._slots[places]
            return numbers
        places = np.searchsorted(self.integers, np.where(inside, integers, first))
        found = inside & (self.integers[places] == integers)
        return np.where(found, places, STRANGER).astype(np.int32)

    def number(self, value: Any) -> int:
        """The number of a value given as plain JSON."""
        if type(value) is int and abs(value) < 2**63:
            place = int(np.searchsorted(self.integers, value))
            found = place < len(self.integers) and int(self.integers[place]) == value
            return place if found else STRANGER
        place = self.others.get(canonical(value), STRANGER)
        return STRANGER if place == STRANGER else len(self.integers) + place

    def number_rows(self, table: OperationTable, rows: Integers) -> Numbers:
        """The number of the value of each row."""
        whole = table.tag[rows] == Tag.INTEGER
        numbers = self.number_integers(np.where(whole, table.payload[rows], 0))
        for place in np.flatnonzero(~whole).tolist():
            numbers[place] = self.number(table.value(int(rows[place])))
        return numbers

    def contents(self, table: OperationTable, rows: Integers) -> Contents:
        """What the values of some rows, each a list, hold.

        Raises:
            HistoryError: One of them is no list.
        """
        refuse_other_than_lists(table, rows)
        lists = table.tag[rows] == Tag.LIST
        items, first = _items_of(table, table.payload[rows[lists]])
        numbers = self.number_integers(items)
        for place in np.flatnonzero(items == NULL).tolist():
            numbers[place] = self.number(None)
        starts, ends = np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=np.int64)
        starts[lists], ends[lists] = first[:-1], first[1:]
        more: list[int] = []
        for place in np.flatnonzero(~lists).tolist():
            starts[place] = len(numbers) + len(more)
            more += [self.number(item) for item in table.value(int(rows[place]))]
            ends[place] = len(numbers) + len(more)
        if more:
            numbers = np.concatenate([numbers, np.array(more, dtype=np.int32)])
        return Contents(starts, ends, numbers)


def _items_of(table: OperationTable, lists: Integers) -> tuple[Integers, Integers]:
    """The items of some lists, one after the other, and where each list begins."""
    if len(lists) == len(table.list_starts) - 1 and np.all(np.diff(lists) == 1):
        return table.list_items, table.list_starts
    begun = table.list_starts[lists]
    lengths = table.list_starts[lists + 1] - begun
    first = np.append(np.int64(0), np.cumsum(lengths))
    places = np.arange(first[-1]) + np.repeat(begun - first[:-1], lengths)
    return table.list_items[places], first


def elements_of(table: OperationTable, rows: Integers) -> Elements:
    """Number the values of some rows."""
    whole = table.tag[rows] == Tag.INTEGER
    others: dict[bytes, int] = {}
    named: list[Any] = []
    for row in rows[~whole].tolist():
        value = table.value(row)
        if others.setdefault(canonical(value), len(named)) == len(named):
            named.append(value)
    return Elements(_distinct(table.payload[rows[whole]]), others, named)


def _distinct(integers: Integers) -> Integers:
    """Ascending, each once. A sort is some ten times faster than numpy's hashing."""
    ordered = np.sort(integers)
    distinct: Integers = ordered[np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]]
    return distinct


def canonical(value: Any) -> bytes:
    """Equal JSON as equal text."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError:
        # Integers beyond 64 bits, and half a pair of surrogates.
        return json.dumps(value, sort_keys=True).encode()


def refuse_other_than_lists(table: OperationTable, rows: Integers) -> None:
    """Refuse rows whose value is no list.

    Raises:
        HistoryError: One of them is no list.
    """
    plain = (table.tag[rows] == Tag.LIST) | (table.tag[rows] == Tag.PAIR)
    problems = [
        Problem(int(table.line[row]), 0, "expected a list of elements as the value of a read")
        for row in rows[~plain].tolist()
        if not isinstance(table.value(row), list)
    ]
    if problems:
        raise HistoryError(table.source, problems)
