"""Plays one drill from inside the world's network: ``python -m testbed.drill.play FOLDER``.

It leaves the files of a run, and beside them ``drill.jsonl``: what happened and what people said.
Exit code 0 when it came to its end (whatever it showed), 3 when it did not.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

from faults.protocol import FaultError
from testbed.drill.book import Book
from testbed.drill.direction import Direction
from testbed.drill.drill import Drill
from testbed.drill.drill_file import DrillFileError
from testbed.drill.preflight import Preflight, PreflightError
from testbed.drill.readings import WatchedRecorder
from testbed.drill.session_file import drill_of, read_setup
from testbed.history.journal import JournalError
from testbed.runner import stage
from testbed.runner.announcer import Announcer
from testbed.runner.ending import EndingFile, play_alone
from testbed.runner.folder import EvidenceLog, FolderError, RunFolder, write_json
from testbed.runner.frame import Frame
from testbed.runner.plan_document import PlanError, to_document
from testbed.runner.setting import Setting, opened, watched
from testbed.world.protocol import WorldError

SETUP_LIMIT_S = 60.0
CALM_S = 3.0
"""Steady for so long after the last heal, the load may end."""

SICK_S = 10.0
"""How long a mark is awaited at least in a world that did not become healthy."""

MARK_S = 75.0
"""How long after the heal it is, in such a world: beyond the bound of a recovery, or one that never
came would be no broken promise."""

LOAD_S_MAX = 4 * 3600.0
_POLL_S = 0.1
_EXPECTED = (
    stage.StageError,
    FaultError,
    JournalError,
    FolderError,
    PlanError,
    WorldError,
    PreflightError,
    DrillFileError,
)


async def _stages(setting: Setting, drill: Drill, direction: Direction) -> None:
    frame = Frame(setting)
    direction.phase("preflight", "every item is checked before anything begins")
    preflight = Preflight(
        drill,
        direction.book,
        context=direction.context,
        world=direction.world,
        probe=setting.probe,
        signals=direction.signals,
    )
    await direction.unless_stopped(preflight.world())
    await frame.begin(SETUP_LIMIT_S)
    async with _load(frame):
        await direction.unless_stopped(preflight.under_load())
        await direction.play()
        healthy = await _calm(drill, setting, direction)
    direction.phase("ending", "a mark written now is awaited at every node, then all is read")
    # What was not healthy in its time has no right to as much again.
    healthy_s = drill.rollback.healthy_s
    await frame.end(healthy_s if healthy else max(SICK_S, MARK_S - healthy_s))


@contextlib.asynccontextmanager
async def _load(frame: Frame) -> AsyncIterator[None]:
    """The clients work inside, and end what they have begun after it."""
    enough = asyncio.Event()
    task = asyncio.create_task(frame.load(LOAD_S_MAX, enough))
    try:
        yield
    finally:
        enough.set()
        await task


async def _calm(drill: Drill, setting: Setting, direction: Direction) -> bool:
    """Wait until the world is healthy after the last heal, at most as long as the drill says.

    Returns:
        Whether it became so.
    """
    direction.phase("recovering", "everything is healed; the steady state is awaited")
    loop = asyncio.get_running_loop()
    deadline = loop.time() + drill.rollback.healthy_s
    since: float | None = None
    while loop.time() < deadline:
        bad = direction.unsteady() or await setting.probe.problems()
        since = None if bad else since or loop.time()
        if since is not None and loop.time() - since >= CALM_S:
            direction.book.note("healed", "healthy", "the steady state is back", good=True)
            return True
        await asyncio.sleep(_POLL_S)
    said = "; ".join([*direction.unsteady(), *await setting.probe.problems()])
    direction.book.note("healed", "healthy", f"it did not become healthy: {said}", good=False)
    return False


async def _drive(folder: RunFolder, stopping: asyncio.Event) -> None:
    """Play the drill; ``ending.json`` is written however it ends."""
    with EndingFile(folder, _EXPECTED) as ending:
        drill, _ = drill_of(folder.path.parent)
        setup = read_setup(folder.path.parent)
        async with opened(folder, Announcer(None, 0)) as first:
            recorder = WatchedRecorder(first.journal, first.clock)
            setting = replace(first, recorder=recorder)
            ending.clock(setting.clock)
            await _directed(setting, drill, setup.auto, stopping, ending)


async def _directed(
    setting: Setting, drill: Drill, auto: bool, stopping: asyncio.Event, ending: EndingFile
) -> None:
    folder = setting.folder
    book = Book(folder.path, setting.clock.now)
    evidence = EvidenceLog(folder.evidence)
    context = setting.context()
    direction = Direction(setting, drill, book, evidence, context, auto=auto)
    try:
        async with watched(setting) as gauge, direction.watching(stopping):
            try:
                await _stages(setting, drill, direction)
            except _EXPECTED as error:
                book.note("halt", "failed", str(error), good=False)
                raise
            finally:
                ending.pressure(gauge.reading())
                write_json(folder.plan, to_document(direction.plan_as_played()))
            for inspection in setting.inspections:
                await inspection.end()
            direction.phase("ended", "the debrief is written")
    finally:
        evidence.close()
        book.close()


async def _until_signalled(folder: RunFolder) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stopping.set)
    await _drive(folder, stopping)


def main(words: Sequence[str] | None = None) -> int:
    """Entry point of the player's process."""
    parser = argparse.ArgumentParser(prog="python -m testbed.drill.play", description=__doc__)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args(words)
    folder = RunFolder(arguments.folder)
    return play_alone(folder, _until_signalled(folder))


if __name__ == "__main__":
    sys.exit(main())
