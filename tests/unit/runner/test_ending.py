"""The word that a run leaves about its end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from testbed.runner.clock import Clock
from testbed.runner.ending import Ending, EndingFile, ending
from testbed.runner.folder import FolderError, RunFolder, read_json
from testbed.runner.pressure import Pressure
from testbed.world.protocol import WorldError


def recorded(folder: Path, error: BaseException | None) -> Ending:
    with EndingFile(RunFolder(folder), (WorldError,)) as file:
        file.clock(Clock(17))
        file.pressure(Pressure(1.0, 2.0, 3.0, 0.5, 4))
        if error is not None:
            raise error
    return ending(RunFolder(folder))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (None, Ending("finished", "")),
        (WorldError("it fell over"), Ending("failed", "it fell over")),
        (asyncio.CancelledError(), Ending("interrupted", "the run was interrupted")),
    ],
)
def test_every_end_that_is_foreseen_is_written_down(
    tmp_path: Path, error: BaseException | None, expected: Ending
) -> None:
    assert recorded(tmp_path, error) == expected
    document = read_json(RunFolder(tmp_path).ending)
    assert document["clock_base_ns"] == 17
    assert document["pressure"]["waited_share"] == 0.5
    assert document["seconds"] >= 0


def test_an_error_that_nobody_foresaw_is_raised_and_leaves_no_word(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        recorded(tmp_path, ZeroDivisionError())
    output = tmp_path / "driver.log"
    output.write_text("first\nsecond\nZeroDivisionError\n")
    left = ending(RunFolder(tmp_path), output)
    assert left.outcome == "failed"
    assert left.problem.endswith("first | second | ZeroDivisionError")


def test_an_ending_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="cannot be written"):
        recorded(tmp_path / "gone", None)
