"""Values as one number each: equal exactly when the values are."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from testbed.checkers.brief import CHARACTERS_MAX, brief
from testbed.history.interning import canonical
from testbed.history.operation_table import NULL, Integers, Kind, OperationTable, Tag
from testbed.history.problem import HistoryError, Problem

_NULL = int(NULL)


@dataclass(frozen=True)
class Numbered:
    """A history's values as numbers.

    An integer is its own number, null is :data:`NULL`, everything else has one of the lowest
    numbers above that, which no integer of the history has.

    Args:
        rows: One number a row.
        init: The number of the initial value.
        others: Canonical form to number of what is neither an integer nor null.
    """

    rows: Integers
    init: int
    others: dict[bytes, int] = field(default_factory=dict)

    def number(self, value: Any) -> int:
        """The number of a value, a new one for a new value."""
        if value is None:
            return _NULL
        if type(value) is int and abs(value) < 2**63:
            return value
        return self.others.setdefault(canonical(value), _NULL + 2 + len(self.others))

    def text(self, number: int) -> str:
        """A value as JSON, of its number."""
        if number == _NULL:
            return "null"
        named = (name for name, other in self.others.items() if other == number)
        text = next(named, str(number).encode()).decode()
        return text if len(text) <= CHARACTERS_MAX else brief(json.loads(text))


def numbered(history: OperationTable, init: Any, *, pairs_of: str | None = None) -> Numbered:
    """Number the values of a history, and its initial value.

    Args:
        history: The operations.
        init: The initial value.
        pairs_of: A function whose pairs are no values, but two of them: their rows get no numbers.

    Raises:
        HistoryError: An integer is too low to be told from the number of another value.
    """
    integers = history.tag == Tag.INTEGER
    rows = history.payload.copy()
    rows[history.tag == Tag.NULL] = NULL
    other = history.tag >= Tag.PAIR
    if pairs_of is not None:
        other &= (history.tag != Tag.PAIR) | (history.f != history.function(pairs_of))
    others = np.flatnonzero(other)
    names: dict[bytes, int] = {}
    known = Numbered(rows, 0, names)
    for row in others.tolist():
        rows[row] = known.number(history.value(row))
    result = Numbered(rows, known.number(init), names)
    low = np.flatnonzero(integers & (history.payload <= _NULL + 2 + 2 * len(history)))
    if len(low):
        problem = Problem(int(history.line[low[0]]), 1, "expected a larger integer")
        raise HistoryError(history.source, [problem], len(low))
    return result


UNKNOWN_NOTHING = 1 - 2**63
"""A number that no value has."""


def unknown_read(history: OperationTable, values: Numbered, writes: int) -> int:
    """The number that a read returns when its result is unknown.

    As in Knossos: with another initial value than null and no write of null, a read of null is
    one whose result is unknown. Otherwise null is a value like others.

    Args:
        history: The operations.
        values: Their values.
        writes: The function that writes.
    """
    nulls = (history.f == writes) & (values.rows == NULL) & (history.kind == Kind.INVOKE)
    return UNKNOWN_NOTHING if values.init == NULL or nulls.any() else _NULL
