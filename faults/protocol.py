"""The fault: inject, evidence that it bit, heal, evidence that it is gone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from faults.holds import Holds
from faults.manual import Manual
from testbed.probes.links import LinkReading
from testbed.topology.model import Topology
from testbed.topology.placement import Policy
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

    One context serves all faults of a run: it knows which parts they hold together.

    Args:
        world: The running world; its wan too.
        resolve: Maps a target such as ``role:primary``, ``role:dcs-leader``,
            ``region-of:primary``, a node's or a region's name to one name of the topology.
            Raises FaultError when nobody holds the role.
        now: Nanoseconds since the run began.
        links: Measures every directed link with real bytes.
        holds: Which parts the faults of this run hold, for those that overlap.
        policy: Which data may be where; None where the deployment does not say.
    """

    world: World
    resolve: Callable[[str], Awaitable[str]]
    now: Callable[[], int]
    links: LinkMeter
    holds: Holds = field(default_factory=Holds)
    policy: Policy | None = None


class Fault(Protocol):
    """Something that breaks a node or a link. One instance is one injection.

    A class derives from this one and is registered in ``faults/catalogue.py``. Its constructor
    takes the target and, by name, the parameters that its manual lists; the catalogue has checked
    them. Nothing that blocks may run on the event loop, which the load shares: nft, Toxiproxy and
    ``/proc`` are reached through ``asyncio.to_thread``.
    """

    kind: ClassVar[str]
    """The name under which a plan asks for it."""

    manual: ClassVar[Manual]
    """What people and plans are told of it."""

    target: str
    """As the plan has it; resolved at the injection, and once."""

    @classmethod
    def objections(cls, target: str, values: Mapping[str, Any], topology: Topology) -> list[str]:
        """What makes the fault pointless or impossible in a topology, a sentence each.

        Called before anything runs, with a target and parameters that are good by themselves.
        """
        del target, values, topology
        return []

    @property
    def title(self) -> str:
        """Kind and target for people, for example ``region-cut eu-west``."""
        return f"{self.kind} {self.target}"

    async def inject(self, context: Context) -> None:
        """Break it. Raises FaultError."""

    async def effect(self, context: Context) -> Evidence:
        """Show that it bites, by real bytes or the kernel's own counters."""

    async def heal(self, context: Context) -> None:
        """Undo it. Idempotent; called also after a failed injection. Raises FaultError."""

    async def absence(self, context: Context) -> Evidence:
        """Show that it is gone."""
