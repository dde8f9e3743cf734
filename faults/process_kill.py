"""Process kill: a program of a node is killed, as by a crash or the kernel's memory killer."""

from __future__ import annotations

from typing import ClassVar, Literal

from faults.kill import Kill
from faults.manual import Manual
from faults.parameter import Parameter
from faults.program import PROGRAMS
from faults.protocol import Context, Evidence, Fault
from faults.target import TargetKind, resolve_program


class ProcessKill(Fault):
    """Sends SIGKILL to every process of a program.

    Args:
        target: ``NODE/PROGRAM``.
        supervisor: ``kill`` to kill the program's supervisor just before it.
    """

    kind: ClassVar[str] = "process-kill"
    manual: ClassVar[Manual] = Manual(
        summary="Kills every process of a program of a node with SIGKILL.",
        target=TargetKind.PROGRAM,
        parameters=(
            Parameter(
                name="supervisor",
                description=(
                    "`kill`: the program's supervisor (Patroni for PostgreSQL) is killed just "
                    "before it, so that nothing restarts it until the heal."
                ),
                choices=("keep", "kill"),
                default="keep",
            ),
        ),
        effect=(
            "`/proc` has none of the killed processes any more, told by process id and start; the "
            "evidence says what runs in their place and since when."
        ),
        absence=(
            "The program runs in new processes, none of them stopped, and answers for itself "
            "(PostgreSQL accepts a connection, the others answer 200 to an HTTP request) within "
            "30 s, PostgreSQL within 120 s."
        ),
        side_effects=(
            "The node's kernel lives on: its ports refuse connections, other than those of a lost "
            "host, which are silent. PostgreSQL is restarted by Patroni, in place and before the "
            "heal; the heal starts every other program from the spec that it was provisioned with."
        ),
    )

    def __init__(self, target: str, *, supervisor: Literal["keep", "kill"] = "keep") -> None:
        self.target = target
        self._supervisor = supervisor
        self._kill = Kill(self.title)

    async def inject(self, context: Context) -> None:
        """Kill the program."""
        found = await resolve_program(self.target, context.resolve)
        boss = PROGRAMS[found.program].supervisor
        names = [boss] if boss and self._supervisor == "kill" else []
        await self._kill.inject(context, found.node, [*names, found.program], everything=False)

    async def effect(self, context: Context) -> Evidence:
        """The processes are gone."""
        return await self._kill.effect(context)

    async def heal(self, context: Context) -> None:
        """Start the program where nothing else does."""
        await self._kill.heal(context)

    async def absence(self, context: Context) -> Evidence:
        """The program runs anew and answers."""
        return await self._kill.absence(context)
