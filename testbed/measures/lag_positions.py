"""Lag by log positions: when a node has replayed or applied what another one had written.

An origin's log grew between two looks at it; what it grew by was made between them. Another node
lacks some of it as long as it is not past the end of what was there before, and has all of it from
the end of the growth on.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from testbed.measures.lag_recording import Recording, Track
from testbed.measures.lag_sample import LagSample

StreamOf = Callable[[str], str | None]
"""The name of the stream that applies a node's log elsewhere; None where standbys replay it."""


def position_lags(recorded: Recording, stream_of: StreamOf) -> tuple[LagSample, ...]:
    """Every growth of every primary's log at every other node.

    Args:
        recorded: What was recorded.
        stream_of: See ``StreamOf``.
    """
    found: list[LagSample] = []
    for origin, looks in recorded.looks.items():
        tracks: dict[tuple[str, int], Track] = {}
        for earlier, later in pairwise(looks):
            grew = later.lsn > earlier.lsn and earlier.timeline == later.timeline
            if not (earlier.primary and later.primary and grew):
                continue
            for node in recorded.nodes:
                if node == origin:
                    continue
                key = (node, later.timeline)
                if key not in tracks:
                    tracks[key] = recorded.track(origin, node, stream_of(origin), later.timeline)
                without = tracks[key].without(earlier.lsn + 1)
                found.append(
                    LagSample(
                        origin,
                        node,
                        earlier.before_ns,
                        later.after_ns,
                        earlier.before_ns if without is None else without,
                        tracks[key].having(later.lsn),
                    )
                )
    return tuple(found)
