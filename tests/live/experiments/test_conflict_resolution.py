"""Active-active with the real programs: the strategies that promise something keep it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.live.experiments.command import Command, verdicts

pytestmark = pytest.mark.live


def conflicts(command: Command, out: Path, strategy: str, *words: str) -> tuple[int, str]:
    chosen = f"conflict_resolution={strategy}"
    return command.run("run", "conflict_resolution", "--set", chosen, "--out", str(out), *words)


def test_the_last_write_wins_everywhere(command: Command, tmp_path: Path) -> None:
    out = tmp_path / "suite"
    code, output = conflicts(command, out, "last_write_wins", "--examples", "3")
    assert code == 0, output
    judged = verdicts(out / "runs" / "lane0-001")
    assert {verdict["validity"] for verdict in judged.values()} == {"valid"}
    assert judged["conflicts"]["numbers"]["rows_in_conflict"] > 0
    assert judged["replication"]["numbers"]["converged_ms_max"] > 10
    assert command.left_behind() == []


def test_without_a_strategy_regions_end_differently(command: Command, tmp_path: Path) -> None:
    """The negative control: what PostgreSQL does by itself."""
    out = tmp_path / "suite"
    code, output = conflicts(command, out, "none", "--examples", "1")
    assert code == 1, output
    judged = verdicts(out / "runs" / "lane0-001")["convergence"]
    assert judged["validity"] == "violation"
    row = judged["counterexample"][0]
    assert len(set(map(str, row["versions"].values()))) > 1
    assert row["operations"]


def test_wall_clocks_that_differ_are_caught(command: Command, tmp_path: Path) -> None:
    """The third control: what a slow clock stamps stays where it was written, and nowhere else."""
    plan = {
        "version": 1,
        "experiment": "conflict_resolution",
        "deployment": "active-active",
        "variables": {"conflict_resolution": "last_write_wins_wall_clock"},
        "load": {"workload": "items", "rate_ops_s": 25.0, "parameters": {"keys": 4}},
        "schedule": [
            {"kind": "clock-skew", "target": "us-east-db1", "at_s": 1.0, "duration_s": 8.0,
             "parameters": {"ahead_ms": 5000}},
            {"kind": "link-cut", "target": "eu-west->us-east", "at_s": 2.0, "duration_s": 1.0},
        ],
        "seed": 1,
        "duration_s": 7.0,
    }  # fmt: skip
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan))
    out = tmp_path / "suite"
    code, output = command.run("replay", str(path), "--out", str(out))
    assert code == 1, output
    (run,) = (out / "runs").glob("*")
    judged = verdicts(run)
    assert judged["adequacy"]["validity"] == "valid"
    assert judged["convergence"]["validity"] == "violation"
