"""Numbers of any length as figures of a verdict."""

from __future__ import annotations

import sys

_FLOAT_MAX = int(sys.float_info.max)


def figure(number: int) -> float:
    """A whole number as a float: the greatest, or the least, where it is beyond what one holds."""
    return float(max(-_FLOAT_MAX, min(number, _FLOAT_MAX)))
