"""Values that occur once in a run, whichever region writes them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

REGION_STRIDE = 100_000_000
"""Values of region number n begin at n times this: readable, and 20 regions fit 32 bits."""


def unique_values(regions: Sequence[str], region: str) -> Iterator[int]:
    """Whole numbers that no other region of the sequence gives, in ascending order.

    Args:
        regions: The regions of the run, always in the same order.
        region: The one whose values are wanted; the first of them is number 1.

    Raises:
        KeyError: The region is not one of them.
    """
    if region not in regions:
        raise KeyError(region)
    start = (regions.index(region) + 1) * REGION_STRIDE
    return itertools.takewhile(
        lambda value: value < start + REGION_STRIDE, itertools.count(start + 1)
    )
