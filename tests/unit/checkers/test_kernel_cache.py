"""Compiled kernels belong to one version of the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.checkers import kernel_cache


def test_another_version_of_the_code_has_another_folder_and_the_old_one_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = kernel_cache.kernel_cache()
    assert first == kernel_cache.kernel_cache()
    first.mkdir(parents=True)
    monkeypatch.setattr(kernel_cache, "FOLDERS", ("checkers",))
    second = kernel_cache.kernel_cache()
    assert second != first
    assert not first.exists()
    assert second.parent == first.parent == tmp_path / "testbed" / "kernels"


def test_every_file_with_a_kernel_counts() -> None:
    package = Path(kernel_cache.__file__).resolve().parent.parent
    marked = {
        path.relative_to(package).parts[0]
        for path in package.rglob("*.py")
        if "\n@kernel\n" in path.read_text(encoding="utf-8")
    }
    assert marked
    assert marked <= set(kernel_cache.FOLDERS)
