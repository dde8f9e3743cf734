"""The load: open-loop clients in every region, every call journalled before and after.

Arrivals come at fixed times, whatever the system does: a stall is measured as a stall, since the
operations that were due meanwhile are sent late (and say so), or are recorded as never sent.
The cost of a closed loop is described as coordinated omission by Gil Tene.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from testbed.clients.protocol import Client, Endpoint, Invocation
from testbed.runner.plan import Load
from testbed.runner.recorder import Recorder
from testbed.workloads.protocol import Workload

Connect = Callable[[Endpoint], Client]


@dataclass(slots=True)
class _Process:
    number: int
    client: Client


class Pool:
    """The client processes of one region at one endpoint.

    Args:
        endpoint: Where they enter.
        size: How many operations may be under way at once.
        patience_ns: How long an operation may wait for a free process before it is shed.
        connect: Makes a client.
        recorder: Performs and journals.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        size: int,
        patience_ns: int,
        connect: Connect,
        recorder: Recorder,
    ) -> None:
        self._endpoint = endpoint
        self._size = size
        self._patience_ns = patience_ns
        self._connect = connect
        self._recorder = recorder
        self._idle: list[_Process] = []
        self._busy: set[asyncio.Task[None]] = set()
        self._waiting: deque[tuple[Invocation, int]] = deque()
        self._shedder = recorder.process()
        self._failure: BaseException | None = None

    def submit(self, what: Invocation, due: int) -> None:
        """Send an operation as soon as a process is free.

        Raises:
            JournalError: An earlier operation could not be journalled.
        """
        if self._failure is not None:
            raise self._failure
        self._waiting.append((what, due))
        self._dispatch()

    def _dispatch(self) -> None:
        now = self._recorder.clock.now()
        region = self._endpoint.region
        while self._waiting and now - self._waiting[0][1] > self._patience_ns:
            what, due = self._waiting.popleft()
            self._recorder.shed(self._shedder, region, what, due)
        while self._waiting and len(self._busy) < self._size:
            what, due = self._waiting.popleft()
            process = self._free()
            task = asyncio.ensure_future(self._serve(process, what, due))
            self._busy.add(task)
            task.add_done_callback(self._served)

    def _free(self) -> _Process:
        """An idle process whose connection lives, or else a new one."""
        while self._idle:
            process = self._idle.pop()
            if not process.client.ended:
                return process
        return _Process(self._recorder.process(), self._connect(self._endpoint))

    async def _serve(self, process: _Process, what: Invocation, due: int) -> None:
        done = await self._recorder.perform(
            process.client, process.number, self._endpoint.region, what, due
        )
        if done.type == "info" or process.client.ended:
            # Its operation may still take effect: a process is never used again after that. Nor
            # is one whose connection ended: a process is one connection.
            await process.client.close()
        else:
            self._idle.append(process)

    def _served(self, task: asyncio.Task[None]) -> None:
        self._busy.discard(task)
        if task.cancelled():
            return
        if task.exception() is not None:
            self._failure = task.exception()
        else:
            self._dispatch()

    async def drain(self) -> None:
        """Shed what waits, let what is under way end, close every connection.

        Raises:
            JournalError: A line could not be written.
        """
        for what, due in self._waiting:
            self._recorder.shed(self._shedder, self._endpoint.region, what, due)
        self._waiting.clear()
        if self._busy:
            done, _ = await asyncio.wait(self._busy)
            for task in done:
                task.result()
        for process in self._idle:
            await process.client.close()
        self._idle.clear()


async def generate(
    load: Load,
    workload: Workload,
    endpoints: tuple[Endpoint, ...],
    connect: Connect,
    *,
    recorder: Recorder,
    seed: int,
    duration_s: float,
    enough: asyncio.Event | None = None,
) -> None:
    """Run the load in every region for a time, then wait for what is under way.

    Args:
        load: What the clients do.
        workload: Makes their operations.
        endpoints: Where they enter.
        connect: Makes the client of an endpoint.
        recorder: Performs and journals.
        seed: Of every draw.
        duration_s: How long.
        enough: Ends it earlier, where the end is not known beforehand.

    Raises:
        JournalError: A line could not be written; the load stops.
    """
    regions = sorted({endpoint.region for endpoint in endpoints})
    async with asyncio.TaskGroup() as group:
        for number, region in enumerate(regions):
            pools = {
                endpoint.name: Pool(
                    endpoint, load.processes, load.timeout_ms * 1_000_000, connect, recorder
                )
                for endpoint in endpoints
                if endpoint.region == region
            }
            stream = workload.stream(region, random.Random(f"{seed}/{region}"))  # noqa: S311 - reproducible
            offset = number / len(regions)
            group.create_task(
                _arrive(
                    load,
                    stream,
                    pools,
                    recorder=recorder,
                    offset=offset,
                    duration_s=duration_s,
                    enough=enough,
                )
            )


async def _arrive(
    load: Load,
    stream: Iterator[Invocation],
    pools: dict[str, Pool],
    *,
    recorder: Recorder,
    offset: float,
    duration_s: float,
    enough: asyncio.Event | None,
) -> None:
    """Submit one region's operations at their times; regions are out of step by ``offset``."""
    interval_ns = 1e9 / load.rate_ops_s
    start = recorder.clock.now() + int(offset * interval_ns)
    for number in range(int(duration_s * load.rate_ops_s)):
        if enough is not None and enough.is_set():
            break
        due = start + int(number * interval_ns)
        await recorder.clock.until(due)
        what = next(stream)
        pools[what.endpoint].submit(what, due)
    for pool in pools.values():
        await pool.drain()
