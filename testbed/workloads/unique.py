"""Values that occur once in a run, whichever region writes them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

REGIONS_MAX = 99
"""The last two digits of a value are its region's number: short in a journal, and readable."""


def unique_values(regions: Sequence[str], region: str) -> Iterator[int]:
    """Whole numbers that no other region of the sequence gives, in ascending order.

    Args:
        regions: The regions of the run, always in the same order; at most ``REGIONS_MAX``.
        region: The one whose values are wanted; the first of them is number 1.

    Raises:
        KeyError: The region is not one of them.
        ValueError: There are more regions than two digits tell apart.
    """
    if len(regions) > REGIONS_MAX:
        raise ValueError(f"at most {REGIONS_MAX} regions can write, not {len(regions)}")
    if region not in regions:
        raise KeyError(region)
    step = REGIONS_MAX + 1
    return itertools.count(step + regions.index(region) + 1, step)
