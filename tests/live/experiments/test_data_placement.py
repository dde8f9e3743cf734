"""Data placement with the real programs: clean with an erasure, and a mutant that is caught."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.live.experiments.command import Command, verdicts

pytestmark = pytest.mark.live


RESTORE = {
    "kind": "maintenance",
    "target": "eu-west",
    "at_s": 1.0,
    "duration_s": 1.0,
    "parameters": {"work": "restore_base"},
}
LOST = {"kind": "slot-drop", "target": "eu-west", "at_s": 2.0, "duration_s": 1.0}
KILLED = {"kind": "process-kill", "target": "us-east-db1/postgres", "at_s": 6.0, "duration_s": 1.0}


def plan(folder: Path, mutant: str, *inspections: str, schedule: tuple[Any, ...] = ()) -> str:
    document: dict[str, Any] = {
        "version": 1,
        "experiment": "data_placement",
        "deployment": "data-placement",
        "variables": {"placement_mutant": mutant},
        "load": {"workload": "personal_data", "rate_ops_s": 15.0, "timeout_ms": 2000},
        "schedule": list(schedule),
        "seed": 1,
        "duration_s": 12.0 if schedule else 4.0,
        "inspections": list(inspections),
    }
    path = folder / "plan.json"
    path.write_text(json.dumps(document))
    return str(path)


def test_nothing_is_abroad_and_an_erased_subject_is_nowhere(
    command: Command, tmp_path: Path
) -> None:
    out = tmp_path / "suite"
    made = plan(tmp_path, "none", "residency", "erasure", schedule=(RESTORE, LOST, KILLED))
    code, output = command.run("replay", made, "--out", str(out))
    assert code == 0, output
    (run,) = (out / "runs").glob("*")
    judged = verdicts(run)
    assert {verdict["validity"] for verdict in judged.values()} == {"valid"}
    assert judged["residency"]["numbers"]["nodes"] == 9
    assert judged["residency"]["numbers"]["packets"] > 1000
    assert judged["erasure"]["numbers"]["found_before"] > 0
    assert judged["erasure"]["numbers"]["found_after"] == 0
    audit = json.loads((run / "audit.json").read_text())
    assert all(control["shown"] for control in audit["controls"])
    assert {"trace", "archived WAL", "seeding"} <= {
        control["name"] for control in audit["controls"]
    }
    assert all(fault["absence_s"] is not None for fault in audit["schedule"])
    assert {(one["what"], one["of"]) for one in audit["backups"]} == {
        (kind, of) for kind in ("dump", "base backup") for of in ("EU", "US")
    }
    assert command.left_behind() == []


def test_a_mutant_is_caught_and_its_cause_named(command: Command, tmp_path: Path) -> None:
    """The negative control: a personal value is put into Consul, which has servers abroad."""
    out = tmp_path / "suite"
    code, output = command.run(
        "replay", plan(tmp_path, "consul_value", "residency"), "--out", str(out)
    )
    assert code == 1, output
    (run,) = (out / "runs").glob("*")
    audit = json.loads((run / "audit.json").read_text())
    assert audit["causes"][0]["cause"] == "Consul"
    assert any("raft" in str(one["where"]) for one in audit["findings"]["listed"])
