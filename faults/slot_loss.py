"""Slot loss: a region was away for so long that another one no longer keeps what it missed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from faults import mesh_keeper
from faults.deadline import look_until
from faults.manual import Manual
from faults.protocol import Context, Evidence, Fault, FaultError
from faults.target import TargetKind
from testbed.topology.model import Topology

FLOOD_S = 60.0
SHOWN_S = 5.0
MENDED_S = 30.0


class SlotLoss(Fault):
    """Makes a mesh node write more than its slots may keep for regions that do not follow.

    Args:
        target: A node of the mesh that takes writes.
    """

    kind: ClassVar[str] = "slot-loss"
    manual: ClassVar[Manual] = Manual(
        summary=(
            "Makes a node of a mesh lose what it keeps for a region that is cut off: a partition "
            "of hours in seconds."
        ),
        target=TargetKind.NODE,
        parameters=(),
        effect="A slot of the node is lost: PostgreSQL says so itself.",
        absence=(
            "Each slot that was lost is there again and is read, within 30 s: its region was "
            "seeded again. That needs the link, so let the cut end before this fault does."
        ),
        side_effects=(
            "The node writes half as much again as `mesh_slot_kept_bytes` of WAL, and makes a "
            "checkpoint. Regions that follow are waited for, and lose nothing."
        ),
    )

    def __init__(self, target: str) -> None:
        self.target = target
        self._node = ""
        self._lost: tuple[str, ...] = ()

    @classmethod
    def objections(cls, target: str, values: Mapping[str, Any], topology: Topology) -> list[str]:
        """Only a node of a mesh keeps anything for other regions."""
        return mesh_keeper.objections(target, topology, "keeps nothing for other regions")

    async def inject(self, context: Context) -> None:
        """Write until slots are lost."""
        self._node = await context.resolve(self.target)
        document = await mesh_keeper.ask(context, self._node, {"flood": True}, FLOOD_S)
        if "slots" not in document:
            raise FaultError(
                f"{self.title}: the keeper of {self._node} lost no slot: "
                f"{document.get('problem') or 'no answer'}"
            )

    async def effect(self, context: Context) -> Evidence:
        """Slots are lost."""

        async def look() -> dict[str, str]:
            slots = (await mesh_keeper.ask(context, self._node)).get("slots", ())
            return {
                one["name"]: str(one["invalidation_reason"])
                for one in slots
                if one["wal_status"] == "lost"
            }

        lost = await look_until(look, bool, limit_s=SHOWN_S)
        self._lost = tuple(lost)
        told = ", ".join(f"{name} ({reason})" for name, reason in lost.items())
        said = f"slots of {self._node} that are lost: {told or 'none'}"
        return Evidence(self.title, "effect", bool(lost), said, {"node": self._node, "lost": lost})

    async def heal(self, context: Context) -> None:
        """Nothing: what was lost is mended by the deployment, or not at all."""

    async def absence(self, context: Context) -> Evidence:
        """The slots are there again, and are read."""

        async def look() -> dict[str, str]:
            slots = (await mesh_keeper.ask(context, self._node)).get("slots", ())
            found = {one["name"]: one for one in slots}
            return {name: _state(found.get(name)) for name in self._lost}

        def mended(states: dict[str, str]) -> bool:
            return bool(states) and set(states.values()) == {"read"}

        states = await look_until(look, mended, limit_s=MENDED_S)
        told = ", ".join(f"{name} is {state}" for name, state in states.items())
        said = f"slots of {self._node}: {told or 'none was lost'}"
        return Evidence(self.title, "absence", mended(states), said, {"slots": states})


def _state(slot: Mapping[str, Any] | None) -> str:
    if slot is None:
        return "gone"
    if slot["wal_status"] == "lost":
        return "lost"
    return "read" if slot["active"] else "not read"
