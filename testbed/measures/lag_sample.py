"""One sample of lag: when something was made at its origin, and when another node showed it.

Nothing is seen at a single moment: a question has a beginning and an end, and between two questions
nobody looked. So both times are intervals that surely hold the true one, and so is the lag.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from testbed.measures.latency import percentile


@dataclass(frozen=True, slots=True)
class LagSample:
    """How late one thing was at one other node.

    Args:
        origin: The node where it was made.
        seen_at: The other node.
        made_from_ns: It was made after this.
        made_to_ns: It was made before this.
        seen_from_ns: It could be seen there after this.
        seen_to_ns: It could be seen there before this; None if it never was.
    """

    origin: str
    seen_at: str
    made_from_ns: int
    made_to_ns: int
    seen_from_ns: int
    seen_to_ns: int | None

    @property
    def low_ms(self) -> float:
        """It was at least so late."""
        return max(0, self.seen_from_ns - self.made_to_ns) / 1e6

    @property
    def high_ms(self) -> float | None:
        """It was at most so late; None if it was never seen."""
        return None if self.seen_to_ns is None else (self.seen_to_ns - self.made_from_ns) / 1e6


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Between which bounds the quantiles of a lag lie; milliseconds, (low, high).

    Args:
        count: How many samples were seen in the end.
        unseen: How many never were.
        p50_ms: The median.
        p95_ms: The 95th percentile.
        p99_ms: The 99th percentile.
        max_ms: The longest.
    """

    count: int
    unseen: int
    p50_ms: tuple[float, float]
    p95_ms: tuple[float, float]
    p99_ms: tuple[float, float]
    max_ms: tuple[float, float]


def quantiles(samples: Sequence[LagSample]) -> Quantiles:
    """Bounds of the quantiles of the samples that were seen.

    The quantile of the true lags lies between the same quantile of what each is at least and of
    what each is at most.

    Raises:
        ValueError: None was seen.
    """
    seen = [(one.low_ms, one.high_ms) for one in samples if one.high_ms is not None]
    if not seen:
        raise ValueError("no sample was seen: there is no quantile")
    low, high = sorted(one[0] for one in seen), sorted(one[1] for one in seen)
    p50, p95, p99, worst = (
        (percentile(low, percent), percentile(high, percent)) for percent in (50, 95, 99, 100)
    )
    return Quantiles(len(seen), len(samples) - len(seen), p50, p95, p99, worst)


def by_link(samples: Iterable[LagSample]) -> dict[tuple[str, str], list[LagSample]]:
    """The samples by the node where they come from and the one where they are seen."""
    found: dict[tuple[str, str], list[LagSample]] = {}
    for one in samples:
        found.setdefault((one.origin, one.seen_at), []).append(one)
    return dict(sorted(found.items()))
