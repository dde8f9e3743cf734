"""Processes of a node while a fault looks at them: list, signal, start, ask how they are."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from faults.program import PROGRAMS, Root, select
from faults.protocol import Context, FaultError
from testbed.provision import programs
from testbed.provision.error import ProvisionError
from testbed.provision.launcher.process import RUNNING
from testbed.world.protocol import Process, WorldError

_NOTES = (
    f"cd {RUNNING} && for note in *.pid; do name=${{note%.pid}}; "
    'echo "$name $(cat "$note") $(cat "$name.state")"; done'
)

TICKS_S = os.sysconf("SC_CLK_TCK")
"""Clock ticks a second, the unit of a process's start and processor time."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A program's processes at a moment.

    Args:
        program: Its name.
        processes: All that live.
    """

    program: str
    processes: tuple[Process, ...]

    @property
    def root(self) -> Process | None:
        """The oldest process; None when there is none."""
        return min(self.processes, key=lambda p: (p.started, p.pid), default=None)


def same(one: Process, other: Process) -> bool:
    """Whether two sights are of one process, not of a later one of the same number."""
    return (one.pid, one.started) == (other.pid, other.started)


def boot_ticks() -> float:
    """Now, on the clock of ``Process.started``."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) * TICKS_S


def plain(processes: Iterable[Process]) -> list[dict[str, Any]]:
    """Processes as plain JSON, by the ids that the node itself and its logs use."""
    keep = ("inner", "command", "state", "started", "cpu_ticks")
    return [{name: getattr(process, name) for name in keep} for process in processes]


async def all_of(context: Context, node: str) -> tuple[Process, ...]:
    """Every living process of a node.

    Raises:
        FaultError: The node has ended.
    """
    try:
        found = await asyncio.to_thread(context.world.processes, node)
    except WorldError as error:
        raise FaultError(f"the processes of {node} cannot be seen: {error}") from error
    return tuple(process for process in found if process.state not in "ZX")


async def launched(context: Context, node: str) -> tuple[programs.ProgramState, ...]:
    """What the launcher started on a node, and under which pid, lower stages first.

    Raises:
        FaultError: The node cannot be asked.
    """
    try:
        return await asyncio.to_thread(programs.running, context.world, node)
    except ProvisionError as error:
        raise FaultError(f"the programs of {node} cannot be asked for: {error}") from error


async def look(context: Context, node: str, names: Iterable[str]) -> tuple[Sight, ...]:
    """The living processes of some programs of a node.

    Raises:
        FaultError: The node cannot be asked.
    """
    roots = await remembered(context, node)
    living = await all_of(context, node)
    return tuple(Sight(name, select(name, living, roots)) for name in names)


async def remembered(context: Context, node: str) -> dict[str, Root]:
    """Which process each program of a node was started as, whether or not it still lives.

    Read from where the launcher notes it, without starting a Python on the node: an injection
    should come when it is asked for.

    Raises:
        FaultError: The node cannot be asked.
    """
    try:
        done = await asyncio.to_thread(context.world.execute, node, ["sh", "-c", _NOTES])
    except WorldError as error:
        raise FaultError(f"the programs of {node} cannot be asked for: {error}") from error
    roots = {}
    for line in done.stdout.decode().splitlines():
        # A note that is just being written is not whole: its program has just been started.
        with contextlib.suppress(ValueError):
            name, pid, state = line.split(maxsplit=2)
            roots[name] = Root(int(pid), int(json.loads(state)["start"]))
    return roots


async def look_running(
    context: Context, node: str, names: Sequence[str], title: str
) -> tuple[Sight, ...]:
    """Those of some programs of a node that have living processes.

    Raises:
        FaultError: None has any, so that there is nothing to break.
    """
    found = tuple(sight for sight in await look(context, node, names) if sight.processes)
    if not found:
        raise FaultError(
            f"{title} could not be injected: no process of {', '.join(names)} runs on {node}; "
            f"see {context.world.logs / node}"
        )
    return found


async def send(context: Context, processes: Iterable[Process], number: int) -> None:
    """Send a signal to processes; those that have ended are left out.

    Raises:
        FaultError: The kernel refused.
    """
    chosen = tuple(processes)
    try:
        await asyncio.to_thread(context.world.signal, chosen, number)
    except OSError as error:
        raise FaultError(
            f"signal {number} was refused ({error.strerror}): run as the user that made the world"
        ) from error


async def start(context: Context, node: str, program: str) -> None:
    """Start a program as it was provisioned, unless it runs.

    Raises:
        FaultError: It could not be started.
    """
    try:
        await asyncio.to_thread(programs.start, context.world, node, program, wait=False)
    except ProvisionError as error:
        raise FaultError(f"{program} on {node} could not be started again: {error}") from error


def runs_on(context: Context, node: str) -> tuple[str, ...]:
    """The programs that a fault may break on a node, supervisors before what they supervise."""
    groups = context.world.topology.node(node).groups
    present = [program for program in PROGRAMS.values() if not groups.isdisjoint(program.groups)]
    return tuple(p.name for p in sorted(present, key=lambda p: bool(p.supervisor)))
