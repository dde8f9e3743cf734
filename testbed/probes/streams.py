"""Replication streams as the testbed observes them: who follows whom, and how far behind.

A lag in bytes is the servers' own word. A lag in time is counted on the observer's clock: since
when the sender has had something that the receiver lacks. It needs no clock of any node and no
heartbeat, and it goes on growing for a receiver that does not answer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stream:
    """Replication from one node to another.

    Args:
        sender: The node that sends, or that should; empty when nobody is known to.
        receiver: The node that receives.
        running: Whether it streams.
        synchronous: How the sender counts it: ``sync``, ``async``, ...; empty when it does not.
        lag_bytes: What the receiver has not replayed yet; None when one of them does not answer.
        lag_ms: Since when the sender has had something that the receiver has not; None when
            nobody can tell.
    """

    sender: str
    receiver: str
    running: bool
    synchronous: str = ""
    lag_bytes: int | None = None
    lag_ms: float | None = None


class Positions:
    """Where a log ended when, for turning places in it into times.

    Args:
        kept: How many places are remembered; of an older one only a smaller lag can be told.
    """

    def __init__(self, kept: int = 20_000) -> None:
        self._places: deque[tuple[float, int]] = deque(maxlen=kept)
        self._writer = ""

    def see(self, writer: str, position: int, now_ms: float) -> None:
        """Remember that the log of a node ended at a place; another node's log begins anew."""
        if writer != self._writer:
            self._writer = writer
            self._places.clear()
        if not self._places or position > self._places[-1][1]:
            self._places.append((now_ms, position))

    def forget(self, positions: Iterable[int]) -> None:
        """Drop what every one of these places is beyond."""
        lowest = min(positions, default=0)
        while len(self._places) > 1 and self._places[1][1] <= lowest:
            self._places.popleft()

    def lag_ms(self, position: int, now_ms: float) -> float | None:
        """Since when the log has had more than a place; None when no log is known."""
        if not self._places:
            return None
        for seen_ms, end in self._places:
            if end > position:
                return now_ms - seen_ms
        return 0.0
