"""A history as columns: what the checkers that must scale read instead of objects."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Integers: TypeAlias = NDArray[np.int64]
Small: TypeAlias = NDArray[np.int8]

NULL = np.int64(-(2**63))
"""In place of an integer inside a pair or a list: null. No history may hold it as a number."""


class Kind(enum.IntEnum):
    """Values of ``OperationTable.kind``."""

    INVOKE = 0
    OK = 1
    FAIL = 2
    INFO = 3


class Tag(enum.IntEnum):
    """Values of ``OperationTable.tag``: what ``payload`` means."""

    NULL = 0
    INTEGER = 1
    PAIR = 2
    LIST = 3
    OTHER = 4


@dataclass(frozen=True)
class OperationTable:
    """One row a line of clients, in the order of the file; lines of faults are left out.

    The order of the rows is the order of real time: row numbers serve as times without ties. A
    value is a tagged union; ``value(row)`` gives it as plain JSON. Two rows have equal values
    exactly when tags and payloads are equal, for ``NULL``, ``INTEGER`` and ``OTHER``.

    Args:
        process: Dense number of the process, ``process_names`` says who.
        kind: See :class:`Kind`.
        f: Index into ``functions``.
        key: Index into ``keys``; -1 where an operation has none.
        tag: See :class:`Tag`.
        payload: The integer itself; or the row of ``pairs``; or the number of a list; or the index
            into ``others``.
        pairs: Two integers a row, :data:`NULL` for null: for example ``[old, new]``.
        list_starts: List ``i`` is ``list_items[list_starts[i]:list_starts[i + 1]]``.
        list_items: The items of all lists, integers or :data:`NULL`.
        others: Every other value, interned: equal JSON has one index.
        functions: Names of what was asked for.
        keys: The keys, interned.
        process_names: Names or numbers of the processes.
        line: Line of the file, from 1, for messages.
        time_ns: Nanoseconds; None where the history carries no times.
        errors: Row to error text, sparse.
        source: The file, for messages.
    """

    process: NDArray[np.int32]
    kind: Small
    f: NDArray[np.int16]
    key: NDArray[np.int32]
    tag: Small
    payload: Integers
    pairs: Integers
    list_starts: Integers
    list_items: Integers
    others: Sequence[Any]
    functions: tuple[str, ...]
    keys: Sequence[Any]
    process_names: Sequence[int | str]
    line: Integers
    time_ns: Integers | None
    errors: dict[int, str]
    source: str = "history"

    def __len__(self) -> int:
        return len(self.kind)

    @cached_property
    def partner(self) -> Integers:
        """For an invocation the row of its completion, for a completion that of its invocation.

        -1 where there is none: what never completed is indeterminate.
        """
        partner = np.full(len(self), -1, dtype=np.int64)
        open_rows: dict[int, int] = {}
        for row, (process, kind) in enumerate(
            zip(self.process.tolist(), self.kind.tolist(), strict=True)
        ):
            if kind == Kind.INVOKE:
                open_rows[process] = row
            elif (begun := open_rows.pop(process, -1)) >= 0:
                partner[row] = begun
                partner[begun] = row
        return partner

    def function(self, name: str) -> int:
        """The number of a function; -1 when the history does not have it."""
        return self.functions.index(name) if name in self.functions else -1

    def value(self, row: int) -> Any:
        """A row's value as plain JSON."""
        tag, payload = int(self.tag[row]), int(self.payload[row])
        if tag == Tag.INTEGER:
            return payload
        if tag == Tag.PAIR:
            return _with_nulls(self.pairs[payload].tolist())
        if tag == Tag.LIST:
            first, after = self.list_starts[payload : payload + 2].tolist()
            return _with_nulls(self.list_items[first:after].tolist())
        return self.others[payload] if tag == Tag.OTHER else None


def _with_nulls(items: list[int]) -> list[int | None]:
    return [None if item == NULL else item for item in items]
