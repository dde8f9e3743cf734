"""``testbed report``: from a folder alone, and the same page every time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.cli.main import main
from tests.unit.report.recording import Recording, Story


def in_a_process_of_its_own(folder: Path, name: str, seed: int) -> bytes:
    """The page as another process makes it: other hashes, another directory, no program at hand."""
    command = [sys.executable, "-m", "testbed.cli.main", "report", name]
    environment = {**os.environ, "PATH": "", "PYTHONHASHSEED": str(seed)}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    page = folder / name / "report.html"
    found = page.read_bytes()
    page.unlink()
    return found


def test_the_page_is_the_same_byte_for_byte_with_no_cluster(tmp_path: Path) -> None:
    run = Recording(Story(rate_ops_s=5.0)).write(tmp_path / "suite" / "run")
    first = in_a_process_of_its_own(tmp_path, "suite/run", seed=1)
    second = in_a_process_of_its_own(tmp_path / "suite", "run", seed=2)
    assert first == second
    assert main(["report", str(run)]) == 0
    assert (run / "report.html").read_bytes() == first


def test_a_suite_s_folder_gets_every_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (1, 2):
        Recording(Story(rate_ops_s=5.0, seed=number)).write(tmp_path / "runs" / f"lane0-00{number}")
    assert main(["report", str(tmp_path)]) == 0
    assert f"All runs: {tmp_path / 'index.html'}" in capsys.readouterr().out
    assert len(list(tmp_path.glob("runs/*/report.html"))) == 2


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda _path: None, "no such folder"),
        (lambda path: path.mkdir(), "not a run"),
    ],
)
def test_what_is_no_run_is_refused(
    tmp_path: Path, make: Callable[[Path], None], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x"
    make(path)
    assert main(["report", str(path)]) == 64
    assert said in capsys.readouterr().err


GATE = """
name = "g"
[[suite]]
name = "s"
experiment = "failover"
deployment = "active-passive"
budget = "1m"
runs_min = 1
[suite.promises]
lost_writes = 0
"""


def test_a_gate_lists_the_runs_of_all_its_suites(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, out = tmp_path / "gate.toml", tmp_path / "out"
    file.write_text(GATE)

    def played(_gate: object, _arguments: object, folder: Path) -> dict[str, str]:
        Recording(Story(rate_ops_s=5.0)).write(folder / "s" / "runs" / "lane0-001")
        return {}

    monkeypatch.setattr("testbed.cli.gate._play", played)
    main(["gate", str(file), "--out", str(out)])
    assert "failover: 1 run, 1 broken" in (out / "index.html").read_text()


@pytest.mark.parametrize("option", ["--runs", "--baseline"])
def test_a_gate_refuses_a_folder_that_is_not_there_before_it_plays(
    option: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("testbed.cli.gate._play", lambda *_: pytest.fail("it was played"))
    file, out = tmp_path / "gate.toml", tmp_path / "out"
    file.write_text(GATE)
    missing = str(tmp_path / "mistyped")
    assert main(["gate", str(file), option, missing, "--out", str(out)]) == 64
    assert f"{option} {missing}: no such folder" in capsys.readouterr().err
    assert not out.exists()
