"""Region cut: nothing passes between a region and all the others."""

from __future__ import annotations

from typing import ClassVar

from faults.cut_links import CutLinks
from faults.manual import Manual
from faults.protocol import Context, Evidence, Fault
from faults.target import TargetKind


class RegionCut(Fault):
    """Drops every packet on all links of a region, both ways.

    Args:
        target: A region, or ``region-of:ROLE``.
    """

    kind: ClassVar[str] = "region-cut"
    manual: ClassVar[Manual] = Manual(
        summary="Cuts a region off from all others: every packet, TCP and UDP, both ways.",
        target=TargetKind.REGION,
        parameters=(),
        effect=(
            "The kernel's drop counter of every link of the region rises, and no message of the "
            "observers, TCP or UDP, has arrived on any of them for 400 ms."
        ),
        absence=(
            "No link of the region is in the kernel's set of cut links, and the last TCP message "
            "and the last datagram on each are less than 400 ms old, within 30 s. A link that "
            "another fault still cuts is left out, and said to be."
        ),
        side_effects=(
            "Open connections are not closed: they hang, and go on by retransmission after the "
            "heal if both ends kept them. Clients of the region itself still reach its nodes."
        ),
    )

    def __init__(self, target: str) -> None:
        self.target = target
        self._cut = CutLinks(self.title)

    async def inject(self, context: Context) -> None:
        """Cut every link of the region."""
        region = await context.resolve(self.target)
        links = context.world.topology.links
        await self._cut.inject(
            context,
            [(link.source, link.target) for link in links if region in (link.source, link.target)],
        )

    async def effect(self, context: Context) -> Evidence:
        """Drop counters and silence of every link."""
        return await self._cut.effect(context)

    async def heal(self, context: Context) -> None:
        """Heal every link that no other fault cuts."""
        await self._cut.heal(context)

    async def absence(self, context: Context) -> Evidence:
        """Messages arrive again on every link."""
        return await self._cut.absence(context)
