"""When clients were served again: the truth behind "mitigated"."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from testbed.history.history import History

WAITED_NS = 1_000_000_000
"""A shorter wait is nothing that anybody could have mitigated."""


def served_again_ns(
    history: History,
    writes: Iterable[str],
    regions: Iterable[str],
    *,
    from_ns: int,
    end_ns: int,
) -> int | None:
    """When the last wait of any region's clients had ended.

    Every region counts, those too that a fault cut off: their clients wait as well.

    Args:
        history: What clients saw.
        writes: The functions whose acknowledgement is service.
        regions: Whose clients.
        from_ns: The first inject.
        end_ns: The end of the load.

    Returns:
        Nanoseconds since the run began; ``from_ns`` when nobody ever waited, None when a region
        was not served again.

    Raises:
        HistoryError: The history cannot be paired.
    """
    acknowledged = [
        (pair.region, pair.end_ns)
        for pair in history.of(frozenset(writes), "ok")
        if pair.end_ns is not None and from_ns <= pair.end_ns <= end_ns
    ]
    latest = from_ns
    for region in regions:
        times = sorted(time for where, time in acknowledged if where == region)
        for before, after in pairwise([from_ns, *times, end_ns]):
            if after - before > WAITED_NS:
                if after == end_ns:
                    return None
                latest = max(latest, after)
    return latest
