"""A world that stands still while its files are read."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator

from testbed.world.namespace_world import NamespaceWorld
from testbed.world.protocol import Process, WorldError

_STOP_S = 5.0
_POLL_S = 0.02
_STANDS = frozenset("TtZX")


@contextlib.asynccontextmanager
async def standing_still(world: NamespaceWorld) -> AsyncIterator[None]:
    """Stop every process of every node, and let all go on afterwards.

    Raises:
        WorldError: A node has ended, or a process did not stop.
    """
    stopped: set[Process] = set()
    try:
        await _stop(world, stopped)
        yield
    finally:
        world.signal(stopped, signal.SIGCONT)


async def _stop(world: NamespaceWorld, stopped: set[Process]) -> None:
    """Stop what runs, again and again: a process may have started another one meanwhile."""
    deadline = asyncio.get_running_loop().time() + _STOP_S
    names = [node.name for node in world.topology.nodes]
    while True:
        moving = [
            process
            for name in names
            for process in world.processes(name)
            if process.state not in _STANDS
        ]
        if not moving:
            return
        if asyncio.get_running_loop().time() > deadline:
            said = ", ".join(f"{process.command} ({process.pid})" for process in moving[:5])
            raise WorldError(f"these did not stop for the search in {_STOP_S:.0f} s: {said}")
        stopped.update(world.signal(moving, signal.SIGSTOP))
        await asyncio.sleep(_POLL_S)
