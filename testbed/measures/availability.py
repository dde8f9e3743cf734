"""Availability over time: by region and kind of operation, in buckets of equal length."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from testbed.history.history import History, Pair
from testbed.measures.load import Load, tally


@dataclass(frozen=True, slots=True)
class Series:
    """One region's operations of one kind, bucket by bucket.

    Args:
        region: Whose clients.
        kind: The kind of operation, as the caller names it.
        buckets: One after the other with no gap, from the first due operation of the history on.
    """

    region: str
    kind: str
    buckets: tuple[Load, ...]


def availability(
    history: History, kinds: Mapping[str, Iterable[str]], bucket_ms: float = 1000.0
) -> tuple[Series, ...]:
    """What became of the operations due in each bucket of time.

    Args:
        history: What clients saw.
        kinds: The functions of each kind, for example ``{"write": ("add",)}``.
        bucket_ms: Length of a bucket.

    Returns:
        A series for each region and kind that occur, by name; all over the same buckets.

    Raises:
        HistoryError: The history cannot be paired.
        ValueError: ``bucket_ms`` is not positive.
    """
    if bucket_ms <= 0:
        raise ValueError(f"bucket_ms must be positive, not {bucket_ms}")
    kind_of = {f: kind for kind, functions in kinds.items() for f in functions}
    chosen = [pair for pair in history.of(kind_of) if pair.region is not None]
    if not chosen:
        return ()
    width = max(1, int(bucket_ms * 1e6))
    start = min(pair.due_ns for pair in chosen)
    count = (max(pair.due_ns for pair in chosen) - start) // width + 1
    filled: dict[tuple[str, str], list[list[Pair]]] = defaultdict(
        lambda: [[] for _ in range(count)]
    )
    for pair in chosen:
        series = filled[str(pair.region), kind_of[pair.f]]
        series[(pair.due_ns - start) // width].append(pair)
    return tuple(
        Series(
            region,
            kind,
            tuple(
                tally(bucket, start + place * width, start + (place + 1) * width)
                for place, bucket in enumerate(buckets)
            ),
        )
        for (region, kind), buckets in sorted(filled.items())
    )
