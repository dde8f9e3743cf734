"""Brings a world up: from its golden snapshot in seconds, or by Ansible from nothing."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from testbed.provision.ansible import provision
from testbed.provision.golden import golden_folder, golden_held, golden_key
from testbed.provision.program_paths import program_variables
from testbed.provision.programs import start_all
from testbed.provision.progress import Listener, Progress, Stopwatch
from testbed.toolchain.cache import root
from testbed.topology.model import Deployment
from testbed.world import namespaces
from testbed.world.finding import require_free
from testbed.world.logs import new_logs_folder
from testbed.world.namespaces import NamespaceWorld, Owner


@dataclass(frozen=True, slots=True)
class _Way:
    """How a world is brought up.

    Args:
        name: Keeps the durations of one way apart from those of another.
        typical_s: How long it takes on two cores, for the first estimate of all.
    """

    name: str
    typical_s: float


_FROM_GOLDEN = _Way("start", 6.0)
_MAKING_GOLDEN = _Way("snapshot-and-start", 35.0)
_FRESH = _Way("provision", 25.0)
_EMPTY = _Way("empty", 1.0)


def bring_up(
    deployment: Deployment,
    name: str,
    *,
    logs: Path | None = None,
    owner: Owner = Owner.DETACHED,
    fresh: bool = False,
    empty: bool = False,
    listener: Listener | None = None,
) -> NamespaceWorld:
    """Make a world of a deployment, with every program running and healthy.

    Until it is, the world hangs on the calling process: whatever happens meanwhile, an interrupt
    or SIGKILL included, nothing of it is left.

    Args:
        deployment: What to bring up.
        name: The world's name.
        logs: Folder for its logs; by default a new one below ``logs_folder()``.
        owner: Whether the finished world dies with this process or lives until ``down``.
        fresh: Provision by Ansible even where a golden snapshot is there.
        empty: Make nodes and links only, with no program: somebody provisions it later.
        listener: Told how far it is.

    Raises:
        WorldError: The name is taken, or the kernel refuses the world.
        ToolchainError: A program is missing.
        ProvisionError: A program did not become healthy.
    """
    require_free(name)
    programs = program_variables(deployment.topology)
    way = _EMPTY if empty else _way(deployment, programs, fresh=fresh)
    record = root() / "durations" / f"up-{deployment.name}-{way.name}.json"
    stopwatch = Stopwatch(record, _estimating(way, listener))
    made = new_logs_folder(name) if logs is None else logs
    world: NamespaceWorld | None = None
    try:
        with _snapshot(deployment, programs, stopwatch, fresh=fresh or empty) as lowers:
            stopwatch.mark("Make the nodes")
            world = namespaces.create(
                name,
                deployment.topology,
                logs=made,
                lowers=lowers,
                deployment=deployment.name,
                variables=deployment.variables,
            )
        if empty:
            stopwatch.mark("Leave it empty")
        elif fresh:
            provision(world, deployment, programs, listener=_into(stopwatch))
        else:
            stopwatch.mark("Start every program")
            start_all(world)
        stopwatch.finish()
        if owner is Owner.DETACHED:
            world.keep()
    except BaseException as error:
        if world is not None:
            world.down()
        # An error's message names the logs that show it; an interrupt needs none.
        if logs is None and isinstance(error, KeyboardInterrupt):
            shutil.rmtree(made, ignore_errors=True)
        raise
    return world


@contextlib.contextmanager
def _snapshot(
    deployment: Deployment, programs: Mapping[str, str], stopwatch: Stopwatch, *, fresh: bool
) -> Iterator[Mapping[str, Path]]:
    """The folders that a world starts from, kept inside; none for a fresh one."""
    if fresh:
        yield {}
        return
    stopwatch.mark("Look for the snapshot")
    with golden_held(deployment, programs, listener=_into(stopwatch)) as golden:
        yield golden.lowers


def _way(deployment: Deployment, programs: Mapping[str, str], *, fresh: bool) -> _Way:
    if fresh:
        return _FRESH
    present = (golden_folder() / golden_key(deployment, programs)).is_dir()
    return _FROM_GOLDEN if present else _MAKING_GOLDEN


def _estimating(way: _Way, listener: Listener | None) -> Listener | None:
    """A listener whose estimate is the typical one where this machine has shown none yet."""
    if listener is None:
        return None

    def listen(progress: Progress) -> None:
        # One that takes longer than is typical gets no estimate instead of a wrong one.
        if progress.remaining_s is None and progress.seconds < way.typical_s:
            remaining_s = way.typical_s - progress.seconds
            progress = dataclasses.replace(progress, remaining_s=remaining_s)
        listener(progress)

    return listen


def _into(stopwatch: Stopwatch) -> Listener:
    """A listener that hands the steps of a part to the stopwatch of the whole."""
    return lambda progress: stopwatch.mark(progress.task, progress.node)
