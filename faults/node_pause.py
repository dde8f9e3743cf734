"""Node pause: everything on a node stands still, as in a stall of a virtual machine."""

from __future__ import annotations

from typing import ClassVar

from faults.manual import Manual
from faults.pause import Pause
from faults.processes import runs_on
from faults.protocol import Context, Evidence, Fault
from faults.target import TargetKind


class NodePause(Fault):
    """Sends SIGSTOP to every process of a node; SIGCONT heals.

    Args:
        target: A node, or ``role:ROLE``.
    """

    kind: ClassVar[str] = "node-pause"
    manual: ClassVar[Manual] = Manual(
        summary="Stops every process of a node (SIGSTOP) until the heal (SIGCONT).",
        target=TargetKind.NODE,
        parameters=(),
        effect=(
            "`/proc` shows every process of the node in state T, and none of them uses processor "
            "time for 0.3 s."
        ),
        absence=(
            "No process of the node's programs is in state T, and each program answers for itself "
            "within 30 s."
        ),
        side_effects=(
            "The node's kernel lives on: it acknowledges packets and accepts connections that "
            "nobody answers. Its clock runs on too, so that timers find that they are overdue. The "
            "region's observer stops with its node: links from and to the region are not measured."
        ),
    )

    def __init__(self, target: str) -> None:
        self.target = target
        self._pause = Pause(self.title)

    async def inject(self, context: Context) -> None:
        """Stop everything on the node."""
        node = await context.resolve(self.target)
        await self._pause.inject(context, node, runs_on(context, node), everything=True)

    async def effect(self, context: Context) -> Evidence:
        """The processes are stopped."""
        return await self._pause.effect(context)

    async def heal(self, context: Context) -> None:
        """Continue everything."""
        await self._pause.heal(context)

    async def absence(self, context: Context) -> Evidence:
        """The programs go on and answer."""
        return await self._pause.absence(context)
