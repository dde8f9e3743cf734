"""What was compiled is kept, up to a number of files, if there is a place to keep it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from testbed.history.compiled_folder import compiled_folder, forget, mark_used
from testbed.history.loop import Loop


def test_code_that_was_used_last_stays(tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.code" for name in "abc"]
    for age, path in enumerate(paths):
        path.touch()
        os.utime(path, (age, age))
    mark_used(paths[0])
    forget(tmp_path, kept=2)
    assert [path.exists() for path in paths] == [True, False, True]


def test_without_a_place_to_write_nothing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "testbed").write_text("a file where a folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "0")
    assert not compiled_folder().exists()
    assert Loop(lambda number: number + 1)(1) == 2
