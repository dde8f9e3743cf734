"""Replication lag with the real programs: the naive routing is caught, the careful one holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.live.experiments.command import Command, verdicts

pytestmark = pytest.mark.live

MEASUREMENTS = {"servers", "heartbeats", "clients", "clients, stable"}


def lag(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "verdict.json").read_text())["measures"]["lag"]
    return found


@pytest.mark.parametrize("deployment", ["active-passive", "active-active"])
def test_reading_anywhere_shows_clients_less_than_they_wrote(
    command: Command, tmp_path: Path, deployment: str
) -> None:
    """The negative control."""
    out = tmp_path / "suite"
    routing = "read_routing=any_replica"
    words = ("--deployment", deployment, "--set", routing, "--examples", "1", "--out", str(out))
    code, output = command.run("run", "replication_lag", *words)
    assert code == 1, output
    run = out / "runs" / "lane0-001"
    judged = verdicts(run)
    own = judged["read-your-writes"]
    assert own["validity"] == "violation"
    wrote, read = own["counterexample"][0]["operations"]
    assert wrote["process"] == read["process"]
    assert judged["adequacy"]["validity"] == "valid"
    assert judged["lag-floor"]["validity"] == "valid"
    assert judged["lag-agreement"]["validity"] == "valid"
    assert {link["measurement"] for link in lag(run)["links"]} == MEASUREMENTS
    # The narrow links held changes back for long, and every measurement says so.
    for name in MEASUREMENTS:
        longest = max(
            link["max_ms"][1] for link in lag(run)["links"] if link["measurement"] == name
        )
        assert longest > 300, name
    assert command.left_behind() == []


def test_a_session_reads_what_it_wrote_through_a_failover(command: Command, tmp_path: Path) -> None:
    plan = {
        "version": 1,
        "experiment": "replication_lag",
        "deployment": "active-passive",
        "variables": {"read_routing": "session"},
        "load": {
            "workload": "sessions",
            "rate_ops_s": 50.0,
            "timeout_ms": 4000,
            # Transactions that stay open keep no session from reading at the primary.
            "parameters": {"bulk_open_ms": 1500, "bulk_every": 15},
        },
        "schedule": [{"kind": "switchover", "target": "role:primary", "at_s": 4.0}],
        "seed": 1,
        "duration_s": 14.0,
        "inspections": ["replication"],
    }
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan))
    out = tmp_path / "suite"
    code, output = command.run("replay", str(path), "--out", str(out))
    assert code == 0, output
    (run,) = (out / "runs").glob("*")
    judged = verdicts(run)
    assert judged["session-span"]["numbers"]["reads_after"] > 0
    assert judged["read-your-writes"]["numbers"]["reads"] > 100
    assert {link["origin"] for link in lag(run)["links"]} > {lag(run)["links"][0]["origin"]}
    lines = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    reads = [line for line in lines if line["f"] == "read" and line["type"] != "invoke"]
    waited = [line for line in reads if "wait for a standby" in str(line.get("error"))]
    assert sum(line["f"] == "bulk" and line["type"] == "ok" for line in lines) > 5
    assert len(waited) < 0.05 * len(reads)
