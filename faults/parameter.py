"""A fault's parameter: its unit, its limits and what is wrong with a value."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

REQUIRED = object()
"""The default of a parameter that must be given."""

_WORDS = {
    "ms": "milliseconds",
    "us": "microseconds",
    "kbytes/s": "kilobytes (1000 bytes) a second",
    "bytes": "bytes",
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a fault: a whole number with a unit, a choice, or a name.

    Args:
        name: As a plan spells it, the unit last.
        description: What it does, one sentence.
        unit: ``ms``, ``us``, ``kbytes/s`` or ``bytes``; empty for a choice or a name.
        minimum: Least number.
        maximum: Greatest number.
        choices: The words that it may be; empty for a number or a name.
        default: Its value when a plan does not give it, or ``REQUIRED``.
    """

    name: str
    description: str
    unit: str = ""
    minimum: int = 0
    maximum: int = 0
    choices: tuple[str, ...] = ()
    default: Any = REQUIRED

    @property
    def required(self) -> bool:
        """True when a plan must give it."""
        return self.default is REQUIRED

    def complaint(self, value: Any) -> str | None:
        """What is wrong with a value, or None."""
        if value is None and self.default is None:
            return None
        if self.unit:
            return self._number_complaint(value)
        if not isinstance(value, str) or not value:
            return f"'{self.name}' must be a text, not {value!r}"
        if self.choices and value not in self.choices:
            hint = nearest(value, self.choices)
            return f"'{self.name}' must be one of {', '.join(self.choices)}, not {value!r}{hint}"
        return None

    def _number_complaint(self, value: Any) -> str | None:
        what = f"'{self.name}' must be a whole number of {_WORDS[self.unit]}"
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"{what}, not {value!r}"
        if not math.isfinite(value) or value != int(value):
            return f"{what}, not {value:g}"
        if not self.minimum <= value <= self.maximum:
            return f"{what} from {self.minimum} to {self.maximum}, not {int(value)}"
        return None


def complaints(schema: Sequence[Parameter], given: Mapping[str, Any]) -> list[str]:
    """Everything that is wrong with parameters, a sentence each; empty when they are good."""
    known = [parameter.name for parameter in schema]
    found = [_unknown(name, known) for name in given if name not in known]
    for parameter in schema:
        if parameter.name in given:
            complaint = parameter.complaint(given[parameter.name])
            if complaint is not None:
                found.append(complaint)
        elif parameter.required:
            unit = f" ({_WORDS[parameter.unit]})" if parameter.unit else ""
            found.append(f"parameter '{parameter.name}'{unit} is missing")
    return found


def values(schema: Sequence[Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """Every parameter's value: as given, else its default. Only for good parameters."""
    chosen = {p.name: given.get(p.name, p.default) for p in schema}
    return {
        p.name: int(chosen[p.name]) if p.unit and chosen[p.name] is not None else chosen[p.name]
        for p in schema
    }


def nearest(word: str, known: Iterable[str]) -> str:
    """`` (did you mean 'x'?)`` for the nearest known word; empty when none is near."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f" (did you mean '{near[0]}'?)" if near else ""


def _unknown(name: Any, known: Sequence[str]) -> str:
    hint = nearest(str(name), known)
    # A wrong unit (added_s for added_ms) shares its stem with the right name.
    stem = str(name).rpartition("_")[0]
    if not hint and stem:
        kin = [word for word in known if word.rpartition("_")[0] == stem]
        hint = f" (did you mean '{kin[0]}'?)" if kin else ""
    listed = ", ".join(known) if known else "it has none"
    return f"unknown parameter '{name}'{hint}; known: {listed}"
