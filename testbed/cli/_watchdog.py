"""Ends a check that costs too much, whatever it is doing at the time."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

PERIOD_S = 0.05
GRACE_S = 1.0
"""How long a check may take to notice itself that its time is over."""

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Watchdog:
    """Watches time and memory from a thread of its own.

    Args:
        timeout_s: Seconds from now on; None for no limit.
        memory_bytes: Resident memory of the process.
        bark: Called with why it ends; then the process exits with 2.
    """

    def __init__(
        self, timeout_s: float | None, memory_bytes: int, bark: Callable[[str], None]
    ) -> None:
        self._until = time.monotonic() + (
            float("inf") if timeout_s is None else timeout_s + GRACE_S
        )
        self._timeout_s = timeout_s
        self._memory_bytes = memory_bytes
        self._bark = bark
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Watch no longer."""
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(PERIOD_S):
            why = self._why()
            if why is not None:
                self._bark(why)
                os._exit(2)

    def _why(self) -> str | None:
        if time.monotonic() > self._until:
            return f"the time of {self._timeout_s:g} s is over"
        if resident_bytes() > self._memory_bytes:
            return f"the memory of {shown_bytes(self._memory_bytes)} is used up"
        return None


def resident_bytes() -> int:
    """Memory of this process that is resident now."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE_BYTES


def free_bytes() -> int:
    """Memory of the machine that could be had now."""
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 2**62


def shown_bytes(number: int) -> str:
    """A size for people."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number} bytes"
