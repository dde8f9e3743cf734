"""A run folder is read whole, or refused with the file that is damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from testbed.runner.execute import prepare
from testbed.runner.folder import FolderError, RunFolder
from testbed.runner.plan import Load, Plan
from testbed.runner.recorded import read_run
from testbed.topology.inventory import find, load

PRESSURE = {
    "lateness_ms_p50": 1.0,
    "lateness_ms_p99": 300.0,
    "lateness_ms_max": 301.0,
    "waited_share": 0.1,
    "samples": 9,
}


def folder(path: Path, pressure: Any) -> RunFolder:
    made = RunFolder(path / "run")
    prepare(made, Plan("active-passive", Load("set"), (), 0, 10.0), load(find("active-passive")),
            "w", {})  # fmt: skip
    made.history.touch()
    made.ending.write_text(json.dumps({"outcome": "finished", "pressure": pressure}))
    return made


def test_a_reading_of_pressure_is_read(tmp_path: Path) -> None:
    found = read_run(folder(tmp_path, PRESSURE)).pressure
    assert found is not None
    assert found.lateness_ms_p99 == 300.0


def test_a_run_may_have_none(tmp_path: Path) -> None:
    assert read_run(folder(tmp_path, None)).pressure is None


@pytest.mark.parametrize(
    "damaged",
    ["x", [], {}, PRESSURE | {"lateness_ms_p99": "300"}, PRESSURE | {"lateness_ms_p99": None},
     PRESSURE | {"lateness_ms_p99": float("nan")}, PRESSURE | {"late": 1}],
)  # fmt: skip
def test_a_damaged_one_does_not_make_the_runner_fast(tmp_path: Path, damaged: Any) -> None:
    with pytest.raises(FolderError, match=r"ending\.json: pressure"):
        read_run(folder(tmp_path, damaged))


@pytest.mark.parametrize("damaged", [{"time": "1"}, {"time": None}, {"observation": {}}])
def test_damaged_evidence_is_named_with_its_line(tmp_path: Path, damaged: dict[str, Any]) -> None:
    made = folder(tmp_path, PRESSURE)
    sound = {"fault": "cut a", "phase": "effect", "shown": True, "observation": "o", "time": 1}
    made.evidence.write_text(json.dumps(sound) + "\n" + json.dumps(sound | damaged) + "\n")
    with pytest.raises(FolderError, match=r"evidence\.jsonl:2: damaged"):
        read_run(made)
