"""Was the machine fast enough for its figures to mean anything?

Two readings that every kernel has: how late the runner's own event loop wakes, and how long it
was runnable but had no CPU (the second figure of ``/proc/self/schedstat``). Pressure stall
information is switched off in many kernels, so it is not needed.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

_SCHEDSTAT = Path("/proc/self/schedstat")


@dataclass(frozen=True, slots=True)
class Pressure:
    """How starved the runner was.

    Args:
        lateness_ms_p50: Median lateness of the event loop's wake-ups.
        lateness_ms_p99: The 99th percentile.
        lateness_ms_max: The worst.
        waited_share: Part of the time that the runner was runnable without a CPU, 0 to 1.
        samples: Number of wake-ups measured.
    """

    lateness_ms_p50: float
    lateness_ms_p99: float
    lateness_ms_max: float
    waited_share: float
    samples: int


class PressureGauge:
    """Measures while it runs as a task.

    Args:
        interval_s: Between two wake-ups.
    """

    def __init__(self, interval_s: float = 0.02) -> None:
        self._interval_s = interval_s
        self._lateness_ns: list[int] = []
        self._started_ns = time.monotonic_ns()
        self._waited_ns = _waited_ns()

    async def run(self) -> None:
        """Measure until cancelled."""
        interval_ns = int(self._interval_s * 1e9)
        while True:
            before = time.monotonic_ns()
            await asyncio.sleep(self._interval_s)
            self._lateness_ns.append(max(0, time.monotonic_ns() - before - interval_ns))

    def reading(self) -> Pressure:
        """What was measured so far."""
        ordered = sorted(self._lateness_ns) or [0]
        elapsed_ns = max(1, time.monotonic_ns() - self._started_ns)
        return Pressure(
            lateness_ms_p50=_milliseconds(ordered[len(ordered) // 2]),
            lateness_ms_p99=_milliseconds(ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]),
            lateness_ms_max=_milliseconds(ordered[-1]),
            waited_share=round((_waited_ns() - self._waited_ns) / elapsed_ns, 4),
            samples=len(self._lateness_ns),
        )


def _waited_ns() -> int:
    try:
        return int(_SCHEDSTAT.read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0


def _milliseconds(nanoseconds: int) -> float:
    return round(nanoseconds / 1e6, 3)
