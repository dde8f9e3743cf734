"""Latency: from when an operation was due to its acknowledgement.

Counted from the due time, a stall is seen by everything that was due during it; counted from
the sending, an open loop would hide it (coordinated omission).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from testbed.history.history import History


@dataclass(frozen=True, slots=True)
class Latency:
    """Percentiles of acknowledged operations.

    Args:
        count: How many there are.
        p50_ms: The median.
        p90_ms: The 90th percentile.
        p99_ms: The 99th percentile.
        max_ms: The longest.
    """

    count: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float


def latency(
    history: History,
    functions: Iterable[str],
    *,
    region: str | None = None,
    from_ns: int = 0,
    to_ns: int | None = None,
) -> Latency | None:
    """The latency of acknowledged operations that were due in a span of time.

    Args:
        history: What clients saw.
        functions: The functions that count.
        region: Whose clients; all if None.
        from_ns: The first moment.
        to_ns: The moment after the last; no end if None.

    Returns:
        The percentiles, or None if no such operation was acknowledged.

    Raises:
        HistoryError: The history cannot be paired.
    """
    took_ms = sorted(
        ((pair.end_ns or 0) - pair.due_ns) / 1e6
        for pair in history.of(functions, "ok")
        if region in (None, pair.region)
        and from_ns <= pair.due_ns
        and (to_ns is None or pair.due_ns < to_ns)
    )
    if not took_ms:
        return None
    return Latency(
        len(took_ms),
        p50_ms=percentile(took_ms, 50),
        p90_ms=percentile(took_ms, 90),
        p99_ms=percentile(took_ms, 99),
        max_ms=took_ms[-1],
    )


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The least value that at least so many percent of the values do not exceed (nearest rank).

    Args:
        ordered: Values in ascending order, at least one.
        percent: Over 0 up to 100.
    """
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
