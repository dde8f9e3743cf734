"""A lane works in a folder of its own: what it is told must mean there what it means here."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiments.options import Options
from experiments.suite import Suite
from testbed.topology.inventory import find, reference
from testbed.topology.shipped import inventories


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An inventory of a user's own, in the working directory."""
    folder = tmp_path / "inventory" / "shop"
    shutil.copytree(inventories() / "active-passive", folder)
    monkeypatch.chdir(tmp_path)
    return folder


def deployment_of_lane(tmp_path: Path, deployment: str) -> str:
    options = Options(deployment, (), tmp_path / "out", 1.0, 1, 0, 0, None)
    command = Suite("experiments.failover", options, 1)._command(0, tmp_path / "lanes")
    return command[command.index("--deployment") + 1]


@pytest.mark.parametrize("name", ["inventory/shop", "./inventory/shop"])
def test_a_relative_path_reaches_the_lane_as_an_absolute_one(shop, tmp_path, name):
    assert deployment_of_lane(tmp_path, name) == str(shop)


def test_a_shipped_name_stays_one(tmp_path):
    assert deployment_of_lane(tmp_path, "active-passive") == "active-passive"


def test_a_plan_names_its_deployment_so_that_it_is_found_again(shop, tmp_path, monkeypatch):
    assert reference(shop) == "./inventory/shop"
    assert find(reference(shop)) == shop
    assert reference(inventories().resolve() / "active-active") == "active-active"
    # From elsewhere only the whole path is one.
    monkeypatch.chdir(inventories())
    assert reference(shop) == str(shop)
    assert find(reference(shop)) == shop


LONG = """
import os, pathlib, time

def test_long():
    place = pathlib.Path(os.environ["PLACE"])
    try:
        (place / "began").touch()
        time.sleep(60)
    except KeyboardInterrupt:
        (place / "interrupted").touch()
        raise
"""
SUITE = """
import sys, time
from pathlib import Path
from experiments.options import Options
from experiments.suite import Suite

suite = Suite("a_long_experiment", Options(None, (), Path(sys.argv[1]), 1.0, 1, 0, 0, None), 1)
suite.start()
time.sleep(300)
"""


def test_a_lane_ends_with_a_suite_that_is_killed(tmp_path):
    """It is interrupted, and so has time to end its world; also when nobody heard interrupts."""
    (tmp_path / "a_long_experiment.py").write_text(LONG)
    paths = [str(tmp_path), str(inventories().parent)]
    suite = subprocess.Popen(
        ["env", "--ignore-signal=INT", sys.executable, "-c", SUITE, str(tmp_path / "out")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PLACE": str(tmp_path)},
    )
    try:
        wait_for(tmp_path / "began")
    finally:
        suite.send_signal(signal.SIGKILL)
        suite.wait()
    wait_for(tmp_path / "interrupted")


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.05)
