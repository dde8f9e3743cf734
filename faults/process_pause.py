"""Process pause: a program of a node stands still, as in a long stall of its host."""

from __future__ import annotations

from typing import ClassVar

from faults.manual import Manual
from faults.pause import Pause
from faults.protocol import Context, Evidence, Fault
from faults.target import TargetKind, resolve_program


class ProcessPause(Fault):
    """Sends SIGSTOP to every process of a program; SIGCONT heals.

    Args:
        target: ``NODE/PROGRAM``.
    """

    kind: ClassVar[str] = "process-pause"
    manual: ClassVar[Manual] = Manual(
        summary="Stops every process of a program of a node (SIGSTOP) until the heal (SIGCONT).",
        target=TargetKind.PROGRAM,
        parameters=(),
        effect=(
            "`/proc` shows every process of the program in state T, and none of them uses "
            "processor time for 0.3 s."
        ),
        absence=(
            "No process of the program is in state T, and it answers for itself (PostgreSQL "
            "accepts a connection, the others answer 200 to an HTTP request) within 30 s."
        ),
        side_effects=(
            "The kernel still accepts connections for a stopped program until its queue is full: "
            "they open and are not answered. After the heal timers find that they are overdue."
        ),
    )

    def __init__(self, target: str) -> None:
        self.target = target
        self._pause = Pause(self.title)

    async def inject(self, context: Context) -> None:
        """Stop the program."""
        found = await resolve_program(self.target, context.resolve)
        await self._pause.inject(context, found.node, [found.program], everything=False)

    async def effect(self, context: Context) -> Evidence:
        """The processes are stopped."""
        return await self._pause.effect(context)

    async def heal(self, context: Context) -> None:
        """Continue the program."""
        await self._pause.heal(context)

    async def absence(self, context: Context) -> Evidence:
        """The program goes on and answers."""
        return await self._pause.absence(context)
