"""Interning: a number for each value, so that equal values have equal numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from testbed.history.strict_json import written


def canonical(value: Any) -> bytes:
    """Bytes that are equal exactly when two plain JSON values are: 1, 1.0 and true differ."""
    return written(value, orjson.OPT_SORT_KEYS)


class Interned(Sequence[Any]):
    """Values in the order in which they were first seen, each once."""

    def __init__(self) -> None:
        self._values: list[Any] = []
        self._numbers: dict[int | str | bytes, int] = {}

    def number(self, value: Any) -> int:
        """The number of a value, a new one for a new value."""
        # Texts and whole numbers are their own keys; a text is never equal to bytes.
        plain = type(value) is int or isinstance(value, str)
        key = value if plain else canonical(value)
        number = self._numbers.setdefault(key, len(self._values))
        if number == len(self._values):
            self._values.append(value)
        return number

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, index: Any) -> Any:
        return self._values[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)
