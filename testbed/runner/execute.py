"""Executes a plan in a world: the driver's process, from outside."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from testbed.clients.catalogue import system_of
from testbed.runner.drivers import Drivers
from testbed.runner.ending import Ending, ending
from testbed.runner.folder import FolderError, RunFolder, write_json
from testbed.runner.plan import Plan
from testbed.runner.plan_document import to_document as plan_document
from testbed.topology.document import to_document as deployment_document
from testbed.topology.model import Deployment


def prepare(
    folder: RunFolder,
    plan: Plan,
    deployment: Deployment,
    world: str,
    programs: dict[str, str],
) -> None:
    """Make the run folder and write the plan, before anything runs.

    Args:
        folder: Must not exist yet.
        plan: What will run.
        deployment: Topology and variables that it runs on.
        world: Name of the world.
        programs: Version by program.

    Raises:
        FolderError: It exists already or can't be written.
    """
    try:
        folder.path.mkdir(parents=True)
        folder.metrics.mkdir()
    except OSError as error:
        raise FolderError(f"{folder.path} cannot be made: {error.strerror}") from error
    write_json(folder.plan, plan_document(plan))
    document: dict[str, Any] = {
        "deployment": deployment_document(deployment),
        "world": world,
        "system": system_of(deployment.topology),
        # Only to keep the rows of this run apart from those of earlier ones: no time is read off.
        "space": time.time_ns() // 1_000_000,
        "programs": programs,
    }
    write_json(folder.deployment, document)


def execute(
    drivers: Drivers, folder: RunFolder, progress: Path | None = None, lane: int = 0
) -> Ending:
    """Run the plan of a prepared folder in a world and wait for its end.

    On an interrupt the driver is told to heal and stop, and the interrupt goes on.

    Args:
        drivers: Of the world; what plays the plan takes the same arguments and leaves the same
            files as ``testbed.runner.drive``.
        folder: As ``prepare`` left it.
        progress: File that progress events are added to; None for none.
        lane: The world's number in those events.

    Raises:
        WorldError: The world has ended.
        KeyboardInterrupt: The user gave up; what was recorded so far is in the folder.
    """
    words = [str(folder.path)]
    if progress is not None:
        words += ["--progress", str(progress), "--lane", str(lane)]
    logs = drivers.world.logs
    marks = _log_sizes(logs)
    output = folder.path / "driver.log"
    driver = drivers.start(words, output)
    try:
        if driver is not None:
            driver.wait()
    except BaseException:
        if driver is not None:
            driver.stop()
        raise
    finally:
        _keep_logs(logs, folder.logs, marks)
    return ending(folder, output)


def _log_sizes(logs: Path) -> dict[Path, int]:
    return {path: path.stat().st_size for path in logs.glob("*/*") if path.is_file()}


def _keep_logs(logs: Path, kept: Path, marks: dict[Path, int]) -> None:
    """Copy what every program logged since the marks; logs are worth no failed run."""
    for path in sorted(logs.glob("*/*")):
        try:
            with path.open("rb") as source:
                source.seek(marks.get(path, 0))
                text = source.read()
            target = kept / path.relative_to(logs)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text)
        except OSError:
            continue
