"""A session: one client that writes at its region's entry and reads at replicas.

Where it reads is its routing. ``any_replica``: at every node in turn, however far behind it is.
``primary``: where it writes. ``session``: at every node in turn as well, but the client carries
the position of what it has written and seen; a node that is behind is waited for, then skipped
for the one that takes the writes, and if that is behind as well, the read fails rather than run
backwards.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from testbed.clients.position import CLUSTER, FAR, Place, Standing, Token
from testbed.clients.postgres_position import (
    FORKS,
    POSITION,
    SEEN,
    SESSION_WRITE,
    standing_of,
)
from testbed.clients.protocol import Client, Completion, Endpoint, Invocation
from testbed.history.history import LOST

Routing = Literal["any_replica", "primary", "session"]

_POLL_S = 0.005


@dataclass(frozen=True, slots=True)
class Entrances:
    """Where the sessions of one region go.

    Args:
        writer: The entry for writes.
        nodes: A way to each node that holds data, in the topology's order; an endpoint's name is
            the node's, its region the client's.
        regions: Region by node, in the topology's order.
        mesh: Whether every region has a log of its own.
    """

    writer: Endpoint
    nodes: tuple[Endpoint, ...]
    regions: dict[str, str]
    mesh: bool

    def log(self, node: str | None) -> str:
        """The log that a node's own writes are in."""
        return self.regions.get(node or "", "") if self.mesh else CLUSTER


class SessionClient:
    """One session of one process; it outlives its connections.

    An operation that ends in ``info`` ends the session, as ever. A read has no effect: one that is
    not answered is ``fail``.

    A failover may lose what the session wrote, and a later write to the same row would hide that.
    So a session that meets a later timeline asks where its own one was left. If that is before what
    it wrote, its next operation fails with an error that begins with ``lost:``, and it ends.

    Args:
        entrances: Where it goes.
        routing: Where it reads.
        wait_ms: How long a node that is behind is waited for.
        connect: Makes the client of one connection.
        turn: The place in ``entrances.nodes`` of the first node that it reads at.
    """

    def __init__(
        self,
        entrances: Entrances,
        routing: Routing,
        wait_ms: int,
        connect: Callable[[Endpoint], Client],
        turn: int = 0,
    ) -> None:
        self._entrances = entrances
        self._routing = routing
        self._wait_s = wait_ms / 1000
        self._connect = connect
        self._turn = turn
        self._open: dict[Endpoint, Client] = {}
        self._token = Token()
        self._wrote: Place | None = None
        self._lost = ""
        self._ended = False

    @property
    def ended(self) -> bool:
        """True when it was told that it has lost something; a lost connection is opened anew."""
        return self._ended

    @property
    def token(self) -> Token:
        """Up to where the session has written or seen."""
        return self._token

    async def perform(self, invocation: Invocation) -> Completion:
        """Write at the entry, or read where the routing says."""
        done = await self._performed(invocation)
        if self._lost and done.type != "ok":
            self._ended = True
            return Completion("fail", error=self._lost, node=done.node)
        return done

    async def _performed(self, invocation: Invocation) -> Completion:
        if self._lost:
            return Completion("fail", error=self._lost)
        if invocation.f != "read":
            return await self._write(invocation)
        if self._routing == "primary":
            return _of_read(await self._at(self._entrances.writer, invocation))
        endpoint = self._next()
        if self._routing == "any_replica":
            return _of_read(await self._at(endpoint, invocation))
        return await self._read_after_token(endpoint, invocation)

    async def _write(self, invocation: Invocation) -> Completion:
        if self._routing != "session":
            return await self._at(self._entrances.writer, invocation)
        f = invocation.f if self._entrances.mesh else SESSION_WRITE
        done = await self._at(self._entrances.writer, replace(invocation, f=f))
        if done.type != "ok":
            return done
        if not self._entrances.mesh:
            done = await self._placed(done)
        # Its place is at or before the end of the log now. If that is not to be had, only the
        # node that takes the writes is sure to show it.
        log = self._entrances.log(done.node)
        asked = await self._at(self._entrances.writer, Invocation(POSITION))
        standing = self._standing(asked)
        if standing is None or asked.node != done.node:
            timeline = 0 if self._entrances.mesh else done.term or 0
            self._token = self._token.after({log: Place(timeline, FAR)})
        else:
            self._token = self._token.after({log: standing.held[log]})
        return done

    async def _placed(self, done: Completion) -> Completion:
        """Note where an acknowledged write is, once it is known whether earlier ones still are."""
        place = Place(done.term or 0, int(done.value))
        await self._check(self._entrances.writer, place.timeline)
        self._wrote = place if self._wrote is None else max(self._wrote, place)
        return replace(done, value=None)

    async def _check(self, endpoint: Endpoint, timeline: int) -> None:
        """Ask a node on a later timeline whether that has what this session wrote."""
        wrote = self._wrote
        if wrote is None or timeline <= wrote.timeline:
            return
        asked = await self._at(endpoint, Invocation(FORKS, timeline))
        end = asked.value.get(wrote.timeline) if asked.type == "ok" else None
        if end is None:
            return  # It is asked again when a node on that timeline is met again.
        if end <= wrote.lsn:
            self._lost = (
                f"{LOST}timeline {timeline} has timeline {wrote.timeline} up to {end} only,"
                f" and this session wrote after {wrote.lsn}"
            )
        # What was written before is there; from here on the later timeline's places count.
        self._wrote = Place(timeline, end - 1)

    async def _read_after_token(self, endpoint: Endpoint, invocation: Invocation) -> Completion:
        """Read at a node that has caught up with the session, else where it writes."""
        problem = ""
        for place in (endpoint, self._entrances.writer):
            standing = await self._caught_up(place)
            if isinstance(standing, str):
                problem = standing
                continue
            done = await self._at(place, replace(invocation, f=SEEN))
            seen = self._standing(done)
            if seen is None:
                problem = f"{place.name}: {done.error}"
                continue
            self._token = self._token.after(seen.shown, seen.begun)
            return Completion("ok", value=done.value["value"], node=done.node)
        return Completion("fail", error=problem[:120])

    async def _caught_up(self, endpoint: Endpoint) -> Standing | str:
        """How far a node is that has all of the session; a sentence when it has not in time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._wait_s
        while True:
            asked = await self._at(endpoint, Invocation(POSITION))
            standing = self._standing(asked)
            if standing is None:
                return f"{endpoint.name}: {asked.error}"
            self._learn(asked.node, standing)
            await self._meet(endpoint, asked.node, standing)
            if self._lost:
                return self._lost
            behind = self._token.behind(standing)
            if not behind:
                return standing
            if loop.time() > deadline:
                return f"{asked.node} is behind this session in {', '.join(behind)}"
            await asyncio.sleep(_POLL_S)

    async def _meet(self, endpoint: Endpoint, node: str | None, standing: Standing) -> None:
        """A node's timeline may have lost what this session wrote."""
        held = standing.held.get(self._entrances.log(node))
        if held is not None and not self._entrances.mesh:
            await self._check(endpoint, held.timeline)

    def _learn(self, node: str | None, standing: Standing) -> None:
        """The end of a primary's log is after every write that was taken in its timeline."""
        log = self._entrances.log(node)
        place = self._token.places.get(log)
        if place is None or place.lsn != FAR or not standing.primary:
            return
        if standing.held[log].timeline >= place.timeline:
            self._token = self._token.settled(log, standing.held[log])

    def _standing(self, done: Completion) -> Standing | None:
        if done.type != "ok":
            return None
        region = self._entrances.regions.get(done.node or "", "")
        return standing_of(done.value, region, tuple(self._entrances.regions.values()))

    async def _at(self, endpoint: Endpoint, invocation: Invocation) -> Completion:
        client = self._open.get(endpoint)
        if client is None or client.ended:
            client = self._open[endpoint] = self._connect(endpoint)
        return await client.perform(invocation)

    def _next(self) -> Endpoint:
        nodes: Sequence[Endpoint] = self._entrances.nodes
        self._turn += 1
        return nodes[self._turn % len(nodes)]

    async def close(self) -> None:
        """Close every connection without waiting for the other side."""
        for client in self._open.values():
            await client.close()
        self._open.clear()


def _of_read(done: Completion) -> Completion:
    """A read that was not answered changed nothing."""
    return replace(done, type="fail") if done.type == "info" else replace(done, term=None)
