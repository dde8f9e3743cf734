"""Compiled code belongs to one version of its sources."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from testbed.checkers.kernel import PACKAGES, kernel_sources
from testbed.history.compiled_folder import VERSIONS_KEPT, compiled_folder


def test_versions_of_the_code_have_folders_of_their_own_and_those_used_last_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    source = tmp_path / "code.py"

    def version(number: int) -> Path:
        source.write_text(str(number))
        return compiled_folder("kernels", [source])

    other = tmp_path / "testbed" / "compiled" / "scan-0"
    other.mkdir(parents=True)
    folders = [version(number) for number in range(VERSIONS_KEPT)]
    assert len(set(folders)) == VERSIONS_KEPT
    assert all(folder.is_dir() and folder.parent == other.parent for folder in folders)
    for age, folder in enumerate([other, *folders]):
        os.utime(folder, (age, age))
    assert version(0) == folders[0]  # used again, so it is not the oldest any more
    newest = version(VERSIONS_KEPT)
    assert newest.is_dir()
    assert [folder.exists() for folder in folders] == [True, False, *[True] * (VERSIONS_KEPT - 2)]
    assert other.exists()


def test_without_a_place_to_write_the_folder_is_named_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "testbed").write_text("a file where a folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert not compiled_folder("kernels", [tmp_path / "testbed"]).exists()


def test_every_file_with_a_kernel_counts() -> None:
    package = Path(compiled_folder.__code__.co_filename).resolve().parent.parent
    marked = {
        path.resolve()
        for path in package.rglob("*.py")
        if "\n@kernel\n" in path.read_text(encoding="utf-8")
    }
    assert marked
    assert {path.relative_to(package).parts[0] for path in marked} <= set(PACKAGES)
    assert marked <= set(kernel_sources())
