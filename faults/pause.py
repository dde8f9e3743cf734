"""Pausing programs of a node: what process and node pauses have in common."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence

from faults import processes
from faults.deadline import look_until
from faults.holds import PausedProgram, StoppedProcess
from faults.protocol import Context, Evidence, FaultError
from faults.working import STOPPED, await_working
from testbed.world.protocol import Process

STOP_S = 3.0
EFFECT_S = 5.0
IDLE_S = 0.3
"""How long a stopped program is watched for processor time."""


class Pause:
    """Programs of one node that are stopped together by one fault.

    Args:
        title: The fault's, for errors and evidence.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._node = ""
        self._names: tuple[str, ...] = ()
        self._everything = False
        self._stopped: tuple[StoppedProcess, ...] = ()
        self._held: list[StoppedProcess | PausedProgram] = []

    async def inject(
        self, context: Context, node: str, names: Sequence[str], *, everything: bool
    ) -> None:
        """Stop programs with SIGSTOP until every process of theirs is stopped.

        Args:
            context: As for the fault.
            node: Where.
            names: Which, supervisors first.
            everything: Also every other process of the node.

        Raises:
            FaultError: None of them runs, or one did not stop.
        """
        sights = await processes.look_running(context, node, names, self._title)
        self._node, self._everything = node, everything
        self._names = tuple(sight.program for sight in sights)
        async with context.holds.lock:
            paused = [PausedProgram(node, name) for name in self._names]
            context.holds.take(paused)
            self._held += paused
            await self._stop(context)

    async def effect(self, context: Context) -> Evidence:
        """Show that every process is stopped and uses no processor time."""

        async def look() -> list[Process]:
            return await self._mine(context)

        before = await look_until(look, self._all_stopped, limit_s=EFFECT_S)
        await asyncio.sleep(IDLE_S)
        after = await look()
        used = sum(p.cpu_ticks for p in after) - sum(p.cpu_ticks for p in before)
        states = ", ".join(sorted({process.state for process in after})) or "none"
        used_ms = used * 1000 / processes.TICKS_S
        return Evidence(
            self._title,
            "effect",
            self._all_stopped(before) and self._all_stopped(after) and used == 0,
            f"{len(after)} of {len(self._stopped)} processes on {self._node} "
            f"({', '.join(self._names)}) are in state {states}; they used {used_ms:.0f} ms of "
            f"processor time in {IDLE_S:g} s",
            {"node": self._node, "before": processes.plain(before), "now": processes.plain(after)},
        )

    async def heal(self, context: Context) -> None:
        """Continue what no other fault holds. Idempotent.

        Raises:
            FaultError: The kernel refused.
        """
        async with context.holds.lock:
            free = set(context.holds.only_mine(self._held))
            if free:
                mine = await self._mine(context)
                chosen = [one for one in mine if _identity(one) in free]
                await processes.send(context, chosen, signal.SIGCONT)
            context.holds.drop(self._held)
            self._held = []

    async def absence(self, context: Context) -> Evidence:
        """Show that no process is stopped any more and that each program answers."""
        if self._held:
            return Evidence(self._title, "absence", False, "it has not been healed")
        seen = await await_working(context, self._node, self._names)
        return Evidence(
            self._title,
            "absence",
            bool(seen) and all(one.shown for one in seen),
            "; ".join(one.sentence for one in seen) or "nothing was stopped",
            {"node": self._node, "programs": {one.sight.program: one.plain() for one in seen}},
        )

    async def _stop(self, context: Context) -> None:
        """Stop, and stop again what was forked meanwhile, until all are stopped."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + STOP_S
        while True:
            targets = await self._targets(context)
            known = set(self._stopped)
            new = [each for each in map(_identity, targets) if each not in known]
            context.holds.take(new)
            self._held += new
            self._stopped += tuple(new)
            moving = [process for process in targets if process.state not in STOPPED]
            if not moving:
                return
            if loop.time() > deadline:
                listed = ", ".join(process.command for process in moving)
                raise FaultError(
                    f"{self._title} could not be injected: {listed} on {self._node} did not stop "
                    f"within {STOP_S:.0f} s"
                )
            await processes.send(context, moving, signal.SIGSTOP)
            await asyncio.sleep(0.01)

    async def _targets(self, context: Context) -> Sequence[Process]:
        if self._everything:
            return await processes.all_of(context, self._node)
        sights = await processes.look(context, self._node, self._names)
        return [process for sight in sights for process in sight.processes]

    async def _mine(self, context: Context) -> list[Process]:
        """Those that this fault stopped and that still live."""
        stopped = set(self._stopped)
        living = await processes.all_of(context, self._node) if self._node else ()
        return [process for process in living if _identity(process) in stopped]

    def _all_stopped(self, found: Sequence[Process]) -> bool:
        return len(found) == len(self._stopped) > 0 and all(p.state in STOPPED for p in found)


def _identity(process: Process) -> StoppedProcess:
    return StoppedProcess(process.pid, process.started)
