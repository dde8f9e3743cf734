"""Reading plain JSON that somebody else wrote: all problems noted, nothing raised."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from testbed.report.visible import compact

_EXACT = 2**53
_LARGEST = 1e30
"""Nothing that a run measures comes near it, and a figure of two such numbers is still finite."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something of a run folder that cannot be shown.

    Args:
        file: Which file of the folder.
        what: What is missing or wrong.
        remedy: What to do about it; may be empty.
    """

    file: str
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        """One sentence for people."""
        return f"{self.file}: {self.what}" + (f"; {self.remedy}" if self.remedy else "")


@dataclass(frozen=True, slots=True)
class Fields:
    """An object of a JSON document, read field by field.

    Args:
        values: The object.
        file: The file that it stands in, for problems.
        path: Where in the file, for problems; empty for the top.
        problems: Where problems are added; shared by all objects of the document.
    """

    values: Mapping[str, Any]
    file: str
    path: str
    problems: list[Problem]

    def text(self, name: str, default: str = "") -> str:
        """A string; numbers are taken as they would be printed."""
        value = self.values.get(name)
        if isinstance(value, str):
            return value
        if value is None:
            return default
        if isinstance(value, int | float):
            return str(value)
        self._wrong(name, "text", value)
        return default

    def number(self, name: str) -> float | None:
        """A number that can be measured, or None where the field is absent."""
        value = self.values.get(name)
        if type(value) is int and -_EXACT <= value <= _EXACT:
            # What times are; a history has millions.
            return float(value)
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool):
            try:
                number = float(value)
            except OverflowError:
                number = math.inf
            if math.isfinite(number) and abs(number) <= _LARGEST:
                return number
        self._wrong(name, "a number", value)
        return None

    def whole(self, name: str) -> int | None:
        """An integer, exactly, or None where the field is absent."""
        value = self.values.get(name)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        self._wrong(name, "a whole number", value)
        return None

    def truth(self, name: str) -> bool | None:
        """True, False, or None where the field is absent."""
        value = self.values.get(name)
        if value is None or isinstance(value, bool):
            return value
        self._wrong(name, "true or false", value)
        return None

    def items(self, name: str) -> tuple[Any, ...]:
        """A list of anything; empty where the field is absent."""
        value = self.values.get(name)
        if value is None:
            return ()
        if isinstance(value, list | tuple):
            return tuple(value)
        self._wrong(name, "a list", value)
        return ()

    def mapping(self, name: str) -> Fields:
        """An object; an empty one where the field is absent."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, Mapping):
            self._wrong(name, "an object", value)
        found = value if isinstance(value, Mapping) else {}
        return Fields(found, self.file, self._at(name), self.problems)

    def objects(self, name: str) -> Iterator[Fields]:
        """Each object of a list of objects."""
        for number, value in enumerate(self.items(name)):
            where = f"{self._at(name)}[{number}]"
            if isinstance(value, Mapping):
                yield Fields(value, self.file, where, self.problems)
            else:
                self.problems.append(
                    Problem(self.file, f"{where}: expected an object, found {compact(value, 60)}")
                )

    def _at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def _wrong(self, name: str, expected: str, value: Any) -> None:
        what = f"{self._at(name)}: expected {expected}, found {compact(value, 60)}"
        self.problems.append(Problem(self.file, what))
