"""Drivers: a process for each run, with what it imports there already, on a leash."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from testbed.runner.drivers import Driver, Drivers
from testbed.runner.execute import execute
from testbed.runner.folder import RunFolder
from testbed.world.census import identify
from testbed.world.namespaces import NamespaceWorld

LIMIT_S = 20.0

PLAYER = """
import json, os, pathlib, signal, sys, time
made = [0]
imported_in = os.getpid()

def main(words):
    folder = pathlib.Path(words[0])
    made[0] += 1
    said = {"pid": os.getpid(), "parent": os.getppid(), "session": os.getsid(0),
            "imported_in": imported_in, "made": made[0], "words": list(words)}
    (folder / "said.tmp").write_text(json.dumps(said))
    (folder / "said.tmp").rename(folder / "said")
    print("played", flush=True)
    if "wait" in words:
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(end(folder, "interrupted")))
        while True:
            time.sleep(60)
    if "deaf" in words:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        (folder / "deaf").touch()
        while True:
            time.sleep(60)
    if "break" in words:
        raise RuntimeError("the player broke")
    return end(folder, "finished")

def end(folder, outcome):
    (folder / "ending.json").write_text(json.dumps({"outcome": outcome, "problem": ""}))
    return 0
"""


class Here:
    """A world whose network is the machine's."""

    name = "here"

    def __init__(self, logs: Path) -> None:
        self.logs = logs

    def network_argv(self, node: str, command: Sequence[str]) -> list[str]:
        assert node == "wan"
        return list(command)


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "a_player.py").write_text(PLAYER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return "a_player"


@pytest.fixture
def drivers(tmp_path: Path, module: str) -> Iterator[Drivers]:
    with Drivers(cast(NamespaceWorld, Here(tmp_path / "logs")), module) as made:
        yield made


def begun(drivers: Drivers, folder: Path, *words: str) -> Driver:
    folder.mkdir()
    driver = drivers.start([str(folder), *words], folder / "driver.log")
    assert driver is not None
    return driver


def said(folder: Path, name: str = "said") -> dict[str, Any]:
    """What the player says once it plays."""
    deadline = time.monotonic() + LIMIT_S
    while not (folder / name).exists():
        assert time.monotonic() < deadline, (folder / "driver.log").read_text()
        time.sleep(0.01)
    found: dict[str, Any] = json.loads((folder / "said").read_text())
    return found


def gone(pid: int) -> bool:
    deadline = time.monotonic() + LIMIT_S
    while identify(pid) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_each_run_has_a_process_of_its_own_that_imports_nothing(
    drivers: Drivers, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        assert begun(drivers, tmp_path / name).wait(LIMIT_S)
    one, two = said(tmp_path / "one"), said(tmp_path / "two")
    assert one["pid"] != two["pid"]
    assert one["parent"] == two["parent"] == one["imported_in"] == two["imported_in"]
    # What one run leaves in memory is not there in the next.
    assert one["made"] == two["made"] == 1
    # A session of its own: a signal of the terminal and the priority of its group are its own.
    assert one["session"] == one["pid"]
    assert (tmp_path / "one" / "driver.log").read_text() == "played\n"


def test_a_driver_that_is_killed_leaves_no_ending_and_the_next_one_plays(
    drivers: Drivers, tmp_path: Path
) -> None:
    driver = begun(drivers, tmp_path / "one", "wait")
    said(tmp_path / "one")
    assert not driver.wait(0.05)
    os.kill(driver.pid, signal.SIGKILL)
    assert driver.wait(LIMIT_S)
    assert not (tmp_path / "one" / "ending.json").exists()
    assert begun(drivers, tmp_path / "two").wait(LIMIT_S)
    assert said(tmp_path / "two")["parent"] == said(tmp_path / "one")["parent"]


def test_a_driver_that_is_stopped_writes_its_ending(drivers: Drivers, tmp_path: Path) -> None:
    driver = begun(drivers, tmp_path / "one", "wait")
    said(tmp_path / "one")
    driver.stop()
    assert gone(driver.pid)
    assert json.loads((tmp_path / "one" / "ending.json").read_text())["outcome"] == "interrupted"
    driver.stop()


def test_a_driver_that_does_not_stop_is_killed(
    drivers: Drivers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("testbed.runner.drivers._STOP_LIMIT_S", 0.1)
    driver = begun(drivers, tmp_path / "one", "deaf")
    said(tmp_path / "one", "deaf")
    driver.stop()
    assert gone(driver.pid)


def test_a_driver_dies_with_its_server_and_the_next_one_gets_another(
    drivers: Drivers, tmp_path: Path
) -> None:
    driver = begun(drivers, tmp_path / "one", "wait")
    first = said(tmp_path / "one")["parent"]
    os.kill(first, signal.SIGKILL)
    assert driver.wait(LIMIT_S)
    assert gone(driver.pid)
    assert begun(drivers, tmp_path / "two").wait(LIMIT_S)
    assert said(tmp_path / "two")["parent"] != first


def test_nothing_is_left_when_the_drivers_are_closed(drivers: Drivers, tmp_path: Path) -> None:
    driver = begun(drivers, tmp_path / "one", "wait")
    server = said(tmp_path / "one")["parent"]
    drivers.close()
    assert gone(driver.pid)
    assert gone(server)
    drivers.close()


CALLER = """
import sys
from pathlib import Path
from testbed.runner.drivers import Drivers

class Here:
    logs = Path(sys.argv[1]) / "logs"
    def network_argv(self, node, command):
        return list(command)

folder = Path(sys.argv[1])
Drivers(Here(), "a_player").start([str(folder), "deaf"], folder / "driver.log").wait()
"""


def test_nothing_outlives_a_caller_that_is_killed(module: str, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    caller = subprocess.Popen([sys.executable, "-c", CALLER, str(folder)])
    try:
        found = said(folder, "deaf")
    finally:
        caller.kill()
        caller.wait()
    assert gone(found["pid"])
    assert gone(found["parent"])


def test_a_run_that_ends_says_how(drivers: Drivers, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "one")
    folder.path.mkdir()
    assert execute(drivers, folder, tmp_path / "progress", 3).outcome == "finished"
    words = said(folder.path)["words"]
    assert words == [str(folder.path), "--progress", str(tmp_path / "progress"), "--lane", "3"]


def test_a_run_that_broke_says_why(drivers: Drivers, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    assert begun(drivers, folder, "break").wait(LIMIT_S)
    log = (folder / "driver.log").read_text()
    assert "RuntimeError: the player broke" in log
    assert begun(drivers, tmp_path / "two").wait(LIMIT_S)
    assert said(tmp_path / "two")["made"] == 1


def test_a_driver_that_cannot_be_started_says_why(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "one")
    folder.path.mkdir()
    with Drivers(cast(NamespaceWorld, Here(tmp_path / "logs")), "no_such_module") as drivers:
        ended = execute(drivers, folder)
    assert ended.outcome == "failed"
    assert "No module named 'no_such_module'" in ended.problem
