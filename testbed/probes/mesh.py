"""A mesh of writable PostgreSQL nodes as the testbed observes it, out of band."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from testbed.probes.json_source import JsonSource
from testbed.probes.patroni import Member, PatroniProbe
from testbed.probes.protocol import Claim
from testbed.probes.streams import Stream
from testbed.topology.model import Node, Topology

KEEPER_PORT = 7410
_SILENT_MS_MAX = 3000.0
"""Publishers send something at least every half second: the keepers' heartbeats."""


@dataclass(frozen=True, slots=True)
class MeshReport:
    """What the keeper of one node sees of the mesh.

    Args:
        node: Its name.
        region: Its region.
        problem: What keeps the keeper itself from its work; empty for nothing.
        peers: The other regions.
        streams: What arrives from each other region, by the subscription's name.
        slots: What is kept for each other region, by the slot's name.
        conflicts: PostgreSQL's own counters, by the subscription's name.
        heartbeats: Age in ms and stamp of each region's last heartbeat, by region.
        standby: Whether its PostgreSQL is in recovery: then the streams are its primary's.
        lost: Why a stream cannot go on, by the subscription's name.
        seeded: Streams that were begun anew, with their rows and seconds, in order.
        slot_bound_bytes: What a slot may keep before it is lost.
        slot_alarm_bytes: What a slot may keep before it is a problem.
    """

    node: str
    region: str
    problem: str
    peers: tuple[str, ...]
    streams: Mapping[str, Mapping[str, Any]]
    slots: Mapping[str, Mapping[str, Any]]
    conflicts: Mapping[str, Mapping[str, Any]]
    heartbeats: Mapping[str, Mapping[str, Any]]
    standby: bool = False
    lost: Mapping[str, str] = field(default_factory=dict)
    seeded: tuple[Mapping[str, Any], ...] = ()
    slot_bound_bytes: int = 0
    slot_alarm_bytes: int = 0


class MeshProbe:
    """Observes every region's writable node and its streams to and from the others.

    Args:
        topology: The world's topology.
        replication: The deployment's replication mode, inside each region.
    """

    def __init__(self, topology: Topology, replication: str = "asynchronous") -> None:
        self._nodes = topology.members("mesh")
        self._clusters = [
            PatroniProbe(topology, replication, frozenset({region.name}), cluster=region.name)
            for region in topology.regions
            if topology.members("postgres", region.name)
        ]
        self._source = JsonSource()

    async def report(self, node: Node) -> MeshReport | None:
        """What one keeper sees, or None when it does not answer in time."""
        document = await self._source.get(f"http://{node.address}:{KEEPER_PORT}/")
        if document is None:
            return None
        return MeshReport(
            node=node.name,
            region=str(document.get("region", "")),
            problem=str(document.get("problem", "")),
            peers=tuple(document.get("peers", ())),
            streams=_by_name(document, "streams"),
            slots=_by_name(document, "slots"),
            conflicts=_by_name(document, "conflicts"),
            heartbeats=_by_name(document, "heartbeats"),
            standby=any(row["standby"] for row in document.get("recovery", ())),
            lost={row["name"]: row["why"] for row in document.get("lost", ())},
            seeded=tuple(document.get("seeded", ())),
            slot_bound_bytes=int(document.get("slot_bound_bytes", 0)),
            slot_alarm_bytes=int(document.get("slot_alarm_bytes", 0)),
        )

    async def reports(self) -> tuple[MeshReport | None, ...]:
        """What every keeper sees, None for one that did not answer."""
        return tuple(await asyncio.gather(*(self.report(node) for node in self._nodes)))

    async def members(self) -> tuple[Member | None, ...]:
        """The status of every Patroni node of every region."""
        found = await asyncio.gather(*(cluster.members() for cluster in self._clusters))
        return tuple(member for cluster in found for member in cluster)

    async def claims(self) -> tuple[Claim, ...]:
        """What every node says of itself now."""
        found = await asyncio.gather(*(cluster.claims() for cluster in self._clusters))
        return tuple(claim for cluster in found for claim in cluster)

    async def holder(self, role: str) -> str | None:
        """The first region's primary, or its Consul leader: every region has one of its own."""
        return await self._clusters[0].holder(role)

    async def streams(self) -> tuple[Stream, ...]:
        """The stream from every region to every other one, as it is now."""
        reports = await self.reports()
        seen = list(zip(self._nodes, reports, strict=True))
        # A region has one end of each stream: the node that takes writes.
        ends = {node.region: node for node in reversed(self._nodes)}
        ends |= {node.region: node for node, report in seen if report and not report.standby}
        nodes = [node for node in self._nodes if ends[node.region] == node]
        return tuple(
            stream
            for node, report in seen
            if node in nodes
            for stream in report_streams(node, report, nodes)
        )

    async def problems(self) -> tuple[str, ...]:
        """What keeps the mesh from steady state, a sentence each."""
        reports, clusters = await asyncio.gather(
            self.reports(), asyncio.gather(*(cluster.problems() for cluster in self._clusters))
        )
        found = [
            problem
            for node, report in zip(self._nodes, reports, strict=True)
            for problem in report_problems(node, report)
        ]
        return (*found, *(problem for cluster in clusters for problem in cluster))

    async def close(self) -> None:
        """Close its connections."""
        for cluster in self._clusters:
            await cluster.close()
        await self._source.close()


def report_problems(node: Node, report: MeshReport | None) -> list[str]:
    """What keeps one node's streams from steady state, a sentence each.

    Args:
        node: Whose keeper was asked.
        report: What it said, None when it did not answer.
    """
    if report is None:
        return [f"{node.name}: the keeper of the mesh does not answer"]
    if report.problem:
        return [f"{node.name}: {report.problem}"]
    if report.standby:
        return []  # The streams are its primary's, until it is one.
    return [f"{node.name}: {said}" for said in (*_stream_problems(report), *_slot_problems(report))]


def _stream_problems(report: MeshReport) -> Iterator[str]:
    for name, stream in report.streams.items():
        silent_ms = stream["silent_ms"]
        if name in report.lost:
            yield f"the stream {name} is lost: {report.lost[name]}"
        elif not stream["running"] or not stream["received"]:
            yield f"the stream {name} does not run"
        elif silent_ms is None or silent_ms > _SILENT_MS_MAX:
            yield f"the stream {name} has been silent for {silent_ms or 0:.0f} ms"
    lacking = len(report.peers) - len(report.streams)
    if lacking > 0:
        yield f"{lacking} streams are missing"


def _slot_problems(report: MeshReport) -> Iterator[str]:
    for name, slot in report.slots.items():
        kept, alarm = slot.get("kept_bytes"), report.slot_alarm_bytes
        if not slot["active"]:
            state = slot["invalidation_reason"] or slot["wal_status"]
            yield f"nobody reads the slot {name} ({state})"
        if kept is not None and alarm and kept > alarm:
            yield (
                f"the slot {name} keeps {kept / 2**20:.1f} MiB of WAL: beyond "
                f"{report.slot_bound_bytes / 2**20:.1f} MiB it is lost, and its region must be "
                f"seeded again"
            )


def report_streams(node: Node, report: MeshReport | None, nodes: Sequence[Node]) -> list[Stream]:
    """What arrives at one node from every other one.

    The lag is the age of the other region's last heartbeat: it has passed through everything that
    its changes pass through.

    Args:
        node: Whose keeper was asked.
        report: What it said, None when it did not answer.
        nodes: Every node of the mesh.
    """
    found = []
    for other in nodes:
        if other.name == node.name:
            continue
        stream = report.streams.get(f"from_{other.region.replace('-', '_')}", {}) if report else {}
        beat = report.heartbeats.get(other.region, {}) if report else {}
        silent_ms, age_ms = stream.get("silent_ms"), beat.get("age_ms")
        alive = silent_ms is not None and silent_ms <= _SILENT_MS_MAX
        running = bool(stream.get("running")) and alive
        lag_ms = None if age_ms is None else max(0.0, float(age_ms))
        found.append(Stream(other.name, node.name, running, lag_ms=lag_ms))
    return found


def _by_name(document: Mapping[str, Any], part: str) -> dict[str, Mapping[str, Any]]:
    return {str(row["name"]): row for row in document.get(part, ())}
