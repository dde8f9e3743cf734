"""Switchover: the operators move the primary on purpose."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar

from faults.answer import Answer
from faults.deadline import look_until
from faults.manual import Manual
from faults.parameter import Parameter, nearest
from faults.patroni_rest import switch_over
from faults.protocol import Context, Evidence, Fault, FaultError
from faults.target import TargetKind
from testbed.clients.system import MESH, PLACEMENT, POSTGRES, data_nodes, system_of
from testbed.toolchain.added import WithAdded
from testbed.topology.model import Node, Topology

ROLE = "role:primary"
PATIENCE_S = 15.0
RETRY_S = 0.5
MOVED_S = 15.0

SWITCHOVERS: Mapping[str, Callable[[Node, str | None], Awaitable[Answer]]] = WithAdded(
    "switchovers", dict.fromkeys((POSTGRES, MESH, PLACEMENT), switch_over)
)
"""System -> how it is asked to move its primary: ``(primary, candidate's name or None) -> answer``.
A new one is a line here, or a line in another package's ``testbed.switchovers``."""


class Switchover(Fault):
    """Asks the system to hand the primary's role over: Patroni, where it is PostgreSQL.

    Args:
        target: The primary: ``role:primary``, or a node that must hold the role then.
        candidate: The node that is to take over; None leaves it to the system.
    """

    kind: ClassVar[str] = "switchover"
    manual: ClassVar[Manual] = Manual(
        summary=(
            "Moves the primary on purpose, by Patroni's REST API, or as the system has it. Needs "
            "no heal."
        ),
        target=TargetKind.NODE,
        parameters=(
            Parameter(
                "candidate",
                "The node that is to take over; Patroni (or the system) chooses if none.",
                default=None,
            ),
        ),
        effect=(
            "Another node, the candidate where one is named, holds the role `primary` within "
            "15 s, as the nodes say of themselves."
        ),
        absence="There is nothing to heal: one node holds the role `primary`.",
        side_effects=(
            "Writes stop for a second or two. It is refused while no standby is in step; it is "
            "asked again for 15 s, and then the run fails."
        ),
    )

    def __init__(self, target: str = ROLE, *, candidate: str | None = None) -> None:
        self.target = target
        self._candidate = candidate
        self._former = ""
        self._asked_ns = 0

    @classmethod
    def objections(cls, target: str, values: Mapping[str, Any], topology: Topology) -> list[str]:
        """Both must be nodes that may be primary, of a system that can be asked."""
        system = system_of(topology)
        if system not in SWITCHOVERS:
            unknown = f"nobody says how the primary of '{system}' is moved"
            return [f"{unknown}: its package adds nothing to 'testbed.switchovers'"]
        able = [node.name for node in data_nodes(topology)]
        named = {"target": target, "'candidate'": values["candidate"]}
        found = [
            f"{what} must be a node in group '{system}', not {name!r}{nearest(name, able)}; "
            f"nodes: {', '.join(able)}"
            for what, name in named.items()
            if name is not None and name != ROLE and name not in able
        ]
        if target == values["candidate"]:
            found.append(f"'candidate' is the target itself: {target}")
        return found

    async def inject(self, context: Context) -> None:
        """Ask until Patroni has done it."""
        self._former = await context.resolve(self.target)
        topology = context.world.topology
        primary, system = topology.node(self._former), system_of(topology)
        self._asked_ns = context.now()
        deadline = context.now() + int(PATIENCE_S * 1e9)
        while True:
            answer = await SWITCHOVERS[system](primary, self._candidate)
            if answer.accepted or await self._primary(context) not in (self._former, None):
                return
            if context.now() > deadline:
                raise FaultError(self._refused(answer, context))
            # A standby that is not in step yet is refused as a candidate; it may be in a moment.
            await asyncio.sleep(RETRY_S)

    async def effect(self, context: Context) -> Evidence:
        """Another node is primary."""

        async def look() -> str | None:
            return await self._primary(context)

        primary = await look_until(look, self._moved, limit_s=MOVED_S)
        took_s = (context.now() - self._asked_ns) / 1e9
        return Evidence(
            self.title,
            "effect",
            self._moved(primary),
            f"{self._former} was primary; {took_s:.1f} s after the request, {primary or 'nobody'}",
            {"former": self._former, "primary": primary, "candidate": self._candidate},
        )

    async def heal(self, context: Context) -> None:
        """Nothing: the cluster is as whole as before."""

    async def absence(self, context: Context) -> Evidence:
        """One node is primary."""

        async def look() -> str | None:
            return await self._primary(context)

        primary = await look_until(look, lambda name: name is not None, limit_s=MOVED_S)
        return Evidence(
            self.title,
            "absence",
            primary is not None,
            f"nothing to heal; {primary or 'nobody'} is primary",
            {"primary": primary},
        )

    def _moved(self, primary: str | None) -> bool:
        wanted = self._candidate in (None, primary)
        return primary is not None and primary != self._former and wanted

    async def _primary(self, context: Context) -> str | None:
        try:
            return await context.resolve(ROLE)
        except FaultError:
            return None

    def _refused(self, answer: Answer, context: Context) -> str:
        return (
            f"{self.title} could not be injected: {answer.text[:300]}; see "
            f"{context.world.logs / self._former}, and inject it when the cluster is steady"
        )
