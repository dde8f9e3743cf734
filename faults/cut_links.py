"""Cutting directed links: what region cuts and link cuts have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from faults.deadline import look_until
from faults.holds import CutLink
from faults.protocol import Context, Evidence, FaultError
from testbed.probes.links import LinkReading
from testbed.world.protocol import WorldError

SILENT_MS = 400.0
"""A link is silent when nothing arrived for this long: eight messages of an observer missed."""
EFFECT_S = 5.0
ABSENCE_S = 30.0

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class LinkSight:
    """One directed link as seen at a moment.

    Args:
        reading: What its receiver's observer says.
        dropped: Packets that the cut has swallowed since the injection.
        cut: Whether the kernel's set has it.
        shared: Whether another fault holds it too.
        observed: Whether both its observers are left alone by other faults.
    """

    reading: LinkReading
    dropped: int
    cut: bool
    shared: bool
    observed: bool

    @property
    def name(self) -> str:
        """``source->target``."""
        return f"{self.reading.source}->{self.reading.target}"

    @property
    def ages_ms(self) -> tuple[float, ...]:
        """Time since the last message, TCP then UDP, as far as there was ever one."""
        ages = (self.reading.tcp_age_ms, self.reading.udp_age_ms)
        return tuple(age for age in ages if age is not None)

    def plain(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            **asdict(self.reading),
            "dropped_packets": self.dropped,
            "cut": self.cut,
            "held_by_another_fault": self.shared,
        }


class CutLinks:
    """Directed links that are cut together by one fault.

    Args:
        title: The fault's, for errors and evidence.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._links: tuple[CutLink, ...] = ()
        self._before: dict[Pair, int] = {}
        self._swallowed: dict[Pair, int] = {}
        self._held = False

    async def inject(self, context: Context, pairs: Iterable[Pair]) -> None:
        """Cut links in one transaction; one that another fault cut stays cut.

        Raises:
            FaultError: The kernel or the wan refused; nothing is cut then.
        """
        self._links = tuple(CutLink(*pair) for pair in pairs)
        async with context.holds.lock:
            try:
                await asyncio.to_thread(context.world.wan.cut, self._pairs())
                self._before = await self._drops(context)
            except WorldError as error:
                raise FaultError(f"{self._title} could not be injected: {error}") from error
            finally:
                # Also when it failed: what was cut all the same is then healed.
                context.holds.take(self._links)
                self._held = True

    async def heal(self, context: Context) -> None:
        """Heal the links that no other fault holds.

        Raises:
            FaultError: The kernel or the wan refused.
        """
        async with context.holds.lock:
            if not self._held:
                return
            free = context.holds.only_mine(self._links)
            try:
                self._swallowed = self._since(await self._drops(context))
                await asyncio.to_thread(
                    context.world.wan.heal, [(link.source, link.target) for link in free]
                )
            except WorldError as error:
                raise FaultError(f"{self._title} could not be healed: {error}") from error
            context.holds.drop(self._links)
            self._held = False

    async def effect(self, context: Context, passing: Iterable[Pair] = ()) -> Evidence:
        """Show that every link drops and is silent, and that the passing ones still deliver.

        Args:
            context: As for the injection.
            passing: Links against which a one-way cut does nothing: datagrams still arrive there.
        """
        against = tuple(pair for pair in passing if not context.holds.held(CutLink(*pair)))

        async def look() -> tuple[list[LinkSight], list[LinkSight]]:
            return await self._sights(context, self._pairs()), await self._sights(context, against)

        cut, open_ = await look_until(
            look,
            lambda seen: all(map(_bites, seen[0])) and all(map(_datagrams_pass, seen[1])),
            limit_s=EFFECT_S,
        )
        lines = [_cut_line(sight) for sight in cut] + [_open_line(sight) for sight in open_]
        return Evidence(
            self._title,
            "effect",
            all(map(_bites, cut)) and all(map(_datagrams_pass, open_)),
            "; ".join(lines),
            {"links": [sight.plain() for sight in [*cut, *open_]]},
        )

    async def absence(self, context: Context) -> Evidence:
        """Show that messages of both protocols arrive again on every link that nobody holds."""

        async def look() -> list[LinkSight]:
            return await self._sights(context, self._pairs())

        seen = await look_until(look, lambda sights: all(map(_gone, sights)), limit_s=ABSENCE_S)
        return Evidence(
            self._title,
            "absence",
            all(map(_gone, seen)),
            "; ".join(map(_healed_line, seen)),
            {"links": [sight.plain() for sight in seen]},
        )

    def _pairs(self) -> tuple[Pair, ...]:
        return tuple((link.source, link.target) for link in self._links)

    async def _drops(self, context: Context) -> dict[Pair, int]:
        wan = context.world.wan
        return await asyncio.to_thread(
            lambda: {pair: wan.dropped(pair).packets for pair in self._pairs()}
        )

    def _since(self, drops: dict[Pair, int]) -> dict[Pair, int]:
        return {pair: count - self._before.get(pair, 0) for pair, count in drops.items()}

    async def _sights(self, context: Context, pairs: tuple[Pair, ...]) -> list[LinkSight]:
        try:
            cuts = await asyncio.to_thread(context.world.wan.cuts)
            drops = self._since(await self._drops(context)) if self._held else self._swallowed
        except WorldError as error:
            raise FaultError(f"{self._title} could not be observed: {error}") from error
        readings = await asyncio.gather(*(context.links.reading(*pair) for pair in pairs))
        return [
            LinkSight(
                reading=reading,
                dropped=drops.get(pair, 0),
                cut=pair in cuts,
                shared=bool(context.holds.held(CutLink(*pair))) and not self._held,
                observed=not any(_observer_disturbed(context, region) for region in pair),
            )
            for pair, reading in zip(pairs, readings, strict=True)
        ]


def _observer_disturbed(context: Context, region: str) -> bool:
    observers = context.world.topology.members("observers", region)
    return not observers or context.holds.disturbed(observers[0].name, "observer")


def _bites(sight: LinkSight) -> bool:
    """The kernel dropped packets, and no message that arrived of late says otherwise."""
    return sight.cut and sight.dropped > 0 and all(age >= SILENT_MS for age in sight.ages_ms)


def _datagrams_pass(sight: LinkSight) -> bool:
    age = sight.reading.udp_age_ms
    return not sight.observed or (age is not None and age < SILENT_MS)


def _gone(sight: LinkSight) -> bool:
    if sight.shared:
        return True
    fresh = len(sight.ages_ms) == 2 and all(age < SILENT_MS for age in sight.ages_ms)
    return not sight.cut and (fresh or not sight.observed)


def _cut_line(sight: LinkSight) -> str:
    heard = " and ".join(
        f"{'none ever' if age is None else f'{age:.0f} ms ago'} by {protocol}"
        for protocol, age in (("TCP", sight.reading.tcp_age_ms), ("UDP", sight.reading.udp_age_ms))
    )
    return f"{sight.name}: {sight.dropped} packets dropped, last message {heard}"


def _open_line(sight: LinkSight) -> str:
    age = sight.reading.udp_age_ms
    heard = "no datagram" if age is None else f"a datagram {age:.0f} ms ago"
    return f"{sight.name} (not cut): {heard}"


def _healed_line(sight: LinkSight) -> str:
    if sight.shared:
        return f"{sight.name}: still cut by another fault"
    if sight.cut:
        return f"{sight.name}: the kernel still has it among the cut links"
    if not sight.observed:
        return f"{sight.name}: no longer cut; its observers are held by another fault"
    heard = ", ".join(
        f"{'none' if age is None else f'{age:.0f} ms ago'} by {protocol}"
        for protocol, age in (("TCP", sight.reading.tcp_age_ms), ("UDP", sight.reading.udp_age_ms))
    )
    return f"{sight.name}: last message {heard}"
