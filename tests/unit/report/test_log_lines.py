"""Logs of many programs on one clock: that of the run's history."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from testbed.report.folder import read_run
from testbed.report.log_lines import LINES_MAX, LogLine, read_logs
from testbed.report.reading import Problem
from tests.unit.report.recording import Recording, Story

ZERO_S = datetime(2025, 3, 1, 12, 0, 0, tzinfo=UTC).timestamp()


def logged(folder: Path, *lines: str, node: str = "a-db1", program: str = "postgres") -> None:
    path = folder / node / f"{program}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape"))


def read(folder: Path) -> tuple[tuple[LogLine, ...], list[Problem]]:
    problems: list[Problem] = []
    return read_logs(folder, ZERO_S, problems), problems


@pytest.mark.parametrize(
    ("line", "time_s", "text"),
    [
        ("2025-03-01 12:00:02.250 UTC [5] LOG:  ready", 2.25, "[5] LOG:  ready"),
        ("2025-03-01T12:00:02.250Z [WARN]  agent: raft", 2.25, "[WARN]  agent: raft"),
        ("2025-03-01 12:00:02,250 INFO: promoted", 2.25, "INFO: promoted"),
        ("2025-03-01 14:00:02.250+02:00 x", 2.25, "x"),
        ("backend> 2025-03-01 12:00:01 UTC [7] FATAL:  bye", 1.0, "backend> [7] FATAL:  bye"),
        ("2025-03-01 11:59:59.5 UTC early", -0.5, "early"),
    ],
)
def test_each_program_s_way_to_write_a_time(
    tmp_path: Path, line: str, time_s: float, text: str
) -> None:
    logged(tmp_path, line)
    (found,), problems = read(tmp_path)
    assert found == LogLine(pytest.approx(time_s), "a-db1", "postgres", text)  # type: ignore[arg-type]
    assert problems == []


def test_local_time_is_told_by_where_the_log_begins(tmp_path: Path) -> None:
    """A zone that the machine alone knows: half an hour off, as in some places."""
    logged(tmp_path, "2025-03-01 17:30:01,000 INFO: a", "2025-03-01 17:49:01,500 INFO: b")
    found, _ = read(tmp_path)
    assert [one.time_s for one in found] == pytest.approx([1.0, 1141.5])


def test_lines_without_a_time_are_left_out(tmp_path: Path) -> None:
    logged(tmp_path, "[WARNING] (4) : Health check", "2025-13-45 99:00:00 no", "", "\tdetail")
    assert read(tmp_path) == ((), [])


def test_all_nodes_are_in_one_order(tmp_path: Path) -> None:
    logged(tmp_path, "2025-03-01 12:00:03 UTC c", "2025-03-01 12:00:01 UTC a")
    logged(tmp_path, "2025-03-01 12:00:02 UTC b", node="b-db1")
    assert [one.text for one in read(tmp_path)[0]] == ["a", "b", "c"]


def test_bytes_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    logged(
        tmp_path, "2025-03-01 12:00:03 UTC \udcff\udcfe", "2025-03-01 12:00:04 UTC " + "x" * 9000
    )
    found, _ = read(tmp_path)
    assert found[0].text == "\ufffd\ufffd"
    assert len(found[1].text) < 2000


def test_a_program_that_logs_in_a_loop_is_cut_and_that_is_said(tmp_path: Path) -> None:
    logged(tmp_path, *["2025-03-01 12:00:03 UTC again"] * (LINES_MAX + 5))
    found, problems = read(tmp_path)
    assert len(found) == LINES_MAX
    assert problems[0].file == "logs/a-db1/postgres.log"


def test_a_run_s_logs_stand_on_its_clock(tmp_path: Path) -> None:
    folder = Recording(Story(rate_ops_s=5.0)).write(tmp_path)
    logged(folder / "logs", "2025-03-01 12:00:10 UTC cut")
    assert read_run(folder).logs == ()
    assert any(problem.file == "ending.json" for problem in read_run(folder).problems)
    (folder / "ending.json").write_bytes(orjson.dumps({"started": ZERO_S - 1}))
    assert [one.time_s for one in read_run(folder).logs] == [pytest.approx(11.0)]
    (folder / "ending.json").write_bytes(
        orjson.dumps({"started": ZERO_S - 1, "clock_zero_s": ZERO_S})
    )
    assert [one.time_s for one in read_run(folder).logs] == [pytest.approx(10.0)]
    assert read_run(folder, operations=False).logs == ()
