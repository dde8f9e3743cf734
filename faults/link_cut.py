"""Link cut: nothing passes on one directed link, or on both directions of it."""

from __future__ import annotations

from typing import ClassVar

from faults.cut_links import CutLinks
from faults.direction import DIRECTION, OneWayOrBoth, directed_pairs
from faults.manual import Manual
from faults.protocol import Context, Evidence, Fault
from faults.target import TargetKind


class LinkCut(Fault):
    """Drops every packet from one region to another.

    Args:
        target: ``REGION->REGION``.
        direction: ``one-way`` as the arrow points, or ``both``.
    """

    kind: ClassVar[str] = "link-cut"
    manual: ClassVar[Manual] = Manual(
        summary="Drops every packet, TCP and UDP, from one region to another, or both ways.",
        target=TargetKind.LINK,
        parameters=(DIRECTION,),
        effect=(
            "The kernel's drop counter of the link rises, and no message of the observers, TCP or "
            "UDP, has arrived on it for 400 ms. One way: datagrams against the arrow still arrive."
        ),
        absence=(
            "The link is not in the kernel's set of cut links, and the last TCP message and the "
            "last datagram on it are less than 400 ms old, within 30 s. A link that another fault "
            "still cuts is left out, and said to be."
        ),
        side_effects=(
            "A one-way cut swallows acknowledgements too: no TCP connection can be opened in "
            "either direction, and an open one against the arrow stalls when its window is full. "
            "Open connections are not closed."
        ),
    )

    def __init__(self, target: str, *, direction: OneWayOrBoth = "one-way") -> None:
        self.target = target
        self._direction = direction
        self._cut = CutLinks(self.title)
        self._against: tuple[tuple[str, str], ...] = ()

    async def inject(self, context: Context) -> None:
        """Cut the link."""
        pairs = await directed_pairs(self, self._direction, context)
        self._against = tuple((b, a) for a, b in pairs if (b, a) not in pairs)
        await self._cut.inject(context, pairs)

    async def effect(self, context: Context) -> Evidence:
        """Drop counters and silence; datagrams against a one-way cut."""
        return await self._cut.effect(context, self._against)

    async def heal(self, context: Context) -> None:
        """Heal the links that no other fault cuts."""
        await self._cut.heal(context)

    async def absence(self, context: Context) -> Evidence:
        """Messages arrive again."""
        return await self._cut.absence(context)
