"""Whether figures of repeated runs shifted upwards, beyond noise.

The rank-sum test of Mann and Whitney (Annals of Mathematical Statistics 18, 1947) with ties by
midranks: exact by every permutation where those are few, else its normal approximation. The size
is the estimator of Hodges and Lehmann (ibid. 34, 1963): the median of all pairwise differences.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist, median

_PERMUTATIONS_MAX = 50_000
RUNS_MIN = 4
"""Below it even the clearest shift could be chance too often (3 and 3: one in twenty)."""


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift: its size, its 95% interval, and how likely chance alone would show as much."""

    median: float
    low: float
    high: float
    p: float


def shift(before: Sequence[float], after: Sequence[float]) -> Shift:
    """How much ``after`` lies above ``before``; both need values."""
    differences = sorted(new - old for new in after for old in before)
    size, total = len(differences), len(before) + len(after)
    spread = math.sqrt(size * (total + 1) / 12)
    cut = min(max(0, math.floor(size / 2 - 1.96 * spread)), (size - 1) // 2)
    return Shift(
        median(differences), differences[cut], differences[size - 1 - cut], _p(before, after)
    )


def _p(before: Sequence[float], after: Sequence[float]) -> float:
    ranks = _midranks([*after, *before])
    seen, count = sum(ranks[: len(after)]), len(ranks)
    if math.comb(count, len(after)) <= _PERMUTATIONS_MAX:
        sums = [sum(chosen) for chosen in combinations(ranks, len(after))]
        return sum(one >= seen - 1e-9 for one in sums) / len(sums)
    mean = len(after) * (count + 1) / 2
    squares = sum((rank - (count + 1) / 2) ** 2 for rank in ranks)
    variance = len(after) * len(before) * squares / (count * (count - 1))
    if variance == 0:
        return 1.0
    return 1 - NormalDist().cdf((seen - mean - 0.5) / math.sqrt(variance))


def _midranks(values: Sequence[float]) -> list[float]:
    return [
        sum(other < one for other in values) + (sum(other == one for other in values) + 1) / 2
        for one in values
    ]
