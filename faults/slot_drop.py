"""Slot drop: what a jurisdiction keeps for the others is dropped, and what they missed with it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar

from faults.deadline import look_until
from faults.jurisdiction import objections, primary_of
from faults.manual import Manual
from faults.protocol import Context, Evidence, Fault, FaultError
from faults.target import TargetKind
from testbed.clients.postgres import CONNECT_ERRORS
from testbed.probes.servers import connected
from testbed.topology.model import Node, Topology

DATABASE = "testbed"
LIMIT_S = 15.0
SHOWN_S = 5.0
MENDED_S = 45.0
_POLL_S = 0.05

_OWN = "slot_type = 'logical' and not temporary"
_NAMES = f"select slot_name::text from pg_replication_slots where {_OWN}"  # noqa: S608
_END = f"""
select pg_terminate_backend(active_pid) from pg_replication_slots where {_OWN} and active
"""  # noqa: S608
_DROP = f"""
select pg_drop_replication_slot(slot_name) from pg_replication_slots where {_OWN} and not active
and slot_name = any ($1::name[])
"""  # noqa: S608
_PLACE = "select pg_current_wal_lsn()::text"
_STATES = f"""
select slot_name::text as name, active, restart_lsn >= $1::text::pg_lsn as new
from pg_replication_slots where {_OWN}
"""  # noqa: S608


class SlotDrop(Fault):
    """Drops the slots that the primary of a region's jurisdiction keeps for other jurisdictions.

    Args:
        target: A region.
    """

    kind: ClassVar[str] = "slot-drop"
    manual: ClassVar[Manual] = Manual(
        summary=(
            "Drops what the primary of a jurisdiction keeps for the others: they miss what was "
            "written until they are seeded again."
        ),
        target=TargetKind.REGION,
        parameters=(),
        effect="No slot that was there is there: each is gone, or keeps only what came after it.",
        absence="Each slot is there again and is read, within 45 s: it was seeded again.",
        side_effects="The rows that may cross are read again, through the publication's filters.",
    )

    def __init__(self, target: str) -> None:
        self.target = target
        self._node: Node | None = None
        self._dropped: tuple[str, ...] = ()
        self._place = ""

    @classmethod
    def objections(cls, target: str, values: Mapping[str, Any], topology: Topology) -> list[str]:
        """Only a jurisdiction that keeps a policy keeps slots for others."""
        del values
        return objections(target, topology)

    async def inject(self, context: Context) -> None:
        """End who reads them, and drop them."""
        topology = context.world.topology
        jurisdiction = topology.region(await context.resolve(self.target)).jurisdiction
        self._node = await primary_of(topology, jurisdiction, self.title)
        try:
            async with connected(self._node, DATABASE) as connection:
                names = [row[0] for row in await connection.fetch(_NAMES)]
                deadline = asyncio.get_running_loop().time() + LIMIT_S
                left = set(names)
                while left:
                    await connection.execute(_END)
                    await connection.fetch(_DROP, sorted(left))
                    left &= {row[0] for row in await connection.fetch(_NAMES)}
                    if asyncio.get_running_loop().time() > deadline:
                        raise FaultError(f"{self.title}: {', '.join(left)} could not be dropped")
                    await asyncio.sleep(_POLL_S if left else 0)
                self._place = str(await connection.fetchval(_PLACE))
        except CONNECT_ERRORS as error:
            raise FaultError(f"{self.title} on {self._node.name}: {error}") from error
        self._dropped = tuple(names)

    async def effect(self, context: Context) -> Evidence:
        """They are gone, or others."""
        del context

        def bitten(states: dict[str, str]) -> bool:
            return bool(states) and "old" not in states.values()

        states = await look_until(self._states, bitten, limit_s=SHOWN_S)
        return self._evidence("effect", bitten(states), states)

    async def heal(self, context: Context) -> None:
        """Nothing: what was lost is mended by the deployment, or not at all."""

    async def absence(self, context: Context) -> Evidence:
        """Each is there again, and is read."""
        del context

        def mended(states: dict[str, str]) -> bool:
            return bool(states) and set(states.values()) == {"new and read"}

        states = await look_until(self._states, mended, limit_s=MENDED_S)
        return self._evidence("absence", mended(states), states)

    async def _states(self) -> dict[str, str]:
        """What has become of each slot that was dropped; nothing where nobody tells."""
        if self._node is None:
            return {}
        try:
            async with connected(self._node, DATABASE) as connection:
                rows = await connection.fetch(_STATES, self._place)
        except CONNECT_ERRORS:
            return {}
        found = {
            row["name"]: ("new and read" if row["active"] else "new") if row["new"] else "old"
            for row in rows
        }
        return {name: found.get(name, "gone") for name in self._dropped}

    def _evidence(self, phase: str, shown: bool, states: Mapping[str, str]) -> Evidence:
        where = self._node.name if self._node is not None else "nowhere"
        told = ", ".join(f"{name} is {state}" for name, state in states.items())
        said = f"{len(states)} slots of {where}: {told or 'none was dropped'}"
        return Evidence(self.title, phase, shown, said, {"node": where, "slots": dict(states)})
