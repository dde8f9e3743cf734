"""Active-active with the real programs: the strategies that promise something keep it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.live.experiments.command import Command, verdicts

pytestmark = pytest.mark.live


def conflicts(command: Command, out: Path, strategy: str, *words: str) -> tuple[int, str]:
    chosen = f"conflict_resolution={strategy}"
    return command.run("run", "conflict_resolution", "--set", chosen, "--out", str(out), *words)


def replayed(command: Command, folder: Path, **plan: Any) -> tuple[int, str, dict[str, Any]]:
    """Run a plan; exit code, output and verdicts."""
    document = {"experiment": "conflict_resolution", "deployment": "active-active",
                "inspections": ["mesh"], **plan}  # fmt: skip
    code, output, run = command.replay(folder, **document)
    return code, output, verdicts(run)


def test_the_last_write_wins_everywhere(command: Command, tmp_path: Path) -> None:
    out = tmp_path / "suite"
    code, output = conflicts(command, out, "last_write_wins", "--examples", "2")
    assert code == 0, output
    judged = verdicts(out / "runs" / "lane0-001")
    assert {verdict["validity"] for verdict in judged.values()} == {"valid"}
    assert judged["conflicts"]["numbers"]["rows_in_conflict"] > 0
    assert judged["replication"]["numbers"]["converged_ms_max"] > 10
    assert command.left_behind() == []


def test_a_region_that_was_away_too_long_is_seeded_again(command: Command, tmp_path: Path) -> None:
    code, output, judged = replayed(
        command,
        tmp_path,
        # A bound that is soon passed.
        variables={"mesh_slot_kept_bytes": 33554432},
        load={"workload": "items", "rate_ops_s": 25.0, "parameters": {"keys": 32}},
        schedule=[
            {"kind": "region-cut", "target": "us-east", "at_s": 1.0, "duration_s": 8.0},
            # Its slot is there again only when the region is: the fault outlasts the cut.
            {"kind": "slot-loss", "target": "eu-west-db1", "at_s": 1.5, "duration_s": 8.5},
        ],
        duration_s=11.0,
    )
    assert code == 0, output
    assert {verdict["validity"] for verdict in judged.values()} == {"valid"}
    assert judged["not-stuck"]["numbers"]["seeded_again"] == 1


def test_without_a_strategy_regions_end_differently_and_streams_get_stuck(
    command: Command, tmp_path: Path
) -> None:
    """The negative control: what PostgreSQL does by itself."""
    code, output, judged = replayed(
        command,
        tmp_path,
        variables={"conflict_resolution": "none"},
        load={"workload": "items", "rate_ops_s": 25.0, "parameters": {"keys": 60}},
        schedule=[{"kind": "region-cut", "target": "eu-west", "at_s": 0.5, "duration_s": 3.0}],
        duration_s=5.0,
        # A stream that is stuck shows no mark, however long it is awaited.
        recovery_s=12.0,
    )
    assert code == 1, output
    convergence, stuck = judged["convergence"], judged["not-stuck"]
    assert convergence["validity"] == "violation"
    row = convergence["counterexample"][0]
    assert len(set(map(str, row["versions"].values()))) > 1
    assert row["operations"]
    assert stuck["validity"] == "violation"
    assert any(one["conflicts"].get("insert_exists", 0) > 3 for one in stuck["counterexample"])
    assert judged["conflict-counters"]["validity"] == "valid"


def test_a_region_that_loses_its_writer_goes_on_with_its_standby(
    command: Command, tmp_path: Path
) -> None:
    """Losing a node is another fault than losing a region: its region serves again, all agree."""
    code, output, judged = replayed(
        command,
        tmp_path,
        deployment="active-active-ha",
        load={"workload": "items", "rate_ops_s": 25.0, "parameters": {"keys": 6}},
        schedule=[
            {"kind": "region-cut", "target": "us-east", "at_s": 1.0, "duration_s": 3.0},
            {"kind": "switchover", "target": "role:primary", "at_s": 5.0},
        ],
        duration_s=24.0,
    )
    assert code == 0, output
    assert {verdict["validity"] for verdict in judged.values()} == {"valid"}
    # Two streams at each end of the promoted node: its own, and one at each other region.
    assert judged["not-stuck"]["numbers"]["seeded_again"] == 4


def test_wall_clocks_that_differ_are_caught(command: Command, tmp_path: Path) -> None:
    """The third control: what a slow clock stamps stays where it was written, and nowhere else."""
    code, output, judged = replayed(
        command,
        tmp_path,
        variables={"conflict_resolution": "last_write_wins_wall_clock"},
        load={"workload": "items", "rate_ops_s": 25.0, "parameters": {"keys": 4}},
        schedule=[
            {"kind": "clock-skew", "target": "us-east-db1", "at_s": 1.0, "duration_s": 8.0,
             "parameters": {"ahead_ms": 5000}},
            {"kind": "link-cut", "target": "eu-west->us-east", "at_s": 2.0, "duration_s": 1.0},
        ],
        duration_s=7.0,
    )  # fmt: skip
    assert code == 1, output
    assert judged["adequacy"]["validity"] == "valid"
    assert judged["convergence"]["validity"] == "violation"
