"""The main job with the real programs: what holds is green, what breaks is red, nothing stays."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from testbed.history.journal import read

pytestmark = pytest.mark.live

LIMIT_S = 400.0


class Command:
    """``testbed`` with a state folder of its own, so that what it leaves behind can be seen."""

    def __init__(self, state: Path) -> None:
        self.state = state

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "XDG_STATE_HOME": str(self.state), "CI": "true"}

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "testbed.cli.main", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self._environment(),
        )

    def run(self, *words: str) -> tuple[int, str]:
        process = self.start(*words)
        try:
            output, _ = process.communicate(timeout=LIMIT_S)
        except BaseException:
            # The time is over, or the test run was interrupted: a suite ends its worlds itself.
            process.send_signal(signal.SIGINT)
            print(process.communicate()[0])
            raise
        return process.returncode, output

    def left_behind(self) -> list[str]:
        """Command lines of processes whose environment names the state folder, and world files."""
        marker = str(self.state).encode()
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdecimal() or int(entry.name) == os.getpid():
                continue
            try:
                if marker in (entry / "environ").read_bytes():
                    found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
        return found + [str(path) for path in self.state.rglob("world.json")]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    state = tmp_path / "state"
    state.mkdir()
    return Command(state)


def verdicts(run: Path) -> dict[str, dict[str, Any]]:
    document = json.loads((run / "verdict.json").read_text())
    return {verdict["name"]: verdict for verdict in document["verdicts"]}


def test_synchronous_replication_keeps_every_promise(command: Command, tmp_path: Path) -> None:
    out = tmp_path / "suite"
    code, output = command.run("run", "failover", "--examples", "1", "--out", str(out))
    assert code == 0, output
    run = out / "runs" / "lane0-001"
    judged = verdicts(run)
    assert {verdict["validity"] for verdict in judged.values()} == {"valid"}
    assert judged["rto"]["numbers"]["rto_ms_max"] > 1000
    evidence = [json.loads(line) for line in (run / "evidence.jsonl").read_text().splitlines()]
    assert [one["phase"] for one in evidence] == ["effect", "absence"]
    assert all(one["shown"] for one in evidence)
    assert judged["physics"]["numbers"]["slack_ms_min"] < 50
    assert (run / "report.html").stat().st_size > 10_000
    assert (out / "junit.xml").exists()
    assert (out / "suite.json").exists()
    assert command.left_behind() == []


def test_asynchronous_replication_is_caught(command: Command, tmp_path: Path) -> None:
    """The first negative control: it loses what the cut region's primary acknowledged alone."""
    out = tmp_path / "suite"
    code, output = command.run(
        "run", "failover", "--set", "replication=asynchronous", "--examples", "1", "--out", str(out)
    )
    assert code == 1, output
    run = out / "runs" / "lane0-001"
    durability = verdicts(run)["durability"]
    assert durability["validity"] == "violation"
    numbers = durability["numbers"]
    assert numbers["lost_writes"] == len(durability["counterexample"])
    assert numbers["lost_writes"] > 0
    within = (numbers["expected_lost_min"] - 2, numbers["expected_lost_max"] + 2)
    assert within[0] <= numbers["explained_lost"] <= within[1]
    assert "acknowledged writes are lost" in output
    # The journal alone says the same again, with no cluster.
    before = durability
    (run / "verdict.json").unlink()
    code, output = command.run("judge", str(run))
    assert code == 1, output
    assert verdicts(run)["durability"] == before
    assert command.left_behind() == []


def test_a_deployment_without_fencing_is_caught(command: Command, tmp_path: Path) -> None:
    """The second negative control: a primary that ignores the loss of its lease."""
    out = tmp_path / "suite"
    words = ["--set", "fencing=none", "--set", "replication=asynchronous"]
    code, output = command.run("run", "failover", *words, "--examples", "1", "--out", str(out))
    assert code == 1, output
    single = verdicts(out / "runs" / "lane0-001")["single-primary"]
    assert single["validity"] == "violation"
    assert single["numbers"]["dual_primary_ms"] > 1000


def test_too_little_load_is_inconclusive_and_a_plan_can_be_replayed(
    command: Command, tmp_path: Path
) -> None:
    plan = {
        "version": 1,
        "deployment": "active-passive",
        "load": {"workload": "set", "rate_ops_s": 0.2},
        "schedule": [
            {"kind": "link-cut", "target": "eu-west->us-east", "at_s": 6, "duration_s": 8}
        ],
        "seed": 1,
        "duration_s": 20,
    }
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan))
    out = tmp_path / "suite"
    code, output = command.run("replay", str(path), "--out", str(out))
    assert code == 2, output
    assert "asked for nothing" in output
    kept = json.loads((out / "runs" / "lane0-001" / "plan.json").read_text())
    assert kept["schedule"][0]["target"] == "eu-west->us-east"
    assert command.left_behind() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_killed_runner_leaves_its_journal_and_nothing_else(
    command: Command, tmp_path: Path, number: signal.Signals
) -> None:
    out = tmp_path / "suite"
    process = command.start("run", "failover", "--examples", "1", "--out", str(out))
    history = out / "runs" / "lane0-001" / "history.jsonl"
    deadline = time.monotonic() + LIMIT_S
    while not (history.exists() and history.stat().st_size > 20_000):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == (3 if number is signal.SIGINT else -signal.SIGKILL)
    while command.left_behind() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert [one for one in command.left_behind() if "world.json" not in one] == []
    assert len(read(history).pairs()) > 50


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "failovr"], "there is no experiment 'failovr'"),
        (["run", "failover", "--set", "replicatoin=quorum"], "replication"),
        (["run", "failover", "--set", "patroni_ttl_s=5"], "patroni_ttl_s"),
        (["run", "failover", "--deployment", "mars"], "no such deployment"),
        (["run", "failover", "--budget", "soon"], "is no duration"),
        (["replay", "/nonexistent"], "cannot be read"),
    ],
)
def test_bad_input_is_refused_before_anything_runs(
    command: Command, words: list[str], said: str
) -> None:
    code, output = command.run(*words)
    assert code == 64, output
    assert said in output
    assert "Traceback" not in output
