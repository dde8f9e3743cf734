"""Drills as a user plays them, one after the other in one world."""

from __future__ import annotations

import contextlib
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


def endless(tmp_path: Path, name: str, **changes: Any) -> Path:
    """A shipped drill that begins at once and would hold for longer than any test waits."""
    document = yaml.safe_load((DRILLS / f"{name}.yml").read_text())
    document["steady_state"]["measured_s"] = 1
    for inject in document["injects"]:
        inject |= {"at_s": 0.5, "for_s": 60}
    path = tmp_path / f"{name}.yml"
    path.write_text(yaml.safe_dump(document | changes))
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
    assert "testbed_verdict{" in (out / "run" / "metrics" / "run.prom").read_text()
    assert "the objective was held" in (out / "debrief.md").read_text()
    assert (out / "run" / "report.html").exists()


@contextlib.contextmanager
def driven(file: Path, out: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The driver of a drill whose injects have all been made."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    argv = command("drill", str(file), "--auto", "--world", WORLD, "--out", str(out))
    names = [one["name"] for one in yaml.safe_load(file.read_text())["injects"]]
    with subprocess.Popen(
        argv, env=env, stdout=subprocess.DEVNULL, start_new_session=True
    ) as driver:
        await_(lambda: all(entry(out, "inject", name) for name in names), "it is injected", 60)
        yield driver


def halted(out: Path, why: str) -> tuple[Entry, Entry]:
    """A drill was halted and all is healed, verified, and said: the halt and the heal."""
    healed = await_(lambda: entry(out, "healed", "halt"), "everything is healed", 30)
    halt = entry(out, "halt", "halted")
    assert halt is not None
    assert why in halt.text
    assert (healed.time_ns - halt.time_ns) / 1e9 < 2.0
    assert healed.good, healed.text
    await_((out / "scorecard.json").exists, "the debrief is written", 90)
    card = json.loads((out / "scorecard.json").read_text())
    assert (card["outcome"], card["exit_code"]) == ("inconclusive", 2)
    assert why in (out / "debrief.md").read_text()
    assert find_running(WORLD).alive()
    return halt, healed


@pytest.mark.usefixtures("world")
def test_a_drivers_terminal_that_is_killed_leaves_nothing_broken(tmp_path: Path) -> None:
    """Everything is healed within two seconds, verified, said, and the debrief is written."""
    out = tmp_path / "out"
    with driven(endless(tmp_path, "slow-link"), out) as driver:
        killed_s = time.monotonic()
        driver.send_signal(signal.SIGKILL)
        await_(lambda: entry(out, "healed", "halt"), "everything is healed", 10)
        assert time.monotonic() - killed_s < 2.0
    halted(out, "the driver's terminal is gone")


@pytest.mark.usefixtures("world")
def test_a_drill_is_aborted_from_another_terminal_while_its_drivers_hangs(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with driven(endless(tmp_path, "split-brain-attempt"), out) as driver:
        driver.send_signal(signal.SIGSTOP)
        done = run("attach", str(out), "--abort", "--name", "ann")
        assert done.returncode == 0, done.stderr
        assert "every fault was healed" in done.stdout
        halt, _ = halted(out, "aborted")
        assert halt.who == "ann"
        driver.send_signal(signal.SIGCONT)
        assert driver.wait(30) == 2


@pytest.mark.usefixtures("world")
def test_a_stop_condition_that_breaks_halts_the_drill_by_itself(tmp_path: Path) -> None:
    """With its primary's region cut off nobody is served: more than this drill may take."""
    out = tmp_path / "out"
    condition = {
        "name": "clients are not served",
        "must_hold": {"success_ratio_min": 0.5},
        "for_s": 1,
    }
    drill = endless(tmp_path, "primary-region-loss", stop_conditions=[condition])
    with driven(drill, out) as driver:
        halt, _ = halted(out, "stop condition 'clients are not served'")
        assert halt.who == "testbed"
        assert "success_ratio >= 0.5 has not held for 1 s" in halt.text
        assert driver.wait(30) == 2
    injected = next(one for one in book(out) if one.kind == "inject")
    # For a second after the cut most operations of the last three have still succeeded.
    assert 1.0 < (halt.time_ns - injected.time_ns) / 1e9 < 20.0
    assert any(one.kind == "machine" and "success_ratio" in one.text for one in book(out))


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
