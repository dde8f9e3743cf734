"""Shows how far long work is: a bar with an estimate on a terminal, lines in a log."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import Protocol, TextIO

_LINE_EVERY_S = 15.0


class Task(Protocol):
    """One piece of work that goes on."""

    def update(self, done: int, total: int, doing: str) -> None:
        """Say how far it is: ``done`` of about ``total`` steps, and what it does now."""


class Progress(Protocol):
    """Where progress is shown."""

    def say(self, sentence: str) -> None:
        """One sentence that stays."""

    def task(self, title: str) -> contextlib.AbstractContextManager[Task]:
        """Show a piece of work for as long as the context lasts."""


def remaining_s(elapsed_s: float, done: int, total: int) -> float | None:
    """Seconds that are left if the rest goes as the part that is done; None while unknown."""
    if done <= 0 or total <= 0:
        return None
    return max(0.0, elapsed_s * (total - done) / done)


def about(seconds: float) -> str:
    """A duration in the precision that an estimate deserves."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 90:
        return f"about {round(seconds, -1):.0f} s"
    return f"about {round(seconds / 60):.0f} min"


class _LineTask:
    """A piece of work in a log."""

    def __init__(
        self, title: str, write: Callable[[str], None], clock: Callable[[], float]
    ) -> None:
        self._title, self._write, self._clock = title, write, clock
        self._began = self._last = self._doing_since = clock()
        self._doing, self._done_before = "", 0

    def update(self, done: int, total: int, doing: str) -> None:
        """Write a line when the last one is old enough."""
        now = self._clock()
        if doing != self._doing:
            # Another kind of step: its pace says nothing of the one before.
            self._doing, self._doing_since, self._done_before = doing, now, done
        if now - self._last < _LINE_EVERY_S:
            return
        self._last = now
        begun = self._done_before
        left = remaining_s(now - self._doing_since, done - begun, total - begun)
        estimate = "" if left is None else f", {about(left)} left"
        self._write(f"{self._title}: {doing}, {min(done, total)} of {total}{estimate}")


class LineProgress:
    """Plain lines, now and then, for a log.

    Args:
        stream: Where to write; standard error by default.
        clock: Seconds; a test's own or the monotonic clock.
    """

    def __init__(
        self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._clock = clock

    def say(self, sentence: str) -> None:
        """One line."""
        print(sentence, file=self._stream, flush=True)

    @contextlib.contextmanager
    def task(self, title: str) -> Iterator[Task]:
        """A line at the beginning, some on the way, one at the end."""
        began = self._clock()
        self.say(f"{title} ...")
        yield _LineTask(title, self.say, self._clock)
        self.say(f"{title}: done in {self._clock() - began:.0f} s")
