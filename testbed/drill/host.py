"""Hosts one drill: its world, its player and its debrief: ``python -m testbed.drill.host FOLDER``.

It is a process of its own, so that a drill outlives the terminal that it is driven from: long
enough to heal, to verify and to say so. Its world dies with it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

from testbed.clients.catalogue import versions
from testbed.drill.book import FILE as BOOK
from testbed.drill.channel import RUN, SOCKET
from testbed.drill.debrief_file import write_debrief
from testbed.drill.drill import Drill
from testbed.drill.drill_file import DrillFileError
from testbed.drill.outcome import outcome_of
from testbed.drill.session_file import Setup, drill_of, read_setup
from testbed.history.problem import HistoryError
from testbed.metrics.alarms import alarmed
from testbed.metrics.exporter import MetricsError, served
from testbed.provision.bring_up import bring_up
from testbed.provision.error import ProvisionError
from testbed.provision.progress import Progress
from testbed.report.folder import RunFolderError
from testbed.report.report_file import ReportError, write_report
from testbed.runner.drivers import Drivers
from testbed.runner.execute import execute, prepare
from testbed.runner.folder import FolderError, RunFolder
from testbed.runner.plan import Plan
from testbed.runner.plan_document import PlanError
from testbed.toolchain.error import ToolchainError
from testbed.topology.inventory import reference
from testbed.topology.model import Deployment
from testbed.world.finding import find_running
from testbed.world.namespaces import NamespaceWorld, Owner
from testbed.world.protocol import WorldError

INSPECTIONS = {"replication_lag": ("replication",)}
"""What the promises of an experiment need to be looked at besides."""


class HostError(Exception):
    """The drill cannot be played in the world that was named; the message says why."""


_EXPECTED = (
    HostError,
    MetricsError,
    WorldError,
    ProvisionError,
    ToolchainError,
    FolderError,
    PlanError,
    HistoryError,
    DrillFileError,
)


def plan_of(drill: Drill, deployment: Deployment) -> Plan:
    """The plan of a drill before it is played."""
    end_s = max(one.step.at_s + (one.step.duration_s or 0.0) for one in drill.injects)
    stated = {name: deployment.variables[name] for name in drill.settings}
    return Plan(
        deployment=reference(deployment.folder),
        load=drill.load,
        schedule=tuple(one.step for one in drill.injects),
        seed=drill.seed,
        duration_s=end_s,
        variables=stated,
        experiment=drill.objective.promises,
        inspections=INSPECTIONS.get(drill.objective.promises, ()),
    )


def host(path: Path) -> int:
    """Play the drill of a prepared folder to its end; the exit code of its outcome.

    Raises:
        HostError: The named world is another deployment's.
        WorldError: There is no such world, or it could not be made; and what else can fail below.
    """
    drill, deployment = drill_of(path)
    setup = read_setup(path)
    folder = RunFolder(path / RUN)
    world = _world(path, deployment, setup.world)
    try:
        programs = versions(deployment.topology)
        prepare(folder, plan_of(drill, deployment), deployment, world.name, programs)
        _say("world", "the world is up")
        with _metrics(setup, folder), Drivers(world, "testbed.drill.play") as drivers:
            execute(drivers, folder)
        found = outcome_of(folder, drill)
        write_debrief(path, drill, found)
        _report(folder)
    finally:
        if not setup.world:
            world.down()
    return found.exit_code


@contextlib.contextmanager
def _metrics(setup: Setup, folder: RunFolder) -> Iterator[None]:
    """Metrics are served inside where they were asked for, and alerts are watched for."""
    if setup.alerts:
        with alarmed(folder, setup.metrics_port or 0) as exporter:
            _say("metrics", f"{exporter.url}, watched by Prometheus")
            yield
    elif setup.metrics_port is not None:
        with served(setup.metrics_port) as exporter:
            exporter.follow(folder)
            _say("metrics", exporter.url)
            yield
    else:
        yield


def _report(folder: RunFolder) -> None:
    """The page of the run; the outcome does not hang on it."""
    try:
        write_report(folder.path)
    except (ReportError, RunFolderError) as error:
        _say("problem", str(error))


def _world(path: Path, deployment: Deployment, name: str) -> NamespaceWorld:
    """The world that was named, or a new one that dies with this process."""
    if name:
        return _fitting(find_running(name), deployment)
    return bring_up(
        deployment,
        f"drill-{os.getpid()}",
        logs=path / "logs",
        owner=Owner.RUNNER,
        listener=lambda progress: _say("bring-up", _told(progress)),
    )


def _fitting(world: NamespaceWorld, deployment: Deployment) -> NamespaceWorld:
    """Refuse a world that was made of something else than the drill asks for."""
    differing = [
        f"{name} is {world.variables.get(name)!r}, not {value!r}"
        for name, value in deployment.variables.items()
        if _plain(world.variables.get(name)) != _plain(value)
    ]
    if world.topology != deployment.topology:
        differing.append("its regions, links or nodes are others")
    if differing:
        raise HostError(
            f"world {world.name!r} does not fit this drill: {'; '.join(differing)}. Leave --world "
            f"out, or bring up one with `testbed up --deployment {deployment.name}` and --set"
        )
    return world


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple | list) else value


def _told(progress: Progress) -> str:
    left = progress.remaining_s
    said = f"{progress.task} {progress.node}".strip()
    return said if left is None else f"{said}, about {max(1, round(left))} s left"


def _say(kind: str, text: str) -> None:
    """A line for the terminal that started this process."""
    print(f"{kind}: {text}", flush=True)


def _end_with_starter() -> None:
    """End when the terminal that started this goes away before anybody plays.

    Once the drill is played it heals first: its player sees for itself that the driver is gone.
    """

    def wait() -> None:
        # Not through sys.stdin: its lock would be held when the interpreter ends.
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGUSR1)

    threading.Thread(target=wait, daemon=True, name="starter").start()


def _interrupt(number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt(signal.Signals(number).name)


def main() -> int:
    """Entry point of the host's process."""
    parser = argparse.ArgumentParser(prog="python -m testbed.drill.host", description=__doc__)
    parser.add_argument("folder", type=Path)
    path = parser.parse_args().folder.absolute()

    def gone(number: int, frame: FrameType | None) -> None:
        if not (path / RUN / SOCKET).exists() and not (path / RUN / BOOK).exists():
            _interrupt(number, frame)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGUSR1, gone)
    _end_with_starter()
    try:
        return host(path)
    except _EXPECTED as error:
        _say("problem", str(error))
        return int(getattr(error, "exit_code", 3))
    except Exception:  # noqa: BLE001 - the last place: a defect must not look like an outcome
        _say("problem", f"a defect of the testbed:\n{traceback.format_exc()}")
        return 3
    except KeyboardInterrupt:
        _say("problem", "it was ended before it was done; its world has ended too")
        return 3


if __name__ == "__main__":
    sys.exit(main())
