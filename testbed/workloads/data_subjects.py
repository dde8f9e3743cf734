"""Numbers of data subjects: a region's own ones, and those of others that come to it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from testbed.workloads.unique import REGIONS_MAX

STEP = REGIONS_MAX + 1
"""Between two numbers of one region."""


class Subjects:
    """The subjects that one region's clients write about; no two regions have one in common.

    Args:
        region: The region's number, from 0.
        regions: How many there are.
        others: Numbers of the regions of other jurisdictions.
    """

    def __init__(self, region: int, regions: int, others: Sequence[int]) -> None:
        self.own = itertools.count(STEP + region, STEP)
        self.foreign = _foreigners(region, regions, others)


def _foreigners(number: int, regions: int, others: Sequence[int]) -> Iterator[int]:
    """Identities of other jurisdictions' subjects; no two regions take the same one."""
    for turn in itertools.count():
        yield from (STEP * (turn * regions + number + 1) + other for other in others)
        if not others:
            return
