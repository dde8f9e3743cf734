"""The pressure gauge sees a blocked event loop."""

from __future__ import annotations

import asyncio
import contextlib
import time

from testbed.runner.pressure import Pressure, PressureGauge


def measure(block_s: float) -> Pressure:
    async def work() -> Pressure:
        gauge = PressureGauge(interval_s=0.002)
        task = asyncio.create_task(gauge.run())
        await asyncio.sleep(0.02)
        time.sleep(block_s)  # noqa: ASYNC251 - the blocked loop is what is measured
        await asyncio.sleep(0.02)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return gauge.reading()

    return asyncio.run(work())


def test_a_blocked_loop_shows() -> None:
    pressure = measure(0.15)
    assert pressure.lateness_ms_max >= 140
    assert pressure.samples > 3


def test_percentiles_are_ordered() -> None:
    pressure = measure(0.0)
    assert 0 <= pressure.lateness_ms_p50 <= pressure.lateness_ms_p99 <= pressure.lateness_ms_max
