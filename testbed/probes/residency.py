"""Where personal data is, and was: what crossed the wan from the first write on, and every file.

The tap records from before the load. When clients have ended, control canaries are planted, what
the deployment does with data from time to time is awaited, all nodes stand still, and every file is
searched; then what crossed. ``residency.json`` in the run folder is judged with no cluster.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from testbed.history.history import History
from testbed.history.journal import read
from testbed.history.residency_record import (
    FILE,
    ResidencyRecord,
    canaries_in,
    write_record,
    written_canaries,
)
from testbed.probes.heirs import heirs_of
from testbed.probes.held import OPEN, Held
from testbed.probes.in_motion import search_in_motion
from testbed.probes.inspection import Scene
from testbed.probes.keepers import Keepers, Told
from testbed.probes.patterns import patterns_of
from testbed.probes.placement_policy import policy_of
from testbed.probes.planted import Planted
from testbed.probes.policy_changes import policy_changes, written_ns
from testbed.probes.sweep import sweep
from testbed.probes.tap import Tap
from testbed.topology.model import Topology
from testbed.world.protocol import WorldError

NAME = "residency"
STREAMING = "placement_streaming"
TRACES = (
    ("enlarge", "TOAST pglz value"),
    ("error", "log file"),
    ("query", "texts of pg_stat_statements"),
    (OPEN, "temporary file"),
)
"""Where a canary of a purpose must be found, in the words that the search has for it."""
STREAMED, SPILLED = ("undo", "logical replication"), (OPEN, "spill file")
"""The same of transactions that are larger than decoding's memory."""
TAP = "tap"
"""Folder of the recording in the run folder; removed once it has been searched."""


class ResidencyInspection:
    """The search for personal data in one run.

    Args:
        scene: The run; its deployment has a placement policy.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._folder = scene.folder / TAP
        self._tap: Tap | None = None
        self._seconds: dict[str, float] = {}

    async def begin(self) -> None:
        """Record what crosses the wan from now on.

        Raises:
            WorldError: The deployment has no policy, or the tap did not start.
        """
        policy_of(self._scene.deployment)
        self._tap = await asyncio.to_thread(Tap.start, self._scene.world, self._folder)

    async def end(self) -> None:
        """Search everything, and record what was found.

        Raises:
            WorldError: The world has ended, the tap had, or the record cannot be written.
        """
        scene, policy = self._scene, policy_of(self._scene.deployment)
        history = await asyncio.to_thread(read, scene.history)
        written = written_canaries(history)
        allowed = policy.allowed()
        with self._timed("controls"):
            planted = Planted(scene.world, allowed, scene.space)
            controls = await planted.plant()
            heirs = await heirs_of(scene.deployment.topology)
        with self._timed("waiting"):
            told = await self._told(history)
        spills = scene.deployment.variables.get(STREAMING) == "off"
        held = Held(await planted.to_hold(), spills=spills)
        try:
            canaries = (*written, *controls, *await held.open())
            if not canaries:
                raise WorldError("nothing was written that could be searched for: no load was made")
            patterns = patterns_of(canaries)
            with self._timed("at rest"):
                found = await sweep(scene.world, patterns, time_ns=scene.now())
        finally:
            await held.close()
        with self._timed("in motion"):
            await self._stop()
            found += await asyncio.to_thread(
                search_in_motion,
                self._folder,
                scene.deployment.topology,
                patterns,
                begun_ns=scene.base_ns,
            )
        nodes, links = _map(scene.deployment.topology)
        changes = policy_changes(history, policy)
        record = ResidencyRecord(
            policy=policy.document(),
            allowed=allowed,
            nodes=nodes,
            links=links,
            canaries=canaries,
            found=found,
            seconds=self._seconds,
            deeds=told.deeds,
            stored=told.stores,
            heirs=heirs,
            traces=(*TRACES, SPILLED if spills else STREAMED),
            changes=changes,
            written_ns=written_ns(history) if changes else {},
        )
        await asyncio.to_thread(_keep, record, scene.folder / FILE)
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    async def close(self) -> None:
        """End the tap; idempotent."""
        with contextlib.suppress(WorldError):
            await self._stop()

    async def _stop(self) -> None:
        tap, self._tap = self._tap, None
        if tap is not None:
            await asyncio.to_thread(tap.stop)

    async def _told(self, history: History) -> Told:
        times = [operation.time for operation in history if canaries_in(operation)]
        keepers = Keepers(self._scene.deployment, self._scene.base_ns)
        try:
            return await keepers.at_work(min(times, default=0), max(times, default=0))
        finally:
            await keepers.close()

    @contextlib.contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self._seconds[name] = round(time.monotonic() - began, 3)


def _map(topology: Topology) -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
    """The jurisdiction of every node, and those of both ends of every link."""
    homes = {region.name: region.jurisdiction for region in topology.regions}
    nodes = {node.name: homes[node.region] for node in topology.nodes}
    links = {link.name: (homes[link.source], homes[link.target]) for link in topology.links}
    return nodes, links


def _keep(record: ResidencyRecord, path: Path) -> None:
    try:
        write_record(record, path)
    except OSError as error:
        raise WorldError(f"{path} cannot be written: {error.strerror}") from error
