"""Looks at a world from inside its network.

``python -m testbed.probes.look NAME`` runs in the wan's network, where every node and Toxiproxy
are reached, and prints one JSON object, a snapshot. ``testbed.probes.status`` starts it and reads
that.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import sys
from collections.abc import Mapping

from testbed.clients.catalogue import system_of
from testbed.probes.catalogue import PROBES
from testbed.probes.consul import ConsulProbe
from testbed.probes.links import LinkProbe, LinkReading
from testbed.probes.patroni import Member, PatroniProbe
from testbed.probes.protocol import Claim
from testbed.probes.snapshot import DataNode, LinkStatus, Snapshot
from testbed.probes.streams import Stream
from testbed.topology.model import Link, Topology
from testbed.world.namespaces import NamespaceWorld, open_world
from testbed.world.protocol import WorldError
from testbed.world.toxics import BASE, Toxic
from testbed.world.wan import LinkCount

_LOOKS_MAX = 3
"""On a busy machine an answer may be late once; who is silent three times is silent."""


class Observer:
    """Looks at one world; keeps its connections between two looks.

    Args:
        world: A running world whose wan's network the caller is in.
    """

    def __init__(self, world: NamespaceWorld) -> None:
        self._world = world
        self._topology = world.topology
        self._servers = self._topology.members("consul")
        self._patroni = PatroniProbe(self._topology, "asynchronous")
        self._consul = ConsulProbe(self._servers)
        self._links = LinkProbe(self._topology)
        system = system_of(self._topology)
        self._system = PROBES[system](self._topology, world.variables)

    async def look(self, tries: int = _LOOKS_MAX) -> Snapshot:
        """Look until everybody answered, at most so many times."""
        for _ in range(tries):
            snapshot = await self._look()
            if not silence(snapshot):
                break
        return snapshot

    async def _look(self) -> Snapshot:
        """Ask everybody once, all at the same time."""
        nodes, leaders, readings, steady, (counts, refusal) = await asyncio.gather(
            self._nodes(),
            self._consul.leaders(),
            self._readings(),
            self._system.problems(),
            asyncio.to_thread(_counts, self._world),
        )
        names = [node.name for node in self._servers]
        return Snapshot(
            data_nodes=nodes,
            consul_leaders=dict(zip(names, leaders, strict=True)),
            links=link_statuses(self._topology, readings, counts),
            problems=(*steady, *refusal),
        )

    async def _nodes(self) -> tuple[DataNode, ...]:
        """Patroni knows more of its members than every system's probe can say of its own."""
        if self._topology.members("postgres"):
            return data_nodes(self._topology, await self._patroni.members())
        claims, streams = await asyncio.gather(self._system.claims(), self._system.streams())
        return claimed_nodes(claims, streams)

    async def _readings(self) -> list[LinkReading]:
        links = self._topology.links
        return await asyncio.gather(*(self._links.reading(one.source, one.target) for one in links))

    async def close(self) -> None:
        """Close every connection."""
        for probe in (self._patroni, self._consul, self._links, self._system):
            await probe.close()


async def look(world: NamespaceWorld) -> Snapshot:
    """One snapshot of a running world whose wan's network the caller is in."""
    observer = Observer(world)
    try:
        return await observer.look()
    finally:
        await observer.close()


def silence(snapshot: Snapshot) -> bool:
    """Whether somebody did not answer."""
    return (
        any(node.role == "silent" for node in snapshot.data_nodes)
        or None in snapshot.consul_leaders.values()
        or any(link.delay_ms is None for link in snapshot.links)
    )


def data_nodes(topology: Topology, members: tuple[Member | None, ...]) -> tuple[DataNode, ...]:
    """What the members' own answers, taken together, say of each of them."""
    known = [member for member in members if member is not None]
    # A standby leader sends WAL on as well: where its cluster has no primary of its own, the
    # topmost writer of all is the measure of lag.
    primaries = [member for member in known if member.role == "primary"]
    topmost = max((member.position or 0 for member in primaries), default=None)
    by_cluster = {member.scope: member.position or 0 for member in primaries}
    found = []
    for node, member in zip(topology.members("postgres"), members, strict=True):
        if member is None:
            found.append(DataNode(node.name, "silent", "no answer"))
            continue
        senders = [other.standbys[node.name] for other in known if node.name in other.standbys]
        replication, synchronous = senders[0] if senders else ("", "")
        lag_bytes, written = None, by_cluster.get(member.scope, topmost)
        if member.role != "primary" and written is not None and member.position is not None:
            # Not asked at the very same moment: a replica may seem to be ahead.
            lag_bytes = max(0, written - member.position)
        found.append(
            DataNode(
                node.name,
                member.role,
                member.state,
                member.timeline,
                replication,
                synchronous,
                lag_bytes,
            )
        )
    return tuple(found)


def claimed_nodes(claims: tuple[Claim, ...], streams: tuple[Stream, ...]) -> tuple[DataNode, ...]:
    """What nodes say of themselves, with the streams that they receive."""
    received = {stream.receiver: stream for stream in streams}
    found = []
    for claim in claims:
        stream = received.get(claim.node)
        found.append(
            DataNode(
                claim.node,
                claim.role,
                claim.state,
                claim.term,
                "streaming" if stream is not None and stream.running else "",
                stream.synchronous if stream is not None else "",
                stream.lag_bytes if stream is not None else None,
            )
        )
    return tuple(found)


def link_statuses(
    topology: Topology, readings: list[LinkReading], counts: Mapping[tuple[str, str], LinkCount]
) -> tuple[LinkStatus, ...]:
    """Each link's readings and counts in one."""
    return tuple(
        _link_status(link, reading, counts.get((link.source, link.target)))
        for link, reading in zip(topology.links, readings, strict=True)
    )


def _link_status(link: Link, reading: LinkReading, count: LinkCount | None) -> LinkStatus:
    ages = [age for age in (reading.tcp_age_ms, reading.udp_age_ms) if age is not None]
    dropped = count.dropped if count is not None else None
    toxics = count.toxics if count is not None else ()
    return LinkStatus(
        source=link.source,
        target=link.target,
        asked_delay_ms=link.delay_ms,
        asked_jitter_ms=link.jitter_ms,
        asked_kbytes_s=link.bandwidth_kbytes_s,
        delay_ms=reading.delay_ms,
        silent_ms=min(ages, default=None),
        cut=dropped is not None,
        dropped_packets=dropped.packets if dropped is not None else 0,
        toxics=tuple(_in_words(toxic) for toxic in toxics if not toxic.name.startswith(f"{BASE}-")),
    )


def _in_words(toxic: Toxic) -> str:
    parameters = ", ".join(f"{name} {value}" for name, value in toxic.parameters.items() if value)
    return f"{toxic.kind} ({parameters})" if parameters else toxic.kind


def _counts(
    world: NamespaceWorld,
) -> tuple[dict[tuple[str, str], LinkCount], tuple[str, ...]]:
    """The wan's own counts by link, or the one sentence that says why there are none."""
    try:
        counts = world.wan.readings()
    except WorldError as error:
        return {}, (str(error),)
    return {(count.source, count.target): count for count in counts}, ()


def main() -> int:
    """Print the snapshot of the world that is named."""
    parser = argparse.ArgumentParser(prog="python -m testbed.probes.look", description=__doc__)
    parser.add_argument("world")
    try:
        snapshot = asyncio.run(look(open_world(parser.parse_args().world)))
    except WorldError as error:
        print(error, file=sys.stderr)
        return 3
    json.dump(dataclasses.asdict(snapshot), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
