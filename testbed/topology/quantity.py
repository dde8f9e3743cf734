"""Numbers with their unit in the field's name, and what to write when the unit is in the value."""

from __future__ import annotations

import re
from fractions import Fraction

_WRITTEN = re.compile(r"\s*([-+]?[0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+(?:/[a-z]+)?)\s*")

# What each unit is in the base of its kind: milliseconds, bytes, kilobytes a second.
_DURATIONS = {
    "us": Fraction(1, 1000),
    "ms": Fraction(1),
    "s": Fraction(1000),
    "sec": Fraction(1000),
    "m": Fraction(60_000),
    "min": Fraction(60_000),
    "h": Fraction(3_600_000),
}
_SIZES = {
    "b": Fraction(1),
    "bytes": Fraction(1),
    "kb": Fraction(1000),
    "kib": Fraction(1024),
    "mb": Fraction(1000**2),
    "mib": Fraction(1024**2),
    "gb": Fraction(1000**3),
    "gib": Fraction(1024**3),
}
_RATES = {
    "kb/s": Fraction(1),
    "kbytes/s": Fraction(1),
    "mb/s": Fraction(1000),
    "mbytes/s": Fraction(1000),
    "kbit/s": Fraction(1, 8),
    "kbps": Fraction(1, 8),
    "mbit/s": Fraction(125),
    "mbps": Fraction(125),
    "gbit/s": Fraction(125_000),
    "gbps": Fraction(125_000),
}
_KINDS = (_DURATIONS, _SIZES, _RATES)

WORDS = {
    "ms": "milliseconds",
    "s": "seconds",
    "bytes": "bytes",
    "kbytes/s": "kilobytes a second",
}


def in_unit(text: str, unit: str) -> str | None:
    """A quantity that carries its own unit, converted to the unit of a field.

    Args:
        text: As it was written, for example ``50ms`` or ``1.5 s``.
        unit: The field's unit: a key of ``WORDS``.

    Returns:
        The number to write instead, or None when the text is no quantity of that kind.
    """
    match = _WRITTEN.fullmatch(text)
    if match is None:
        return None
    written = match[2].lower()
    for kind in _KINDS:
        if unit in kind and written in kind:
            return _decimal(Fraction(match[1]) * kind[written] / kind[unit])
    return None


def _decimal(number: Fraction) -> str:
    """A fraction as people write it: whole where it is whole."""
    return str(number.numerator) if number.denominator == 1 else f"{float(number):g}"
