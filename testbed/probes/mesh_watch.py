"""What the keepers of a mesh see, looked at beside the load until the end of a run.

Streams, slots and PostgreSQL's own conflict counters of every node go to ``metrics/mesh.jsonl``,
and are judged from there: whether a stream is stuck, whether a slot keeps more than it may.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict

from testbed.history.appender import Appender, JournalError
from testbed.probes.inspection import Scene
from testbed.probes.mesh import MeshProbe, MeshReport
from testbed.world.protocol import WorldError

NAME = "mesh"
FILE = "mesh.jsonl"
LOOK_S = 0.5
OPEN_S_MAX = 5.0
"""How long the last look waits for a stream, or a slot's reader, that is just being opened anew."""


class MeshInspection:
    """Looks at every keeper, until it is ended.

    Args:
        scene: The run.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._probe = MeshProbe(scene.deployment.topology)
        self._log: Appender | None = None
        self._task: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Begin to look.

        Raises:
            WorldError: The file cannot be written.
        """
        try:
            self._log = Appender(self._scene.folder / "metrics" / FILE)
        except JournalError as error:
            raise WorldError(str(error)) from error
        await self._look()
        self._task = asyncio.create_task(self._watch())

    async def end(self) -> None:
        """Look a last time.

        Raises:
            WorldError: What was seen could not be recorded.
        """
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            (outcome,) = await asyncio.gather(task, return_exceptions=True)
            if isinstance(outcome, Exception):
                raise WorldError(f"the mesh was not watched to the end: {outcome}") from outcome
        loop = asyncio.get_running_loop()
        deadline = loop.time() + OPEN_S_MAX
        while True:
            opened = await self._look()
            if opened or loop.time() > deadline:
                break
            await asyncio.sleep(LOOK_S)
        await self.close()

    async def close(self) -> None:
        """Stop looking; idempotent."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        if self._log is not None:
            self._log.close()
            self._log = None
        await self._probe.close()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            await self._look()

    async def _look(self) -> bool:
        """Record what every keeper sees; whether every stream runs and every slot is read."""
        time = self._scene.now()
        reports = [report for report in await self._probe.reports() if report is not None]
        for report in reports:
            if self._log is not None:
                self._log.append({"time": time, **asdict(report)})
        return all(_opened(report) for report in reports if not report.standby)


def _opened(report: MeshReport) -> bool:
    streams = all(one["running"] and one["received"] for one in report.streams.values())
    # One that is lost is not waited for: it has to be made anew.
    return streams and all(
        one["active"] or one["wal_status"] == "lost" or one["invalidation_reason"] is not None
        for one in report.slots.values()
    )
