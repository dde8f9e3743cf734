"""What a run does around its load: wait for steady state, set up, see recovery, read the end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from testbed.clients.protocol import Completion, Endpoint, Invocation
from testbed.probes.protocol import Probe
from testbed.runner.announcer import Announcer
from testbed.runner.patient import Connect, ImpatientError, Patient, succeeded
from testbed.runner.progress import Phase
from testbed.runner.recorder import Recorder
from testbed.workloads.marker import mark, marked

_STEADY_POLL_S = 0.25


class StageError(Exception):
    """The world is not fit to be judged; the message says what was missing and for how long."""


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
            async with Patient(connect, endpoints, recorder) as client:
                await client.perform(what, limit_s=limit_s, wanted=wanted)
        except ImpatientError:
            return False
        return True

    async def follow(number: int, endpoints: tuple[Endpoint, ...]) -> None:
        if await perform(endpoints, mark(number), succeeded):
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
        with contextlib.suppress(ImpatientError):
            async with Patient(connect, (node,), recorder) as client:
                for what in reads:
                    await client.perform(what, limit_s=limit_s)

    await asyncio.gather(*(read(node) for node in nodes))
