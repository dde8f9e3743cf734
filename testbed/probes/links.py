"""The links as the observers measure them, with real bytes through the wan.

An observer in each region keeps an open TCP connection and a flow of datagrams to every other
region's observer and sends its monotonic time over both; all nodes share that clock, so the
receiver knows the one-way delay of the directed link.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from typing import Any

from testbed.probes.json_source import JsonSource
from testbed.topology.model import Node, Topology

OBSERVER_PORT = 7401


@dataclass(frozen=True, slots=True)
class LinkReading:
    """What one directed link shows, as its receiver saw it.

    Args:
        source: The region that sends.
        target: The region that receives.
        delay_ms: Median one-way delay of the latest messages on the open TCP connection.
        tcp_age_ms: Time since the last TCP message arrived; None if none ever did.
        udp_age_ms: Time since the last datagram arrived; None if none ever did.
        tcp_messages: TCP messages that arrived so far.
        udp_messages: Datagrams that arrived so far.
    """

    source: str
    target: str
    delay_ms: float | None
    tcp_age_ms: float | None
    udp_age_ms: float | None
    tcp_messages: int
    udp_messages: int


class LinkProbe:
    """Reads the observers of every region, out of band.

    Args:
        topology: Regions and observers.
    """

    def __init__(self, topology: Topology) -> None:
        self._observers = {
            region.name: topology.members("observers", region.name)[0]
            for region in topology.regions
            if topology.members("observers", region.name)
        }
        self._source = JsonSource()

    async def reading(self, source: str, target: str) -> LinkReading:
        """What a directed link shows now; ages are None when its receiver does not answer."""
        for reading in await self._received(target):
            if reading.source == source:
                return reading
        return LinkReading(source, target, None, None, None, 0, 0)

    async def readings(self) -> list[dict[str, object]]:
        """The latest reading of every directed link, plain JSON."""
        by_region = await asyncio.gather(*(self._received(name) for name in self._observers))
        return [asdict(reading) for readings in by_region for reading in readings]

    async def _received(self, region: str) -> list[LinkReading]:
        """What arrived in a region, from each other one; empty when its observer is silent."""
        if region not in self._observers:
            return []
        rows = await self._ask(self._observers[region])
        sources = [name for name in self._observers if name != region]
        return [_reading(source, region, rows) for source in sources] if rows else []

    async def _ask(self, observer: Node) -> list[dict[str, Any]]:
        report = await self._source.get(f"http://{observer.address}:{OBSERVER_PORT}/")
        rows = None if report is None else report.get("readings")
        return rows if isinstance(rows, list) else []

    async def close(self) -> None:
        """Close its connections."""
        await self._source.close()


def _reading(source: str, target: str, rows: list[dict[str, Any]]) -> LinkReading:
    """One link from the rows of its receiver: a row for each protocol and opener."""
    of_link = [row for row in rows if row["link"] == f"{source}->{target}"]
    tcp = [row for row in of_link if row["protocol"] == "tcp"]
    udp = [row for row in of_link if row["protocol"] == "udp"]
    freshest = min(tcp, key=lambda row: row["silent_ms"], default=None)
    return LinkReading(
        source=source,
        target=target,
        delay_ms=freshest["delay_ms_median"] if freshest else None,
        tcp_age_ms=freshest["silent_ms"] if freshest else None,
        udp_age_ms=min((row["silent_ms"] for row in udp), default=None),
        tcp_messages=sum(row["received"] for row in tcp),
        udp_messages=sum(row["received"] for row in udp),
    )
