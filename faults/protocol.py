"""The fault: inject, evidence that it bit, heal, evidence that it is gone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from testbed.probes.links import LinkReading
from testbed.world.protocol import World


class FaultError(Exception):
    """A fault could not be injected or healed; the message says what, where and what to do."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a fault was shown to do, or to do no longer.

    Args:
        fault: The fault's kind and target, as ``Fault.title`` gives it.
        phase: ``effect`` (after the injection) or ``absence`` (after the heal).
        shown: True when the observation proves it; False makes the run inconclusive.
        observation: One sentence with numbers.
        readings: The raw figures behind it, plain JSON.
        time: Nanoseconds since the run began.
    """

    fault: str
    phase: str
    shown: bool
    observation: str
    readings: dict[str, Any] = field(default_factory=dict)
    time: int = 0


class LinkMeter(Protocol):
    """Something that measures the links; ``testbed.probes.links`` does it by observers."""

    async def reading(self, source: str, target: str) -> LinkReading:
        """What the open connection and the datagrams of a directed link show now."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a fault may use: the world, and who holds a role at this moment.

    Args:
        world: The running world.
        resolve: Maps a target such as ``role:primary``, ``role:dcs-leader``,
            ``region-of:primary``, a node's or a region's name to one name of the topology.
            Raises FaultError when nobody holds the role.
        now: Nanoseconds since the run began.
        links: Measures every directed link with real bytes.
    """

    world: World
    resolve: Callable[[str], Awaitable[str]]
    now: Callable[[], int]
    links: LinkMeter


class Fault(Protocol):
    """Something that breaks a node or a link. One instance is one injection.

    A class is registered in ``faults/catalogue.py`` under its ``kind``; its constructor takes
    the parameters of the plan's step by name and raises ValueError with every problem of them.
    """

    kind: ClassVar[str]

    @property
    def title(self) -> str:
        """Kind and target for people, for example ``region-cut eu-west``."""

    async def inject(self, context: Context) -> None:
        """Break it. Raises FaultError."""

    async def effect(self, context: Context) -> Evidence:
        """Show that it bites, by real bytes or the kernel's own counters."""

    async def heal(self, context: Context) -> None:
        """Undo it. Idempotent; called also after a failed injection. Raises FaultError."""

    async def absence(self, context: Context) -> Evidence:
        """Show that it is gone."""
