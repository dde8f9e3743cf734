"""Faults that change how a link carries bytes: one toxic on it, shown by a trial."""

from __future__ import annotations

import asyncio
import secrets
from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

from faults.deadline import look_until
from faults.direction import OneWayOrBoth, directed_pairs
from faults.holds import CutLink
from faults.protocol import Context, Evidence, Fault, FaultError
from testbed.world.protocol import WorldError
from testbed.world.toxics import Toxic

Pair = tuple[str, str]
EFFECT_S = 6.0
ABSENCE_S = 60.0
"""Long enough for a cut that hides the link meanwhile to be healed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a trial of one directed link showed.

    Args:
        shown: Whether it proves what was to be shown.
        sentence: With numbers, for people.
        readings: The figures, plain JSON.
    """

    shown: bool
    sentence: str
    readings: dict[str, Any] = field(default_factory=dict)


class LinkToxic(Fault):
    """One toxic on a directed link, or on both directions.

    A subclass says which toxic, and judges trials of the link before, under and after it. It
    affects TCP alone; datagrams pass the wan without Toxiproxy.

    Args:
        target: ``REGION->REGION``.
        direction: ``one-way`` as the arrow points, or ``both``.
    """

    toxic: ClassVar[str]
    """The toxic's kind, as ``testbed.world.toxics`` calls it."""

    def __init__(self, target: str, direction: OneWayOrBoth) -> None:
        self.target = target
        self._direction = direction
        # Faults of one kind may share a link: each finds its own toxic by its name.
        self._name = f"{self.kind.removeprefix('link-')}-{secrets.token_hex(4)}"
        self._pairs: tuple[Pair, ...] = ()

    @abstractmethod
    def _parameters(self) -> dict[str, int]:
        """The toxic's parameters."""

    @property
    def _port(self) -> int | None:
        """The port of nodes whose connections alone are affected; None for every connection."""
        return None

    @abstractmethod
    async def _prepare(self, context: Context, pair: Pair) -> None:
        """Measure what the link does without the fault; left out while another fault cuts it."""

    @abstractmethod
    async def _bites(self, context: Context, pair: Pair) -> Finding:
        """Try the link under the fault."""

    @abstractmethod
    async def _gone(self, context: Context, pair: Pair) -> Finding:
        """Try the link after the fault."""

    async def inject(self, context: Context) -> None:
        """Put the toxic on the link, after a trial of the link without it."""
        pairs = await directed_pairs(self, self._direction, context)
        clear = [pair for pair in pairs if not _masked(context, pair)]
        await asyncio.gather(*(self._prepare(context, pair) for pair in clear))
        self._pairs = pairs
        toxic = Toxic(self._name, self.toxic, self._parameters())
        try:
            for pair in pairs:
                await asyncio.to_thread(context.world.wan.add_toxic, pair, toxic, self._port)
        except WorldError as error:
            raise FaultError(f"{self.title} could not be injected: {error}") from error

    async def effect(self, context: Context) -> Evidence:
        """A trial of the link shows what the toxic does."""
        return await self._evidence(context, "effect", EFFECT_S)

    async def heal(self, context: Context) -> None:
        """Take the toxic off; those of other faults stay."""
        try:
            for pair in self._pairs:
                await asyncio.to_thread(context.world.wan.remove_toxic, pair, self._name)
        except WorldError as error:
            raise FaultError(f"{self.title} could not be healed: {error}") from error

    async def absence(self, context: Context) -> Evidence:
        """A trial of the link shows that it is as before."""
        return await self._evidence(context, "absence", ABSENCE_S)

    async def _evidence(self, context: Context, phase: str, limit_s: float) -> Evidence:
        async def look() -> list[Finding]:
            return list(
                await asyncio.gather(*(self._finding(context, phase, p) for p in self._pairs))
            )

        seen = await look_until(
            look, lambda findings: all(finding.shown for finding in findings), limit_s=limit_s
        )
        named = zip(self._pairs, seen, strict=True)
        return Evidence(
            self.title,
            phase,
            bool(seen) and all(finding.shown for finding in seen),
            "; ".join(f"{'->'.join(pair)}: {finding.sentence}" for pair, finding in named),
            {"->".join(p): found.readings for p, found in zip(self._pairs, seen, strict=True)},
        )

    async def _finding(self, context: Context, phase: str, pair: Pair) -> Finding:
        toxics = await self._toxics(context, pair)
        present = self._name in {toxic.name for toxic in toxics}
        if present != (phase == "effect"):
            where = "still on the link" if present else "not on the link"
            return Finding(False, f"the toxic {self._name} is {where}")
        if _masked(context, pair):
            return Finding(False, "another fault cuts the link, so no byte can show it")
        found = await (self._bites if phase == "effect" else self._gone)(context, pair)
        on_link = [{"name": t.name, "kind": t.kind, **t.parameters} for t in toxics]
        return Finding(found.shown, found.sentence, {**found.readings, "toxics": on_link})

    async def _toxics(self, context: Context, pair: Pair) -> tuple[Toxic, ...]:
        try:
            return await asyncio.to_thread(context.world.wan.toxics, pair)
        except WorldError as error:
            raise FaultError(f"{self.title} could not be observed: {error}") from error


def _masked(context: Context, pair: Pair) -> bool:
    """Whether a cut of either direction keeps every TCP connection from the link."""
    return context.holds.held(CutLink(*pair)) or context.holds.held(CutLink(pair[1], pair[0]))
