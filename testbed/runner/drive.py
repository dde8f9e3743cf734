"""Drives one run from inside the world's network: ``python -m testbed.runner.drive FOLDER``.

The folder holds ``plan.json`` and ``deployment.json``. Exit code 0 when the run came to its end
(whatever it showed), 3 when it did not; ``ending.json`` says why.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from faults.protocol import FaultError
from testbed.history.journal import JournalError
from testbed.runner import stage
from testbed.runner.announcer import Announcer
from testbed.runner.ending import EndingFile, play_alone
from testbed.runner.folder import EvidenceLog, FolderError, RunFolder
from testbed.runner.frame import Frame
from testbed.runner.plan_document import PlanError
from testbed.runner.progress import Phase
from testbed.runner.setting import Setting, opened, watched
from testbed.runner.timeline import Timeline
from testbed.world.protocol import WorldError

STEADY_LIMIT_S = 90.0
RECOVERY_LIMIT_S = 120.0
MESH_RECOVERY_LIMIT_S = 30.0
"""Streams wait for no lease: those that have not come back by then are stuck."""

_EXPECTED = (stage.StageError, FaultError, JournalError, FolderError, PlanError, WorldError)


async def _load_and_break(setting: Setting, frame: Frame) -> None:
    """Load and schedule together; the first of them that fails ends both."""
    plan = setting.plan
    context = setting.context()
    evidence = EvidenceLog(setting.folder.evidence)
    timeline = Timeline(plan.schedule, context, setting.clock, setting.journal, evidence)
    setting.announcer.tell(Phase("load", remaining_s=plan.duration_s))
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(frame.load(plan.duration_s))
            group.create_task(timeline.play(setting.clock.now()))
    except* _EXPECTED as failures:
        raise failures.exceptions[0] from None
    finally:
        evidence.close()


async def _stages(setting: Setting) -> None:
    frame = Frame(setting)
    await stage.steady(setting.probe, STEADY_LIMIT_S, setting.announcer)
    await frame.begin(STEADY_LIMIT_S)
    await _load_and_break(setting, frame)
    usual_s = RECOVERY_LIMIT_S if setting.system.leases else MESH_RECOVERY_LIMIT_S
    await frame.end(setting.plan.recovery_s or usual_s)


async def _inspect(setting: Setting) -> None:
    """What the plan's inspections look at in the end: when nobody watches any more."""
    if setting.inspections:
        setting.announcer.tell(Phase("final-reads", detail=", ".join(setting.plan.inspections)))
    for inspection in setting.inspections:
        await inspection.end()


async def _drive(folder: RunFolder, announcer: Announcer) -> None:
    """Run the plan; ``ending.json`` is written however it ends."""
    with EndingFile(folder, _EXPECTED) as ending:
        async with opened(folder, announcer) as setting:
            ending.clock(setting.clock)
            async with watched(setting) as gauge:
                try:
                    await _stages(setting)
                finally:
                    ending.pressure(gauge.reading())
            await _inspect(setting)


async def _until_signalled(folder: RunFolder, announcer: Announcer) -> None:
    task = asyncio.create_task(_drive(folder, announcer))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    await task


def main(words: Sequence[str] | None = None) -> int:
    """Entry point of the driver's process."""
    parser = argparse.ArgumentParser(prog="python -m testbed.runner.drive", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--progress", type=Path, help="file that progress events are added to")
    parser.add_argument("--lane", type=int, default=0)
    arguments = parser.parse_args(words)
    folder = RunFolder(arguments.folder)
    announcer = Announcer(arguments.progress, arguments.lane)
    return play_alone(folder, _until_signalled(folder, announcer))


if __name__ == "__main__":
    sys.exit(main())
