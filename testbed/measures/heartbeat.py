"""Lag by heartbeats: when a row made at one node shows at another that is asked all the time."""

from __future__ import annotations

from bisect import bisect_left

from testbed.measures.lag_recording import Recording
from testbed.measures.lag_sample import LagSample


def heartbeat_lags(recorded: Recording) -> tuple[LagSample, ...]:
    """Every acknowledged heartbeat at every other node: O(heartbeats x nodes x log looks).

    A heartbeat shows between the last look that lacks it and the first that shows it, or a newer
    one: a stream keeps the order of its origin.
    """
    found: list[LagSample] = []
    for origin, beats in recorded.beats.items():
        for node, looks in recorded.looks.items():
            if node == origin:
                continue
            newest, shown = -1, []
            for look in looks:
                newest = max(newest, look.beats.get(origin, -1))
                shown.append(newest)
            for beat in beats:
                place = bisect_left(shown, beat.start_ns)
                without = looks[place - 1].before_ns if place else beat.start_ns
                found.append(
                    LagSample(
                        origin,
                        node,
                        beat.start_ns,
                        beat.end_ns,
                        without,
                        looks[place].after_ns if place < len(looks) else None,
                    )
                )
    return tuple(found)
