"""Patroni and PostgreSQL as the testbed observes them, out of band."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from testbed.probes.consul import ConsulProbe
from testbed.probes.json_source import JsonSource
from testbed.probes.protocol import Claim
from testbed.probes.streams import Positions, Stream
from testbed.topology.model import Node, Topology

_REST_PORT = 8008


@dataclass(frozen=True, slots=True)
class Member:
    """One Patroni node's own status.

    Args:
        node: Its name.
        role: ``primary``, ``replica`` or ``standby_leader``.
        state: Patroni's word: ``running``, ``streaming``, ``starting``, ...
        timeline: PostgreSQL's timeline.
        position: Bytes of WAL written (primary) or replayed (replica).
        standbys: State and synchronous state of each standby by application name,
            as the node's own pg_stat_replication has them.
        scope: The name of its cluster.
    """

    node: str
    role: str
    state: str
    timeline: int | None
    position: int | None
    standbys: Mapping[str, tuple[str, str]]
    scope: str = ""


class PatroniProbe:
    """Observes one Patroni cluster and the Consul that holds its lock.

    Args:
        topology: The world's topology.
        replication: The deployment's replication mode, for what steady means.
        scope: Only nodes of these regions (one cluster of several); None for all.
        cluster: What its nodes' claims say of where they are; empty where no other one has a
            primary. One that follows another cluster has none of its own: both are one.
    """

    def __init__(
        self,
        topology: Topology,
        replication: str,
        scope: frozenset[str] | None = None,
        *,
        cluster: str = "",
    ) -> None:
        self._postgres = _within(topology.members("postgres"), scope)
        self._consul = ConsulProbe(_within(topology.members("consul"), scope))
        self._cluster = cluster
        self._synchronous = replication != "asynchronous"
        self._source = JsonSource()
        self._positions = Positions()
        self._replayed: dict[str, int] = {}

    async def _member(self, node: Node) -> Member | None:
        document = await self._source.get(f"http://{node.address}:{_REST_PORT}/patroni")
        if document is None:
            return None
        xlog = document.get("xlog", {})
        return Member(
            node=node.name,
            role=str(document.get("role", "unknown")),
            state=str(document.get("state", "unknown")),
            timeline=document.get("timeline"),
            position=xlog.get("location", xlog.get("replayed_location")),
            standbys={
                row["application_name"]: (row["state"], row["sync_state"])
                for row in document.get("replication", [])
            },
            scope=str(document.get("patroni", {}).get("scope", "")),
        )

    async def members(self) -> tuple[Member | None, ...]:
        """The status of every Patroni node, None for one that did not answer."""
        return tuple(await asyncio.gather(*(self._member(node) for node in self._postgres)))

    async def claims(self) -> tuple[Claim, ...]:
        """What every node says of itself now."""
        return tuple(
            Claim(node.name, "silent", "no answer", cluster=self._cluster)
            if member is None
            else Claim(node.name, member.role, member.state, member.timeline, self._cluster)
            for node, member in zip(self._postgres, await self.members(), strict=True)
        )

    async def holder(self, role: str) -> str | None:
        """The node that holds a role now: ``primary`` or ``dcs-leader``; None if nobody does."""
        if role == "dcs-leader":
            return await self._consul.leader()
        known = [member for member in await self.members() if member is not None]
        # A cluster that follows another region's has no primary of its own.
        for wanted in ("primary", "standby_leader"):
            holders = [member for member in known if member.role == wanted]
            if holders:
                return max(holders, key=lambda member: member.timeline or 0).node
        return None

    async def streams(self) -> tuple[Stream, ...]:
        """The stream to every node but the topmost writer, as it is now."""
        members = await self.members()
        now_ms = time.monotonic() * 1e3
        known = [member for member in members if member is not None]
        top = max(
            (member for member in known if member.role == "primary"),
            key=lambda member: member.timeline or 0,
            default=None,
        )
        if top is not None and top.position is not None:
            self._positions.see(top.node, top.position, now_ms)
        found = [
            self._stream(node.name, member, known, top, now_ms)
            for node, member in zip(self._postgres, members, strict=True)
            if top is None or node.name != top.node
        ]
        self._positions.forget(self._replayed.values())
        return tuple(found)

    def _stream(
        self,
        node: str,
        member: Member | None,
        known: Sequence[Member],
        top: Member | None,
        now_ms: float,
    ) -> Stream:
        senders = [other for other in known if node in other.standbys]
        sender = senders[0].node if senders else top.node if top is not None else ""
        state, synchronous = senders[0].standbys[node] if senders else ("", "")
        if member is not None and member.position is not None:
            self._replayed[node] = member.position
        # Of one that does not answer the last place that it was seen at counts.
        replayed = self._replayed.get(node)
        answers = member is not None and member.position is not None
        lag_bytes = None
        if answers and replayed is not None and top is not None and top.position is not None:
            lag_bytes = max(0, top.position - replayed)
        lag_ms = None if replayed is None else self._positions.lag_ms(replayed, now_ms)
        return Stream(sender, node, state == "streaming", synchronous, lag_bytes, lag_ms)

    async def problems(self) -> tuple[str, ...]:
        """What keeps the cluster from steady state, a sentence each."""
        members, consul = await asyncio.gather(self.members(), self._consul.problems())
        replication = replication_problems(self._postgres, members, synchronous=self._synchronous)
        return (*replication, *consul)

    async def close(self) -> None:
        """Close its connections."""
        await self._consul.close()
        await self._source.close()


def _within(nodes: tuple[Node, ...], scope: frozenset[str] | None) -> tuple[Node, ...]:
    return tuple(node for node in nodes if scope is None or node.region in scope)


def replication_problems(
    nodes: Sequence[Node], members: Sequence[Member | None], *, synchronous: bool
) -> list[str]:
    """What keeps replication from steady state, a sentence each.

    Args:
        nodes: Every node with PostgreSQL.
        members: The status of each, None for one that did not answer.
        synchronous: Whether a standby must be synchronous.
    """
    found = []
    for node, member in zip(nodes, members, strict=True):
        if member is None:
            found.append(f"{node.name}: Patroni does not answer")
        elif member.state not in ("running", "streaming"):
            found.append(f"{node.name}: PostgreSQL is '{member.state}'")
    known = [member for member in members if member is not None]
    primaries = [member for member in known if member.role == "primary"]
    if not primaries:
        return [*found, "nobody claims to be primary, where one node should"]
    if len(primaries) > 1:
        names = ", ".join(member.node for member in primaries)
        return [*found, f"{names} all claim to be primary, where one node should"]
    primary = primaries[0]
    for member in known:
        if member is not primary:
            found += _standby_problems(member, known, primary.timeline)
    kinds = {kind for _, kind in primary.standbys.values()}
    if synchronous and len(known) > 1 and not kinds & {"sync", "quorum"}:
        found.append(f"{primary.node}: no standby is synchronous")
    return found


def _standby_problems(
    standby: Member, known: Sequence[Member], timeline: int | None
) -> Iterator[str]:
    """A standby streams from the primary, or from the leader of a cluster that follows it."""
    senders = [member for member in known if standby.node in member.standbys]
    if not senders:
        yield f"{standby.node}: nobody replicates to it"
    for sender in senders:
        state, _ = sender.standbys[standby.node]
        if state != "streaming":
            yield f"{standby.node}: replication from {sender.node} is '{state}'"
    if standby.timeline != timeline:
        yield f"{standby.node}: on timeline {standby.timeline}, the primary on {timeline}"
