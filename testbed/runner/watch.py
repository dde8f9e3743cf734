"""What is watched beside the load while a run goes on: roles, rates and links."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import asdict
from typing import Protocol

from testbed.history.appender import Appender
from testbed.probes.protocol import Probe
from testbed.runner.announcer import Announcer
from testbed.runner.clock import Clock
from testbed.runner.folder import RolesLog
from testbed.runner.progress import Rate, Role
from testbed.runner.recorder import Recorder
from testbed.topology.model import Topology

_ROLES_INTERVAL_S = 0.25
_RATES_INTERVAL_S = 0.5
_LINKS_INTERVAL_S = 1.0
_STREAMS_INTERVAL_S = 0.5


class LinkSource(Protocol):
    """Something that measures the links; see ``testbed.probes.links``."""

    async def readings(self) -> list[dict[str, object]]:
        """The latest reading of every directed link, plain JSON."""


async def watch_roles(
    probe: Probe, topology: Topology, clock: Clock, log: RolesLog, announcer: Announcer
) -> None:
    """Record who claims which role whenever it changes, until cancelled."""
    while True:
        claims = await probe.claims()
        for claim in log.observe(clock.now(), claims):
            region = topology.node(claim.node).region
            announcer.tell(Role(region=region, node=claim.node, role=claim.role))
        await asyncio.sleep(_ROLES_INTERVAL_S)


async def watch_rates(recorder: Recorder, regions: list[str], announcer: Announcer) -> None:
    """Tell how many operations of each region were answered, until cancelled."""
    before: Counter[tuple[str, str, str]] = Counter()
    while True:
        await asyncio.sleep(_RATES_INTERVAL_S)
        now = recorder.tally.copy()
        new = now - before
        before = now
        for region in regions:
            by_type: Counter[str] = Counter()
            for (where, _, kind), number in new.items():
                if where == region:
                    by_type[kind] += number
            announcer.tell(
                Rate(
                    region=region,
                    acknowledged_ops_s=by_type["ok"] / _RATES_INTERVAL_S,
                    failed_ops_s=by_type["fail"] / _RATES_INTERVAL_S,
                    unknown_ops_s=by_type["info"] / _RATES_INTERVAL_S,
                )
            )


async def watch_links(source: LinkSource, clock: Clock, log: Appender) -> None:
    """Record what every link measures, once a second, until cancelled.

    All links of one look carry the same time.
    """
    while True:
        readings, now = await source.readings(), clock.now()
        for reading in readings:
            log.append({"time": now, **reading})
        await asyncio.sleep(_LINKS_INTERVAL_S)


async def watch_streams(probe: Probe, clock: Clock, log: Appender) -> None:
    """Record how far behind each stream of replication is, twice a second, until cancelled.

    All streams of one look carry the same time.
    """
    while True:
        streams, now = await probe.streams(), clock.now()
        for stream in streams:
            log.append({"time": now, **asdict(stream)})
        await asyncio.sleep(_STREAMS_INTERVAL_S)
