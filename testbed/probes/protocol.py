"""What the testbed itself looks at, whatever the system: who claims what, and what is not steady.

Readings are evidence. They are never mixed with what clients saw, and no promise is judged
from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from testbed.probes.streams import Stream


@dataclass(frozen=True, slots=True)
class Claim:
    """What a node says of itself.

    Args:
        node: Its name.
        role: ``primary``, ``replica``, ``standby_leader``, or ``silent`` when it did not answer.
        state: Its own word for how it is: ``running``, ``starting``, ...
        term: The timeline that it is on, or None.
        cluster: Which cluster it is in, where there are several with a primary each; empty where
            one node is the primary of all.
    """

    node: str
    role: str
    state: str
    term: int | None = None
    cluster: str = ""


class Probe(Protocol):
    """One observer of one system in one world."""

    async def claims(self) -> tuple[Claim, ...]:
        """What every node says of itself now."""

    async def holder(self, role: str) -> str | None:
        """The node that holds a role now: ``primary`` or ``dcs-leader``; None if nobody does."""

    async def streams(self) -> tuple[Stream, ...]:
        """Every stream of replication that there should be, as it is now."""

    async def problems(self) -> tuple[str, ...]:
        """What keeps the system from steady state, a sentence each; empty when it is steady."""

    async def close(self) -> None:
        """Close its connections."""
