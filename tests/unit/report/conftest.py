"""Run folders for the tests of the report, each written once a session."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.report.folder import read_run
from testbed.report.recorded import RecordedRun
from tests.unit.report.recording import Recording, Story, region_cut

STRICT = {"replication": "synchronous_strict"}


@pytest.fixture(scope="session")
def broken_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The region cut under asynchronous replication: acknowledged writes are lost."""
    return region_cut(tmp_path_factory.mktemp("runs") / "broken")


@pytest.fixture(scope="session")
def broken(broken_folder: Path) -> RecordedRun:
    return read_run(broken_folder)


@pytest.fixture(scope="session")
def valid(tmp_path_factory: pytest.TempPathFactory) -> RecordedRun:
    """The same under strict synchronous replication: nothing is lost."""
    folder = tmp_path_factory.mktemp("runs") / "valid"
    return read_run(region_cut(folder, variables=STRICT, reads=0.3))


@pytest.fixture(scope="session")
def unknown(tmp_path_factory: pytest.TempPathFactory) -> RecordedRun:
    """Too little load, and a fault that was not shown to bite."""
    recording = Recording(Story(rate_ops_s=3.0, variables=STRICT))
    recording.verdict |= {
        "validity": "unknown",
        "reasons": ["only 27 writes were tried during the cut; 100 are needed"],
    }
    recording.verdict["verdicts"][1] |= {"validity": "unknown", "reason": "no final read"}
    recording.verdict["schedule"][0]["effect_s"] = None
    recording.evidence[0] |= {"shown": False, "observation": "14 packets still passed"}
    return read_run(recording.write(tmp_path_factory.mktemp("runs") / "unknown"))


@pytest.fixture(scope="session")
def failed(tmp_path_factory: pytest.TempPathFactory) -> RecordedRun:
    """The environment failed before any load."""
    recording = Recording(Story())
    recording.history, recording.roles, recording.evidence = [], [], []
    recording.verdict = {
        "version": 1,
        "experiment": "failover",
        "validity": "error",
        "reasons": ["provision: no space left on us-east-db1; free some and run again"],
    }
    return read_run(recording.write(tmp_path_factory.mktemp("runs") / "failed"))


@pytest.fixture(scope="session")
def unjudged(tmp_path_factory: pytest.TempPathFactory) -> RecordedRun:
    """A runner that was killed: no verdict, no roles, a history that ends within a line."""
    folder = region_cut(tmp_path_factory.mktemp("runs") / "unjudged")
    (folder / "verdict.json").unlink()
    (folder / "roles.jsonl").unlink()
    history = (folder / "history.jsonl").read_bytes()
    (folder / "history.jsonl").write_bytes(history[: int(len(history) * 0.6)])
    return read_run(folder)
