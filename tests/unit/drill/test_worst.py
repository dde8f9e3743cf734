"""How far the signals went from what is healthy, and for how long."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.drill.drill import Bound
from testbed.drill.worst import FILE, read_signals, worst
from testbed.runner.folder import FolderError

S = 1_000_000_000
LOW, HIGH = Bound("success_ratio", "min", 0.9), Bound("lag_bytes", "max", 100)
READINGS = (
    {"time": 0, "success_ratio": 0.0, "lag_bytes": 999},
    {"time": 1 * S, "success_ratio": 0.5, "lag_bytes": 10},
    {"time": 3 * S, "success_ratio": 0.2, "lag_bytes": None},
    {"time": 4 * S, "success_ratio": 1.0, "lag_bytes": 300},
    {"time": 6 * S, "success_ratio": 1.0, "lag_bytes": 0},
)


def test_the_worst_is_the_farthest_from_healthy_since_the_first_inject() -> None:
    low, high = worst((LOW, HIGH), READINGS, 1 * S)
    assert (low.value, low.at_s, low.broken_s) == (0.2, 3.0, 3.0)
    # Nobody could see the lag for a second, and it was too large for two.
    assert (high.value, high.at_s, high.broken_s) == (300, 4.0, 3.0)


def test_nothing_was_read() -> None:
    (low,) = worst((LOW,), (), 0)
    assert (low.value, low.at_s, low.broken_s) == (None, None, 0.0)


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b'{"time": 1}\n{"time": 2}\n{"ti')
    assert [one["time"] for one in read_signals(tmp_path)] == [1, 2]
    assert read_signals(tmp_path / "none") == ()


@pytest.mark.parametrize(
    "line", ["null", "[1]", "{}", "{", '{"time": "1"}', '{"time": 1, "success_ratio": "x"}']
)
def test_a_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / FILE).write_text('{"time": 1}\n' + line + "\n")
    with pytest.raises(FolderError, match=r"signals\.jsonl:2: damaged"):
        read_signals(tmp_path)
