"""Executes a plan in a world: the driver's process, from outside."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.clients.catalogue import system_of
from testbed.runner.folder import FolderError, RunFolder, read_json, write_json
from testbed.runner.plan import Plan
from testbed.runner.plan_document import to_document as plan_document
from testbed.topology.document import to_document as deployment_document
from testbed.topology.model import Deployment
from testbed.world.namespaces import WAN, NamespaceWorld

_STOP_LIMIT_S = 20.0
_PRIORITY = -10


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended.

    Args:
        outcome: ``finished``, ``failed`` (the environment did) or ``interrupted``.
        problem: What stopped it and what to do; empty for a finished run.
    """

    outcome: str
    problem: str


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
    world: NamespaceWorld,
    folder: RunFolder,
    progress: Path | None = None,
    lane: int = 0,
    *,
    driver_module: str = "testbed.runner.drive",
) -> Ending:
    """Run the plan of a prepared folder in a world and wait for its end.

    On an interrupt the driver is told to heal and stop, and the interrupt goes on.

    Args:
        world: Where.
        folder: As ``prepare`` left it.
        progress: File that progress events are added to; None for none.
        lane: The world's number in those events.
        driver_module: What plays the plan; it takes the same arguments and leaves the same files.

    Raises:
        KeyboardInterrupt: The user gave up; what was recorded so far is in the folder.
    """
    command = [sys.executable, "-m", driver_module, str(folder.path)]
    if progress is not None:
        command += ["--progress", str(progress), "--lane", str(lane)]
    marks = _log_sizes(world.logs)
    output = folder.path / "driver.log"
    with output.open("wb") as sink:
        driver = subprocess.Popen(
            world.network_argv(WAN, command),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=environment(),
        )
        favour(driver.pid)
        try:
            driver.wait()
        except BaseException:
            _stop(driver)
            raise
        finally:
            _keep_logs(world.logs, folder.logs, marks)
    return ending(folder, output)


def favour(pid: int) -> None:
    """Give the leader of a session a better priority than what it measures, where root allows it.

    The clients' clock must not wait behind the load. Where the kernel groups processes by session
    (``sched_autogroup_enabled``), a nice value counts within the session only: the group has one
    of its own.
    """
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, _PRIORITY)
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(_PRIORITY), encoding="ascii")


def ending(folder: RunFolder, output: Path | None = None) -> Ending:
    """How a run ended, from its folder; a run that left no word was killed."""
    try:
        document = read_json(folder.ending)
        return Ending(str(document["outcome"]), str(document.get("problem", "")))
    except (FolderError, KeyError, TypeError) as error:
        tail = _tail(output) if output is not None else ""
        return Ending("failed", f"the run left no ending ({error}){tail}")


def environment() -> dict[str, str]:
    """The caller's, with this very testbed importable also outside an installed environment."""
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}


def _stop(driver: subprocess.Popen[bytes]) -> None:
    """Let the driver heal and write its ending; kill it when it does not."""
    if driver.poll() is None:
        driver.send_signal(signal.SIGTERM)
        try:
            driver.wait(_STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            driver.kill()
            driver.wait()


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


def _tail(path: Path) -> str:
    try:
        lines = path.read_text(errors="replace").strip().splitlines()[-3:]
    except OSError:
        return ""
    return ": " + " | ".join(lines) if lines else ""
