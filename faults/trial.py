"""Trials of a link with real bytes, sent by a node of one region to the observer of another."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faults import trial_client
from faults.protocol import Context, FaultError
from testbed.clients.postgres_entry import NODE_PORT
from testbed.topology.model import Node, Topology
from testbed.world.protocol import WorldError

Pair = tuple[str, str]
"""A directed link: the region that sends and the one that receives."""

ECHO_PORT = 7400
_CLIENT = Path(trial_client.__file__).read_text("utf-8")
_MARGIN_S = 6.0
"""Beyond its own limit, for starting a process on a busy machine."""


@dataclass(frozen=True, slots=True)
class Delays:
    """One-way delays of a directed link, each from a connection of its own.

    Args:
        each_ms: As measured, in no order.
        unanswered: Connections on which no answer came in time.
    """

    each_ms: tuple[float, ...]
    unanswered: int

    @property
    def least_ms(self) -> float | None:
        """The fastest; None without any. A busy machine adds to delays and takes nothing away."""
        return min(self.each_ms, default=None)

    @property
    def spread_ms(self) -> float | None:
        """Ninth decile less first, so that a stall of the machine does not count; None if none."""
        if not self.each_ms:
            return None
        ordered, aside = sorted(self.each_ms), len(self.each_ms) // 10
        return ordered[-1 - aside] - ordered[aside]


@dataclass(frozen=True, slots=True)
class Push:
    """A bounded burst over a directed link.

    Args:
        size_bytes: What was to be sent.
        seconds: From the first byte to the last answer, less a round trip.
        answered_bytes: How much of it was answered, in whole lines.
        ended: ``open``, ``end`` or ``reset``: how the connection was at the end.
    """

    size_bytes: int
    seconds: float
    answered_bytes: int
    ended: str

    @property
    def whole(self) -> bool:
        """True when all of it was answered."""
        return self.answered_bytes == self.size_bytes

    @property
    def kbytes_s(self) -> float:
        """Kilobytes a second."""
        return self.answered_bytes / 1000 / self.seconds


async def delays(context: Context, pair: Pair, *, connections: int, limit_s: float) -> Delays:
    """Measure the one-way delay of a directed link.

    Sent from the link's source; from its target, and measured on the way back, when the target's
    observer does not answer.

    Raises:
        FaultError: A region has no observer.
    """
    request = {"try": "ping", "connections": connections, "limit_s": limit_s}
    reply = await _try(context, pair, request)
    found = tuple(reply.get("forward_ms", ()))
    if not found:
        reply = await _try(context, (pair[1], pair[0]), request)
        found = tuple(reply.get("backward_ms", ()))
    return Delays(found, connections - len(found))


async def asked(context: Context, pair: Pair, *, connections: int, limit_s: float) -> int:
    """On how many fresh connections over a link a PostgreSQL server answered.

    The sender asks a server of the receiver; where none answers, the receiver asks one of the
    sender, and its answers cross the link.

    Raises:
        FaultError: A region has no observer.
    """
    request = {"try": "ask", "connections": connections, "limit_s": limit_s}
    for sender, receiver in (pair, pair[::-1]):
        servers = reachable(context.world.topology, receiver)
        if not servers:
            continue
        reply = await _try(
            context,
            (sender, receiver),
            {**request, "address": servers[0].address, "port": NODE_PORT},
        )
        if reply.get("answered"):
            return int(reply["answered"])
    return 0


def reachable(topology: Topology, region: str) -> tuple[Node, ...]:
    """The PostgreSQL servers of a region that other regions may connect to."""
    servers = topology.members("postgres", region)
    return tuple(node for node in servers if NODE_PORT in node.wan_ports)


async def push(
    context: Context, pair: Pair, *, size_bytes: int, lines: int, limit_s: float
) -> Push | None:
    """Send a burst over a directed link; None when no connection could be made or answered.

    Raises:
        FaultError: A region has no observer.
    """
    request = {"try": "push", "bytes": size_bytes, "lines": lines, "limit_s": limit_s}
    reply = await _try(context, pair, request)
    if "failed" in reply:
        return None
    size = int(reply["bytes"])
    answered = size * int(reply["answered"]) // lines
    return Push(size, float(reply["seconds"]), answered, str(reply["ended"]))


async def close(context: Context, pair: Pair, *, limit_s: float) -> float | None:
    """Seconds from the end of a stream, sent over a link, until its answer comes back.

    Raises:
        FaultError: A region has no observer.
    """
    reply = await _try(context, pair, {"try": "close", "limit_s": limit_s})
    return None if "failed" in reply else float(reply["seconds"])


async def stay(context: Context, pair: Pair, *, seconds: float) -> tuple[float, str] | None:
    """How many seconds a connection with traffic stays open, and how it ended.

    Raises:
        FaultError: A region has no observer.
    """
    request = {"try": "stay", "seconds": seconds, "limit_s": seconds + 3.0}
    reply = await _try(context, pair, request)
    return None if "failed" in reply else (float(reply["seconds"]), str(reply["ended"]))


async def _try(context: Context, pair: Pair, request: dict[str, Any]) -> dict[str, Any]:
    """The client's reply; one with ``failed`` also when another fault ends or stops the client."""
    sender, receiver = (_observer(context, region) for region in pair)
    wanted = {"address": receiver.address, "port": ECHO_PORT, **request}
    command = [sys.executable, "-I", "-S", "-c", _CLIENT]
    try:
        done = await asyncio.to_thread(
            context.world.execute,
            sender.name,
            command,
            stdin=json.dumps(wanted).encode(),
            timeout_s=float(request["limit_s"]) + _MARGIN_S,
        )
        return dict(json.loads(done.stdout))
    except (WorldError, ValueError) as error:
        return {"failed": str(error)}


def _observer(context: Context, region: str) -> Node:
    members = context.world.topology.members("observers", region)
    if not members:
        raise FaultError(
            f"no node of {region} is in group 'observers': links of it cannot be tried; "
            f"add one to the inventory"
        )
    return members[0]
