"""Clock skew: a region's clock runs ahead of the others' or behind them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from faults import mesh_keeper
from faults.deadline import look_until
from faults.manual import Manual
from faults.parameter import Parameter
from faults.protocol import Context, Evidence, Fault, FaultError
from faults.target import TargetKind
from testbed.topology.model import Topology

SHOWN_S = 5.0
TOLERANCE_MS = 50.0
HEAL_S = 60.0
"""A standby that takes over meanwhile has the clock of the node before it."""


class ClockSkew(Fault):
    """Moves the clock that a mesh node stamps its rows with.

    Args:
        target: A node of the mesh.
        ahead_ms: How far ahead of the machine's clock; below zero for behind.
    """

    kind: ClassVar[str] = "clock-skew"
    manual: ClassVar[Manual] = Manual(
        summary="Sets the clock with which a node of a mesh stamps its rows ahead or back.",
        target=TargetKind.NODE,
        parameters=(
            Parameter(
                "ahead_ms",
                "How far ahead of the machine's clock; below zero for behind.",
                unit="ms",
                minimum=-600_000,
                maximum=600_000,
            ),
        ),
        effect="The node's own stamps differ from the machine's clock by `ahead_ms`, within 50 ms.",
        absence="They differ by nothing, within 50 ms.",
        side_effects=(
            "Only stamps of rows move: time-outs and logs go by the machine's clock, which all "
            "nodes share. The heal sets the clock back at once, as an abrupt correction does. A "
            "region has one clock: where the node is a standby, the one that takes writes in its "
            "region is meant, and the heal waits for one."
        ),
    )

    def __init__(self, target: str, *, ahead_ms: int) -> None:
        self.target = target
        self._ahead_ms = ahead_ms
        self._node = ""

    @classmethod
    def objections(cls, target: str, values: Mapping[str, Any], topology: Topology) -> list[str]:
        """Only a node of a mesh stamps rows."""
        return mesh_keeper.objections(target, topology, "stamps no rows")

    async def inject(self, context: Context) -> None:
        """Move the clock."""
        self._node = await context.resolve(self.target)
        await self._set(context, self._ahead_ms, SHOWN_S)

    async def effect(self, context: Context) -> Evidence:
        """The node's stamps are off."""
        return await self._compare(context, "effect", self._ahead_ms)

    async def heal(self, context: Context) -> None:
        """Set the clock right."""
        if self._node:
            await self._set(context, 0, HEAL_S)

    async def absence(self, context: Context) -> Evidence:
        """The node's stamps are right."""
        return await self._compare(context, "absence", 0)

    async def _set(self, context: Context, ahead_ms: int, limit_s: float) -> None:
        """Move the clock at the node of the region that takes writes, which is remembered."""

        async def attempt() -> list[str]:
            problems = []
            for node in self._candidates(context):
                wish = {"skew_us": ahead_ms * 1000}
                document = await mesh_keeper.ask(context, node, wish)
                if "clock" in document:
                    self._node = node
                    return []
                problems.append(f"{node}: {document.get('problem') or 'no answer'}")
            return problems

        problems = await look_until(attempt, lambda found: not found, limit_s=limit_s)
        if problems:
            raise FaultError(
                f"{self.title}: no keeper of the region set its clock: {'; '.join(problems)}; "
                "see mesh.log of the nodes"
            )

    def _candidates(self, context: Context) -> list[str]:
        """The nodes of the region that may take writes, the last one that did first."""
        topology = context.world.topology
        here = topology.members("mesh", topology.node(self._node).region)
        return sorted((node.name for node in here), key=lambda name: name != self._node)

    async def _compare(self, context: Context, phase: str, wanted_ms: float) -> Evidence:
        async def look() -> float | None:
            clock = (await mesh_keeper.ask(context, self._node)).get("clock")
            return clock[0]["ahead_us"] / 1000 if clock else None

        def right(ahead_ms: float | None) -> bool:
            return ahead_ms is not None and abs(ahead_ms - wanted_ms) <= TOLERANCE_MS

        ahead_ms = await look_until(look, right, limit_s=SHOWN_S)
        said = "does not answer" if ahead_ms is None else f"is {ahead_ms:.1f} ms ahead"
        return Evidence(
            self.title,
            phase,
            right(ahead_ms),
            f"the clock of {self._node} {said}, expected {wanted_ms:g} ms",
            {"node": self._node, "ahead_ms": ahead_ms, "wanted_ms": wanted_ms},
        )
