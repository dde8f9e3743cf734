"""Killing programs of a node: what process and node kills have in common."""

from __future__ import annotations

import asyncio
import itertools
import signal
from collections.abc import Sequence

from faults import processes
from faults.deadline import look_until
from faults.holds import DownProgram
from faults.processes import Sight, same
from faults.program import PROGRAMS, healthy
from faults.protocol import Context, Evidence, FaultError
from faults.working import await_working
from testbed.world.protocol import Process

GONE_S = 5.0
BETWEEN_STAGES_S = 10.0


class Kill:
    """Programs of one node that are killed together by one fault.

    Args:
        title: The fault's, for errors and evidence.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._node = ""
        self._names: tuple[str, ...] = ()
        self._held: tuple[DownProgram, ...] = ()
        self._owed: set[str] = set()
        self._victims: tuple[Process, ...] = ()
        self._killed_ticks = 0.0

    async def inject(
        self, context: Context, node: str, names: Sequence[str], *, everything: bool
    ) -> None:
        """Kill programs with SIGKILL.

        Args:
            context: As for the fault.
            node: Where.
            names: Which, supervisors first.
            everything: Also every other process of the node.

        Raises:
            FaultError: None of them runs, or one did not end.
        """
        sights = await processes.look_running(context, node, names, self._title)
        self._node = node
        self._names = tuple(sight.program for sight in sights)
        self._victims = tuple(process for sight in sights for process in sight.processes)
        async with context.holds.lock:
            self._held = tuple(DownProgram(node, name) for name in self._names)
            context.holds.take(self._held)
        self._killed_ticks = processes.boot_ticks()
        await processes.send(context, self._victims, signal.SIGKILL)
        if everything:
            await self._clear(context)
        if await self._survivors(context):
            raise FaultError(
                f"{self._title}: a process on {node} survived SIGKILL for {GONE_S:.0f} s: it hangs "
                f"in the kernel; end the world with `testbed down`"
            )

    async def effect(self, context: Context) -> Evidence:
        """Show that every process that was to be killed is gone, and what runs in its place."""
        survivors = await self._survivors(context)
        sights = await processes.look(context, self._node, self._names)
        after_s = (processes.boot_ticks() - self._killed_ticks) / processes.TICKS_S
        told = (
            f"{len(self._victims)} processes of {', '.join(self._names)} on {self._node} were "
            f"killed, {len(survivors)} of them live after {after_s:.2f} s"
        )
        return Evidence(
            self._title,
            "effect",
            bool(self._victims) and not survivors,
            "; ".join([told, *map(self._successor, sights)]),
            {
                "node": self._node,
                "killed": processes.plain(self._victims),
                "now": {sight.program: processes.plain(sight.processes) for sight in sights},
            },
        )

    async def heal(self, context: Context) -> None:
        """Start what was killed, lower stages first, unless another fault holds it down.

        What a supervisor starts is left to it. Idempotent.

        Raises:
            FaultError: A program could not be started; the others are started all the same, and
                another heal tries it again.
        """
        async with context.holds.lock:
            free = {part.program for part in context.holds.only_mine(self._held)}
            # What has a supervisor is started by it.
            self._owed |= {name for name in free if not PROGRAMS[name].supervisor}
            context.holds.drop(self._held)
            self._held = ()
        if not self._owed:
            return
        failures: list[str] = []
        owed = [s for s in await processes.launched(context, self._node) if s.name in self._owed]
        for _, stage in itertools.groupby(owed, key=lambda state: state.stage):
            names = [state.name for state in stage]
            failures += await self._start(context, names)
            if self._owed - set(names):
                await asyncio.gather(*(self._settle(context, name) for name in names))
        if failures:
            raise FaultError(f"{self._title} could not be healed: {'; '.join(failures)}")

    async def absence(self, context: Context) -> Evidence:
        """Show that each program runs in new processes and answers for itself."""
        if self._held:
            return Evidence(self._title, "absence", False, "it has not been healed")
        seen = await await_working(context, self._node, self._names, self._victims)
        told = [
            f"{one.sentence}, after {gone_s} s without one"
            if (gone_s := self._gone_s(one.sight)) is not None and not one.held
            else one.sentence
            for one in seen
        ]
        return Evidence(
            self._title,
            "absence",
            bool(seen) and all(one.shown for one in seen),
            "; ".join(told) or "nothing was killed",
            {
                "node": self._node,
                "programs": {
                    one.sight.program: {**one.plain(), "gone_s": self._gone_s(one.sight)}
                    for one in seen
                },
            },
        )

    async def _start(self, context: Context, names: Sequence[str]) -> list[str]:
        """Start programs at once; why some were not."""
        starts = (processes.start(context, self._node, name) for name in names)
        failures = []
        for name, outcome in zip(
            names, await asyncio.gather(*starts, return_exceptions=True), strict=True
        ):
            if outcome is None:
                self._owed.discard(name)
            elif isinstance(outcome, FaultError):
                failures.append(str(outcome))
            else:
                raise outcome
        return failures

    async def _clear(self, context: Context) -> None:
        """Kill what else runs on the node, and what was forked meanwhile, until nothing does."""

        async def sweep() -> int:
            living = await processes.all_of(context, self._node)
            await processes.send(context, living, signal.SIGKILL)
            return len(living)

        await look_until(sweep, lambda living: living == 0, limit_s=GONE_S, every_s=0.01)

    async def _survivors(self, context: Context) -> list[Process]:
        async def look() -> list[Process]:
            living = await processes.all_of(context, self._node)
            return [one for one in self._victims if any(same(one, other) for other in living)]

        return await look_until(look, lambda alive: not alive, limit_s=GONE_S, every_s=0.05)

    async def _settle(self, context: Context, name: str) -> None:
        """Give what others build on a while to answer; nothing is lost if it does not."""

        async def look() -> bool:
            return await healthy(name, context.world.topology.node(self._node))

        await look_until(look, bool, limit_s=BETWEEN_STAGES_S)

    def _gone_s(self, sight: Sight) -> float | None:
        """From the kill to the start of its first process; None when none runs."""
        if sight.root is None:
            return None
        return round(max(0.0, sight.root.started - self._killed_ticks) / processes.TICKS_S, 2)

    def _successor(self, sight: Sight) -> str:
        if sight.root is None:
            return f"no {sight.program} runs"
        return f"{sight.program} runs again as pid {sight.root.inner} after {self._gone_s(sight)} s"
