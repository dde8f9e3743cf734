"""Values as one number each: equal exactly when the values are."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.brief import CHARACTERS_MAX, brief
from testbed.history.interning import canonical
from testbed.history.operation_table import NULL, Integers, Kind, OperationTable, Tag

_NULL = int(NULL)

_PLAIN_MIN = -(2**62)
"""From here on an integer is its own number; what is below leaves its number to other values."""

UNSAID = 1 - 2**63
"""The number of a read whose result is unknown. No value has it."""


@dataclass(frozen=True)
class Numbered:
    """A history's values as numbers.

    An integer is its own number, null is :data:`NULL`, everything else, very low integers among it,
    has one of the lowest numbers above that.

    Args:
        rows: One number a row.
        init: The number of the initial value.
        others: Canonical form to number of what is neither null nor an integer that is its own.
    """

    rows: Integers
    init: int
    others: dict[bytes, int] = field(default_factory=dict)

    def number(self, value: Any) -> int:
        """The number of a value, a new one for a new value."""
        if value is None:
            return _NULL
        if type(value) is int and _PLAIN_MIN <= value < 2**63:
            return value
        return self.others.setdefault(canonical(value), _NULL + 2 + len(self.others))

    def plain(self, integers: Integers) -> Integers:
        """The numbers of integers, :data:`NULL` among them for null."""
        low = (integers < _PLAIN_MIN) & (integers != NULL)
        if not low.any():
            return integers
        numbers = integers.copy()
        numbers[low] = [self.number(value) for value in integers[low].tolist()]
        return numbers

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
    """
    rows = history.payload.copy()
    rows[history.tag == Tag.NULL] = NULL
    low = (history.tag == Tag.INTEGER) & (history.payload < _PLAIN_MIN)
    other = (history.tag >= Tag.PAIR) | low
    if pairs_of is not None:
        other &= (history.tag != Tag.PAIR) | (history.f != history.function(pairs_of))
    others = np.flatnonzero(other)
    names: dict[bytes, int] = {}
    known = Numbered(rows, 0, names)
    for row in others.tolist():
        rows[row] = known.number(history.value(row))
    return Numbered(rows, known.number(init), names)


def without_unsaid(
    history: OperationTable, values: Numbered, nulled: NDArray[np.bool_]
) -> Numbered:
    """The values, with :data:`UNSAID` for each read whose result is unknown.

    As in Knossos: with another initial value than null and no write of null to its key, a read of
    null is one whose result is unknown. Otherwise null is a value like others.

    Args:
        history: The operations.
        values: Their values.
        nulled: Rows of invocations that ask for null to be written.
    """
    reads = (history.f == history.function("read")) & (history.kind == Kind.OK)
    unsaid = reads & (values.rows == NULL)
    if values.init == NULL or not unsaid.any():
        return values
    asked = np.flatnonzero(nulled)
    if len(asked):
        # Places of completions: without one, the last row stands in, which is no failure then.
        completed = history.partner[asked]
        failed = (completed >= 0) & (history.kind[completed] == Kind.FAIL)
        invoked = np.where(history.partner >= 0, history.partner, 0)
        unsaid &= ~np.isin(history.key[invoked], history.key[asked[~failed]])
    return replace(values, rows=np.where(unsaid, UNSAID, values.rows))
