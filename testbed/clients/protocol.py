"""What a client of some system offers to the load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a client enters: an address, a port and what it may do there.

    Args:
        name: ``writer`` or ``reader``, or a node's name for a direct endpoint.
        host: IPv4 address.
        port: TCP port.
        region: The region of the clients that use it.
    """

    name: str
    host: str
    port: int
    region: str


@dataclass(frozen=True, slots=True)
class Invocation:
    """One operation to perform, as a workload generates it.

    Args:
        f: The function, for example ``add``.
        value: Its argument, plain JSON.
        key: Its key, where the workload has keys.
        endpoint: Name of the endpoint that serves it: ``writer`` or ``reader``.
    """

    f: str
    value: Any = None
    key: Any = None
    endpoint: str = "writer"


@dataclass(frozen=True, slots=True)
class Completion:
    """What became of an invocation.

    Args:
        type: ``ok``, ``fail`` (surely not done) or ``info`` (unknown: the process retires).
        value: The result for an ``ok``.
        node: Who answered, as far as known.
        error: Why it was not ``ok``, in a few words.
        term: For an acknowledged write: the primary's term, a number that grows with every
            promotion (PostgreSQL: the timeline).
    """

    type: Literal["ok", "fail", "info"]
    value: Any = None
    node: str | None = None
    error: str | None = None
    term: int | None = None


class Client(Protocol):
    """One connection of one process to one endpoint. Never raises for a failure of the system."""

    @property
    def ended(self) -> bool:
        """True when its connection was open once and is no more; it is not opened again.

        A process is one connection, so that what is promised within one can be judged.
        """

    async def perform(self, invocation: Invocation) -> Completion:
        """Connect if need be, perform, and say what became of it.

        A failure before the request was sent is ``fail``; a time-out or a lost connection
        after it is ``info``.
        """

    async def close(self) -> None:
        """Close without waiting for the other side; never blocks on a black hole."""
