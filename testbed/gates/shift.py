"""Whether figures of repeated runs shifted upwards, beyond noise.

Of runs that have nothing in common: the rank-sum test of Mann and Whitney (Annals of Mathematical
Statistics 18, 1947). Of pairs, where what a figure is mostly depends on is the same in both: the
signed-rank test of Wilcoxon (Biometrics Bulletin 1, 1945). Ties by midranks; exact by every
permutation where those are few, else the normal approximation. The size is the estimator of Hodges
and Lehmann (Annals of Mathematical Statistics 34, 1963): the median of all pairwise differences, or
of all averages of two differences.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement, product
from statistics import NormalDist, median

_PERMUTATIONS_MAX = 50_000
_EXACT_MAX = 40
"""Of more runs than these the interval's normal approximation is as good to a thousandth."""

RUNS_MIN = 4
"""Below it even the clearest shift could be chance too often (3 and 3: one in twenty)."""

PAIRS_MIN = 5
"""Of fewer pairs even a growth of each could be chance too often (four: one in sixteen)."""


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift: its size, its 95% interval, and how likely chance alone would show as much."""

    median: float
    low: float
    high: float
    p: float


def paired_shift(differences: Sequence[float]) -> Shift:
    """How much the second of each pair lies above the first.

    Args:
        differences: Of each pair, the second less the first; at least one.
    """
    size = len(differences)
    averages = sorted((a + b) / 2 for a, b in combinations_with_replacement(differences, 2))
    if size <= _EXACT_MAX:
        cut = _cut(_signed_counts(size))
    else:
        cut = _normal_cut(len(averages), math.sqrt(size * (size + 1) * (2 * size + 1) / 24))
    low, high = averages[cut], averages[len(averages) - 1 - cut]
    return Shift(median(averages), low, high, _signed_p([one for one in differences if one]))


def _cut(counts: Sequence[int]) -> int:
    """How many of the sorted estimates lie outside the 95% interval, on each side.

    Args:
        counts: In how many of all equally likely cases so many estimates are above zero.
    """
    allowed, seen = 0.025 * sum(counts), 0
    for cut, count in enumerate(counts):
        seen += count
        if seen > allowed:
            # Of very few runs even all estimates span less than 95%.
            return max(cut - 1, 0)
    return 0


def _normal_cut(count: int, spread: float) -> int:
    return min(max(0, math.floor(count / 2 - 1.96 * spread)), (count - 1) // 2)


def _signed_counts(size: int) -> list[int]:
    """In how many of all choices of signs the positive ranks of so many pairs have each sum."""
    counts = [1]
    for rank in range(1, size + 1):
        without = [*counts, *[0] * rank]
        counts = [a + b for a, b in zip(without, [0] * rank + counts, strict=True)]
    return counts


def _rank_counts(first: int, second: int) -> list[int]:
    """In how many of all orders of two samples so many pairs have the first's one above."""
    # How many of one sample lie below each of the other: at most all of it, in order.
    counts = [[1] if not above else [] for above in range(first + 1)]
    for below in range(second + 1):
        for above in range(1, first + 1):
            longer = [0] * below + counts[above - 1]
            size = max(len(longer), len(counts[above]))
            pad = [row + [0] * (size - len(row)) for row in (longer, counts[above])]
            counts[above] = [a + b for a, b in zip(*pad, strict=True)]
    return counts[first]


def _signed_p(differences: Sequence[float]) -> float:
    """By the sum of the ranks of those that grew; pairs without a difference say nothing."""
    ranks = _midranks([abs(one) for one in differences])
    seen = sum(rank for rank, one in zip(ranks, differences, strict=True) if one > 0)
    if 2 ** len(ranks) <= _PERMUTATIONS_MAX:
        kept = product((0, 1), repeat=len(ranks))
        sums = [sum(rank for rank, one in zip(ranks, row, strict=True) if one) for row in kept]
        return sum(one >= seen - 1e-9 for one in sums) / len(sums)
    variance = sum(rank**2 for rank in ranks) / 4
    return 1 - NormalDist().cdf((seen - sum(ranks) / 2 - 0.5) / math.sqrt(variance))


def shift(before: Sequence[float], after: Sequence[float]) -> Shift:
    """How much ``after`` lies above ``before``; both need values."""
    differences = sorted(new - old for new in after for old in before)
    size, total = len(differences), len(before) + len(after)
    if total <= _EXACT_MAX:
        cut = _cut(_rank_counts(len(before), len(after)))
    else:
        cut = _normal_cut(size, math.sqrt(size * (total + 1) / 12))
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
