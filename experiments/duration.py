"""Durations as people type them: ``90``, ``90s``, ``5m``, ``1h30m``."""

from __future__ import annotations

import re

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)([smh])")


def parse_duration_s(text: str) -> float:
    """Seconds of a duration; a bare number is seconds.

    Raises:
        ValueError: It is none, or not above zero.
    """
    stripped = text.strip().lower()
    if re.fullmatch(r"\d+(?:\.\d+)?", stripped):
        seconds = float(stripped)
    elif re.fullmatch(rf"(?:{_PART.pattern})+", stripped):
        seconds = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(stripped))
    else:
        raise ValueError(f"'{text}' is no duration: write 90s, 5m or 1h30m")
    if seconds <= 0:
        raise ValueError(f"'{text}' is no time at all: write 90s, 5m or 1h30m")
    return seconds
