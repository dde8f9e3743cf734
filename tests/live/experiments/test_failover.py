"""The main job with the real programs: what holds is green, what breaks is red, nothing stays."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from testbed.history.journal import read
from tests.live.experiments.command import LIMIT_S, Command, verdicts

pytestmark = pytest.mark.live


def region_lost(at_s: float, duration_s: float) -> dict[str, Any]:
    """A step of a schedule: the primary's region is cut off."""
    return {"kind": "region-cut", "target": "region-of:primary", "at_s": at_s,
            "duration_s": duration_s}  # fmt: skip


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
    assert 'href="runs/lane0-001/report.html"' in (out / "index.html").read_text()
    assert command.left_behind() == []


def test_asynchronous_replication_is_caught(command: Command, tmp_path: Path) -> None:
    """The first negative control: it loses what the cut region's primary acknowledged alone."""
    code, output, run = command.replay(
        tmp_path,
        deployment="active-passive",
        variables={"replication": "asynchronous"},
        load={"workload": "set", "rate_ops_s": 25.0},
        schedule=[region_lost(at_s=3.0, duration_s=17.0)],
        duration_s=22.0,
    )
    assert code == 1, output
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


def test_too_little_load_is_inconclusive_and_a_plan_can_be_replayed(
    command: Command, tmp_path: Path
) -> None:
    code, output, run = command.replay(
        tmp_path,
        deployment="active-passive",
        load={"workload": "set", "rate_ops_s": 0.2},
        schedule=[{"kind": "link-cut", "target": "eu-west->us-east", "at_s": 1, "duration_s": 4}],
        duration_s=6,
    )
    assert code == 2, output
    adequacy = verdicts(run)["adequacy"]
    assert adequacy["validity"] == "unknown"
    assert "too little load" in adequacy["reason"]
    kept = json.loads((run / "plan.json").read_text())
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
    # Killed, it can tell its lane nothing: that is interrupted all the same, and does not go on.
    deadline = time.monotonic() + 30
    while (left := command.left_behind()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []
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
