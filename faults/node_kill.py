"""Node kill: every program of a node is killed at once."""

from __future__ import annotations

from typing import ClassVar

from faults.kill import Kill
from faults.manual import Manual
from faults.processes import runs_on
from faults.protocol import Context, Evidence, Fault
from faults.target import TargetKind


class NodeKill(Fault):
    """Sends SIGKILL to every process of a node.

    Args:
        target: A node, or ``role:ROLE``.
    """

    kind: ClassVar[str] = "node-kill"
    manual: ClassVar[Manual] = Manual(
        summary="Kills every process of a node with SIGKILL.",
        target=TargetKind.NODE,
        parameters=(),
        effect=(
            "`/proc` has none of the killed processes any more, told by process id and start, and "
            "no program of the node runs."
        ),
        absence=(
            "Each program that ran before runs in new processes, none of them stopped, and answers "
            "for itself, PostgreSQL within 120 s, the others within 30 s."
        ),
        side_effects=(
            "The node's kernel lives on: its ports refuse connections, other than those of a lost "
            "host, which are silent. The region's observer dies with its node: links from and to "
            "the region cannot be measured until the heal. The heal starts the programs by stage, "
            "from the specs that they were provisioned with; Patroni starts PostgreSQL."
        ),
    )

    def __init__(self, target: str) -> None:
        self.target = target
        self._kill = Kill(self.title)

    async def inject(self, context: Context) -> None:
        """Kill everything on the node."""
        node = await context.resolve(self.target)
        await self._kill.inject(context, node, runs_on(context, node), everything=True)

    async def effect(self, context: Context) -> Evidence:
        """The processes are gone."""
        return await self._kill.effect(context)

    async def heal(self, context: Context) -> None:
        """Start the programs, lower stages first."""
        await self._kill.heal(context)

    async def absence(self, context: Context) -> Evidence:
        """The programs run anew and answer."""
        return await self._kill.absence(context)
