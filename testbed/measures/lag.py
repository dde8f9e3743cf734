"""Lag: the distribution of a latency of visibility from each place to each other one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from testbed.measures.latency import percentile
from testbed.measures.visibility import Visibility


@dataclass(frozen=True, slots=True)
class Lag:
    """The distribution of one latency from one place to another.

    Args:
        origin: Where writes were acknowledged.
        seen_at: Where they were read.
        count: How many writes were seen there.
        unseen: How many never were, or not to the end.
        p50_ms: The median.
        p95_ms: The 95th percentile.
        p99_ms: The 99th percentile.
        max_ms: The longest.
    """

    origin: str
    seen_at: str
    count: int
    unseen: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


def lags(
    found: Iterable[Visibility],
    latency: Callable[[Visibility], float | None],
    place: Callable[[str], str] = str,
) -> tuple[Lag, ...]:
    """The distribution of a latency, by origin and place of reading.

    Args:
        found: As :func:`visibilities` gives them.
        latency: Which latency, in milliseconds: ``first_ms_max``, ``stable_ms``.
        place: The place of a node, for example its region.
    """
    by_link: dict[tuple[str, str], list[float | None]] = {}
    for one in found:
        by_link.setdefault((place(one.origin), place(one.node)), []).append(latency(one))
    return tuple(
        _lag(origin, seen_at, by_link[origin, seen_at]) for origin, seen_at in sorted(by_link)
    )


def _lag(origin: str, seen_at: str, all_: Sequence[float | None]) -> Lag:
    known = sorted(one for one in all_ if one is not None)
    ranks = [percentile(known, percent) if known else 0.0 for percent in (50, 95, 99, 100)]
    return Lag(origin, seen_at, len(known), len(all_) - len(known), *ranks)
