"""When somebody scraped, and the wait for the next scrapes."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterable

_REMEMBERED = 8
_TO_COME = 3
"""The last one was answered when the next one begins, and the rules are evaluated in between: of
three, two were answered for certain, and one of them may have been too late for its scraper."""

_WAIT_S_MAX = 20.0


class Scrapes:
    """The last scrapes, of whoever asks.

    Args:
        moments: When the ones before began, by the monotonic clock.
    """

    def __init__(self, moments: Iterable[float] = ()) -> None:
        self._changed = threading.Condition()
        self._moments = list(moments)

    def __len__(self) -> int:
        """How many are remembered."""
        with self._changed:
            return len(self._moments)

    def note(self) -> None:
        """One begins now."""
        with self._changed:
            self._moments = [*self._moments[1 - _REMEMBERED :], time.monotonic()]
            self._changed.notify_all()

    def await_next(self) -> None:
        """Wait for the next scrapes, if there were any; for as long as some take at their pace.

        Who has seen them is not waited for again.
        """
        with self._changed:
            if len(self._moments) < 2:
                return
            before = self._moments[-1]
            # The longest gap: a scrape that was late is close to the one after it, and what comes
            # from two scrapers comes in pairs.
            interval_s = max(later - one for one, later in itertools.pairwise(self._moments))
            deadline = time.monotonic() + min(_WAIT_S_MAX, (_TO_COME + 0.5) * interval_s)
            while sum(moment > before for moment in self._moments) < _TO_COME:
                left_s = deadline - time.monotonic()
                if left_s <= 0 or not self._changed.wait(left_s):
                    break
            self._moments = []
