"""Whether the programs of a node work again after a fault."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from faults import processes
from faults.deadline import look_until
from faults.processes import Sight, same
from faults.program import PROGRAMS, healthy
from faults.protocol import Context
from testbed.world.protocol import Process

POLL_S = 0.3
SIGHT_S = 5.0
STOPPED = frozenset("tT")


@dataclass(frozen=True, slots=True)
class Working:
    """A program after a fault.

    Args:
        sight: Its processes now.
        healthy: Whether it answers for itself.
        held: Whether another fault keeps it, or its supervisor, from working.
        old: Whether one of its processes is of those that were to end.
    """

    sight: Sight
    healthy: bool
    held: bool
    old: bool

    @property
    def shown(self) -> bool:
        """True when it works, or is not to because of another fault."""
        states = {process.state for process in self.sight.processes}
        works = bool(states) and not states & STOPPED and self.healthy and not self.old
        return self.held or works

    @property
    def sentence(self) -> str:
        """How it is, for people."""
        name = self.sight.program
        if self.held:
            return f"{name} is held by another fault"
        root = self.sight.root
        if root is None:
            return f"no process of {name} runs"
        states = "".join(sorted(process.state for process in self.sight.processes))
        answers = "answers" if self.healthy else "does not answer"
        number = len(self.sight.processes)
        return f"{name} {answers}; its {number} processes (pid {root.inner}) are in state {states}"

    def plain(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "processes": processes.plain(self.sight.processes),
            "healthy": self.healthy,
            "held_by_another_fault": self.held,
        }


async def await_working(
    context: Context, node: str, names: Sequence[str], former: Sequence[Process] = ()
) -> list[Working]:
    """The programs of a node once all of them work, or their time is over.

    Args:
        context: As for the fault.
        node: Where.
        names: Which programs.
        former: Processes that must not be among theirs.

    Raises:
        FaultError: The node cannot be asked.
    """
    limit_s = max((PROGRAMS[name].recovery_s for name in names), default=0.0)

    async def ask() -> list[bool]:
        asked = (_healthy_or_held(context, node, name) for name in names)
        return list(await asyncio.gather(*asked))

    # Asking costs less than looking: the processes are looked at when there is something to see.
    await look_until(ask, all, limit_s=limit_s, every_s=POLL_S)

    async def look() -> list[Working]:
        sights = await processes.look(context, node, names)
        return [
            Working(
                sight=sight,
                healthy=await healthy(sight.program, context.world.topology.node(node)),
                held=_held(context, node, sight.program),
                old=any(same(now, then) for now in sight.processes for then in former),
            )
            for sight in sights
        ]

    return await look_until(
        look, lambda found: all(one.shown for one in found), limit_s=SIGHT_S, every_s=POLL_S
    )


async def _healthy_or_held(context: Context, node: str, name: str) -> bool:
    return _held(context, node, name) or await healthy(name, context.world.topology.node(node))


def _held(context: Context, node: str, name: str) -> bool:
    supervisor = PROGRAMS[name].supervisor
    return context.holds.disturbed(node, name) or (
        bool(supervisor) and context.holds.disturbed(node, supervisor)
    )
