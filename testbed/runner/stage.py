"""What a run does around its load: wait for steady state, set up, see recovery, read the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from testbed.clients.protocol import Client, Completion, Endpoint, Invocation
from testbed.probes.protocol import Probe
from testbed.runner.announcer import Announcer
from testbed.runner.progress import Phase
from testbed.runner.recorder import Recorder
from testbed.workloads.marker import mark, marked

_POLL_S = 0.1
_STEADY_POLL_S = 0.25


class StageError(Exception):
    """The world is not fit to be judged; the message says what was missing and for how long."""


Connect = Callable[[Endpoint], Client]


async def steady(probe: Probe, limit_s: float, announcer: Announcer) -> None:
    """Wait until nothing keeps the system from steady state, twice in a row.

    Raises:
        StageError: It was not steady in time; lists what kept it from it.
    """
    announcer.tell(Phase("steady"))
    loop = asyncio.get_running_loop()
    deadline = loop.time() + limit_s
    quiet = 0
    while quiet < 2:
        problems = await probe.problems()
        quiet = quiet + 1 if not problems else 0
        if problems and loop.time() > deadline:
            listed = "; ".join(problems)
            raise StageError(
                f"the cluster was not in steady state after {limit_s:.0f} s: {listed}."
                " Look at the logs folder of the run, or raise the deployment's timers."
            )
        if quiet < 2:
            await asyncio.sleep(_STEADY_POLL_S)


async def perform_until_ok(
    connect: Connect,
    endpoints: tuple[Endpoint, ...],
    what: Invocation,
    *,
    recorder: Recorder,
    limit_s: float,
    wanted: Callable[[Completion], bool] = lambda done: done.type == "ok",
) -> Completion:
    """Perform an operation again, at each endpoint in turn, until it gives what is wanted.

    Every try is journalled, by a process of its own once one ended in ``info``.

    Raises:
        StageError: It did not in time; says what the last try got.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + limit_s
    tries = 0
    while True:
        endpoint = endpoints[tries % len(endpoints)]
        client = connect(endpoint)
        process = recorder.process()
        try:
            done = await recorder.perform(client, process, endpoint.region, what)
            while done.type == "ok" and not (
                wanted(done) or client.ended or loop.time() > deadline
            ):
                await asyncio.sleep(_POLL_S)
                done = await recorder.perform(client, process, endpoint.region, what)
        finally:
            await client.close()
        if wanted(done):
            return done
        if loop.time() > deadline:
            got = done.error or repr(done.value)
            raise StageError(
                f"'{what.f}' at {endpoint.name} had not succeeded in {limit_s:.0f} s: {got}"
            )
        tries += 1
        await asyncio.sleep(_POLL_S)


async def see_recovery(
    connect: Connect,
    writers: Sequence[tuple[Endpoint, ...]],
    nodes: tuple[Endpoint, ...],
    *,
    recorder: Recorder,
    limit_s: float,
    announcer: Announcer,
) -> None:
    """Write marks and read them at every node: what clients see of replication after the heal.

    A node that does not show a mark in time is left at that: the history says so, and the
    promise is judged from it.

    Args:
        connect: Makes the client of an endpoint.
        writers: For each log of writes, the endpoints through which a mark can be written into it:
            mark 1 into the first, and so on.
        nodes: Every node, directly.
        recorder: Records every try.
        limit_s: For writing a mark, and then for seeing it.
        announcer: Told of the phase.
    """
    announcer.tell(Phase("heal", detail="a mark written now is awaited at every node"))

    async def perform(
        endpoints: tuple[Endpoint, ...], what: Invocation, wanted: Callable[[Completion], bool]
    ) -> bool:
        try:
            await perform_until_ok(
                connect, endpoints, what, recorder=recorder, limit_s=limit_s, wanted=wanted
            )
        except StageError:
            return False
        return True

    async def follow(number: int, endpoints: tuple[Endpoint, ...]) -> None:
        if await perform(endpoints, mark(number), lambda done: done.type == "ok"):
            seen = marked(number)
            await asyncio.gather(
                *(perform((node,), seen, lambda done: done.value is True) for node in nodes)
            )

    await asyncio.gather(*(follow(number, group) for number, group in enumerate(writers, 1)))


async def read_final(
    connect: Connect,
    nodes: tuple[Endpoint, ...],
    reads: tuple[Invocation, ...],
    *,
    recorder: Recorder,
    limit_s: float,
    announcer: Announcer,
) -> None:
    """Read the end state from every node, directly.

    A read that does not succeed in time is left at that: the run is then inconclusive.
    """
    announcer.tell(Phase("final-reads"))

    async def read(node: Endpoint) -> None:
        for what in reads:
            try:
                await perform_until_ok(connect, (node,), what, recorder=recorder, limit_s=limit_s)
            except StageError:
                return

    await asyncio.gather(*(read(node) for node in nodes))
