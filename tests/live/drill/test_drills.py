"""Drills as a user plays them, one after the other in one world."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from testbed.drill.book import Entry, read_book
from testbed.runner.folder import FolderError
from testbed.world.finding import find_running

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[3]
DRILLS = ROOT / "experiments" / "drills"
WORLD = "drill-live"
EU = "synchronous_regions=eu-west,eu-central"
ALL = sorted(DRILLS.glob("*.yml"))
IN_ONE_WORLD = [
    path for path in ALL if yaml.safe_load(path.read_text())["deployment"] == "active-passive"
]


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "testbed.cli.main", *words]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command(*words), env=env, capture_output=True, text=True, timeout=200, check=False
    )


@pytest.fixture(scope="module")
def world() -> Iterator[None]:
    made = run("up", "--name", WORLD, "--set", EU)
    assert made.returncode == 0, made.stderr
    yield
    run("down", WORLD)


def short(tmp_path: Path, name: str, **changes: Any) -> Path:
    """A shipped drill with the shortest times that still show something."""
    document = yaml.safe_load((DRILLS / f"{name}.yml").read_text())
    document["steady_state"]["measured_s"] = 1
    for inject in document["injects"]:
        inject |= {"at_s": 0.5, "for_s": 5}
    document |= changes
    path = tmp_path / f"{name}.yml"
    path.write_text(yaml.safe_dump(document))
    return path


def book(out: Path) -> tuple[Entry, ...]:
    try:
        return read_book(out / "run")
    except FolderError:
        return ()


def entry(out: Path, kind: str, what: str) -> Entry | None:
    return next((one for one in book(out) if (one.kind, one.what) == (kind, what)), None)


def await_(condition: Callable[[], Any], what: str, limit_s: float) -> Any:
    deadline = time.monotonic() + limit_s
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {limit_s:g} s: {what}"
        time.sleep(0.02)
    return found


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("drill", IN_ONE_WORLD, ids=lambda path: path.stem)
def test_a_shipped_drill_holds_its_objective_without_people(drill: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = run("drill", str(drill), "--auto", "--world", WORLD, "--out", str(out))
    assert done.returncode == 0, done.stdout + done.stderr
    card = json.loads((out / "scorecard.json").read_text())
    assert card["outcome"] == "held"
    # None where the promises of lag are asked: what they measure is no loss.
    assert card["lost_writes"] in (0, None)
    items = [one for one in book(out) if one.kind == "preflight"]
    assert len(items) == 5
    assert all(one.good for one in items)
    assert "the objective was held" in (out / "debrief.html").read_text()
    assert "the objective was held" in (out / "debrief.md").read_text()
    assert (out / "run" / "report.html").exists()


@pytest.mark.usefixtures("world")
def test_a_drivers_terminal_that_is_killed_leaves_nothing_broken(tmp_path: Path) -> None:
    """Everything is healed within two seconds, verified, said, and the debrief is written."""
    out = tmp_path / "out"
    file = short(tmp_path, "slow-link")
    document = yaml.safe_load(file.read_text())
    for inject in document["injects"]:
        inject["for_s"] = 60
    file.write_text(yaml.safe_dump(document))
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    argv = command("drill", str(file), "--auto", "--world", WORLD, "--out", str(out))
    with subprocess.Popen(
        argv, env=env, stdout=subprocess.DEVNULL, start_new_session=True
    ) as driver:
        name = document["injects"][1]["name"]
        await_(lambda: entry(out, "inject", name), "both links are slow", 60)
        killed_s = time.monotonic()
        driver.send_signal(signal.SIGKILL)
        healed = await_(lambda: entry(out, "healed", "halt"), "everything is healed", 10)
        assert time.monotonic() - killed_s < 2.0
    halted = entry(out, "halt", "halted")
    assert halted is not None
    assert halted.text == "the driver's terminal is gone"
    assert (healed.time_ns - halted.time_ns) / 1e9 < 2.0
    assert healed.good, healed.text
    await_((out / "scorecard.json").exists, "the debrief is written", 60)
    card = json.loads((out / "scorecard.json").read_text())
    assert (card["outcome"], card["exit_code"]) == ("inconclusive", 2)
    assert find_running(WORLD).alive()


EVERY = "TESTBED_EVERY_DRILL"
"""Set it to play every drill in a world of its own, and every control: a minute or two each."""


@pytest.mark.skipif(not os.environ.get(EVERY), reason=f"takes a minute or two each: set {EVERY}")
@pytest.mark.parametrize("control", [False, True], ids=["held", "control"])
@pytest.mark.parametrize("drill", ALL, ids=lambda path: path.stem)
def test_every_shipped_drill_holds_and_its_control_does_not(
    drill: Path, control: bool, tmp_path: Path
) -> None:
    words = ["--control"] if control else []
    done = run("drill", str(drill), "--auto", *words, "--out", str(tmp_path / "out"))
    assert done.returncode == (1 if control else 0), done.stdout + done.stderr
