"""The run's clock: nanoseconds on the host's monotonic clock since the run began."""

from __future__ import annotations

import asyncio
import time


class Clock:
    """Counts from its making.

    Args:
        base_ns: Monotonic time of the run's beginning; now, if not given.
    """

    def __init__(self, base_ns: int | None = None) -> None:
        self.base_ns = time.monotonic_ns() if base_ns is None else base_ns

    def now(self) -> int:
        """Nanoseconds since the run began."""
        return time.monotonic_ns() - self.base_ns

    @property
    def zero_s(self) -> float:
        """The wall clock's time, in s, when this one was at 0.

        For people who read logs beside a history: nothing is judged by it.
        """
        return time.time() - self.now() / 1e9

    async def until(self, time_ns: int) -> None:
        """Wait until the clock shows a time; give way once, and no more, if it has passed."""
        await asyncio.sleep(max(0, time_ns - self.now()) / 1e9)
