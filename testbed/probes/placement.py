"""A deployment with a placement policy as the testbed observes it, out of band."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from testbed.probes.consul import ConsulProbe
from testbed.probes.json_source import JsonSource
from testbed.probes.patroni import Member, PatroniProbe, replication_problems
from testbed.probes.protocol import Claim
from testbed.probes.streams import Stream
from testbed.topology.model import Node, Topology
from testbed.topology.placement_plan import EVERYWHERE, cluster_of

KEEPER_PORT = 7412
_SILENT_MS_MAX = 8000.0
"""Publishers send something at least every 2.5 s: half of PostgreSQL's own time-out here."""


@dataclass(frozen=True, slots=True)
class PlacementReport:
    """What the keeper of a server or a store sees.

    Args:
        node: Its name.
        jurisdiction: Whose it is.
        problem: What keeps it from its work; empty for nothing.
        primary: Whether the server is one; False for a store.
        peers: The other jurisdictions.
        streams: What arrives from each of them, by the subscription's name.
        slots: What is kept for each of them, by the slot's name.
        backups: Each dump and base backup that was completed: ``kind``, ``file``, ``of``,
            ``began_unix_s``, ``at_unix_s``.
        deeds: What a mistake made on purpose has done: ``what``, ``at_unix_s``.
    """

    node: str
    jurisdiction: str
    problem: str
    primary: bool
    peers: tuple[str, ...]
    streams: Mapping[str, Mapping[str, Any]]
    slots: Mapping[str, Mapping[str, Any]]
    backups: tuple[Mapping[str, Any], ...]
    deeds: tuple[Mapping[str, Any], ...]


class PlacementProbe:
    """Observes each jurisdiction's cluster, the streams between them, and the stores.

    Args:
        topology: The world's topology.
        replication: The deployment's replication mode, for what steady means.
    """

    def __init__(self, topology: Topology, replication: str) -> None:
        self._servers = topology.members("postgres")
        groups = ("placement", EVERYWHERE, "stores")
        self._nodes = tuple(node for group in groups for node in topology.members(group))
        self._patroni = PatroniProbe(topology, replication)
        self._synchronous = replication != "asynchronous"
        homes = dict.fromkeys(region.jurisdiction for region in topology.regions)
        self._clusters = [
            PatroniProbe(part, replication, cluster=cluster)
            for cluster in (*homes, EVERYWHERE)
            if (part := _of(topology, cluster)).nodes
        ]
        self._consul = ConsulProbe(topology.members("consul"))
        self._source = JsonSource()

    async def report(self, node: Node) -> PlacementReport | None:
        """What one keeper sees, or None when it does not answer in time."""
        document = await self._source.get(f"http://{node.address}:{KEEPER_PORT}/")
        return None if document is None else report_of(document)

    async def reports(self) -> tuple[PlacementReport | None, ...]:
        """What every keeper sees, servers first; None for one that did not answer."""
        return tuple(await asyncio.gather(*(self.report(node) for node in self._nodes)))

    async def members(self) -> tuple[Member | None, ...]:
        """The status of every Patroni node of every cluster."""
        return await self._patroni.members()

    async def claims(self) -> tuple[Claim, ...]:
        """What every node says of itself now."""
        found = await asyncio.gather(*(cluster.claims() for cluster in self._clusters))
        return tuple(itertools.chain.from_iterable(found))

    async def holder(self, role: str) -> str | None:
        """The first jurisdiction's primary that there is, or Consul's leader."""
        if role == "dcs-leader":
            return await self._consul.leader()
        for cluster in self._clusters:
            holder = await cluster.holder(role)
            if holder is not None:
                return holder
        return None

    async def streams(self) -> tuple[Stream, ...]:
        """Each cluster's own streams, and those between the primaries, as they are now."""
        reports, inside = await asyncio.gather(
            self.reports(), asyncio.gather(*(cluster.streams() for cluster in self._clusters))
        )
        return (*itertools.chain.from_iterable(inside), *crossing_streams(reports))

    async def problems(self) -> tuple[str, ...]:
        """What keeps the deployment from steady state, a sentence each."""
        members, reports, consul = await asyncio.gather(
            self.members(), self.reports(), self._consul.problems()
        )
        found = cluster_problems(self._servers, members, synchronous=self._synchronous)
        for node, report in zip(self._nodes, reports, strict=True):
            found += report_problems(node, report)
        found += copy_problems(
            report
            for node, report in zip(self._nodes, reports, strict=True)
            if "stores" not in node.groups
        )
        return (*found, *consul)

    async def close(self) -> None:
        """Close its connections."""
        await self._consul.close()
        for cluster in (self._patroni, *self._clusters):
            await cluster.close()
        await self._source.close()


def _of(topology: Topology, cluster: str) -> Topology:
    """The topology with the servers of one cluster only: a jurisdiction's, or that everywhere."""
    nodes = tuple(
        node for node in topology.members("postgres") if cluster_of(topology, node) == cluster
    )
    return replace(topology, nodes=nodes)


def report_of(document: Mapping[str, Any]) -> PlacementReport:
    """A keeper's answer."""
    return PlacementReport(
        node=str(document.get("node", "")),
        jurisdiction=str(document.get("jurisdiction", "")),
        problem=str(document.get("problem", "")),
        primary=bool(document.get("primary", False)),
        peers=tuple(document.get("peers", ())),
        streams={str(row["name"]): row for row in document.get("streams", ())},
        slots={str(row["name"]): row for row in document.get("slots", ())},
        backups=tuple(document.get("backups", ())),
        deeds=tuple(document.get("deeds", ())),
    )


def cluster_problems(
    nodes: tuple[Node, ...], members: tuple[Member | None, ...], *, synchronous: bool
) -> list[str]:
    """What keeps each cluster from steady state; which node is in which one, Patroni says.

    Args:
        nodes: Every node with PostgreSQL.
        members: The status of each, None for one that did not answer.
        synchronous: Whether a standby must be synchronous.
    """
    found = [
        f"{node.name}: Patroni does not answer"
        for node, member in zip(nodes, members, strict=True)
        if member is None
    ]
    known = [(n, m) for n, m in zip(nodes, members, strict=True) if m is not None]
    for scope in dict.fromkeys(member.scope for _, member in known):
        inside = [(node, member) for node, member in known if member.scope == scope]
        those = [node for node, _ in inside]
        states = [member for _, member in inside]
        found += replication_problems(those, states, synchronous=synchronous)
    return found


def copy_problems(reports: Iterable[PlacementReport | None]) -> list[str]:
    """Slots that a standby has no copy of: with it as the primary, a stream would not go on.

    Args:
        reports: What the keeper of every server sees; None for one that did not answer.
    """
    known = [report for report in reports if report is not None]
    wanted = {
        report.jurisdiction: {name for name, one in report.slots.items() if one["failover"]}
        for report in known
        if report.primary
    }
    found: list[str] = []
    for report in known:
        copied = {name for name, one in report.slots.items() if one["synced"]}
        missing = wanted.get(report.jurisdiction, set()) - copied
        if not report.primary:
            found += [f"{report.node}: no copy of the slot {name}" for name in sorted(missing)]
    return found


def crossing_streams(reports: Iterable[PlacementReport | None]) -> tuple[Stream, ...]:
    """What the primary of each jurisdiction gets from that of each other one.

    How far behind it is nobody says: only some of a primary's changes are meant for it.

    Args:
        reports: What every keeper sees; None for one that did not answer.
    """
    primaries = [report for report in reports if report is not None and report.primary]
    found = []
    for sender, receiver in itertools.permutations(primaries, 2):
        if sender.jurisdiction in receiver.peers:
            name = f"from_{sender.jurisdiction.lower().replace('-', '_')}"
            stream = receiver.streams.get(name, {})
            found.append(Stream(sender.node, receiver.node, _runs(stream)))
    return tuple(found)


def _runs(stream: Mapping[str, Any]) -> bool:
    silent_ms = stream.get("silent_ms")
    return bool(stream.get("running")) and silent_ms is not None and silent_ms <= _SILENT_MS_MAX


def report_problems(node: Node, report: PlacementReport | None) -> list[str]:
    """What keeps one keeper's part from steady state, a sentence each.

    Args:
        node: Whose keeper was asked.
        report: What it said, None when it did not answer.
    """
    if report is None:
        return [f"{node.name}: the keeper of the placement policy does not answer"]
    if report.problem:
        return [f"{node.name}: {report.problem}"]
    found: list[str] = []
    if not report.primary:
        return found
    for name, stream in report.streams.items():
        silent_ms = stream["silent_ms"]
        if not stream["running"] or not stream["received"]:
            found.append(f"{node.name}: the stream {name} does not run")
        elif silent_ms is None or silent_ms > _SILENT_MS_MAX:
            found.append(
                f"{node.name}: the stream {name} has been silent for {silent_ms or 0:.0f} ms"
            )
    lacking = len(report.peers) - len(report.streams)
    if lacking > 0:
        found.append(f"{node.name}: {lacking} streams are missing")
    return found
