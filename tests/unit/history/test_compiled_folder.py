"""Compiled code belongs to one version of its sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.checkers.kernel import PACKAGES, kernel_sources
from testbed.history.compiled_folder import compiled_folder


def test_another_version_of_the_code_has_another_folder_and_the_old_one_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    source = tmp_path / "code.py"
    source.write_text("1")
    first = compiled_folder("kernels", [source])
    assert first == compiled_folder("kernels", [source])
    first.mkdir(parents=True)
    other = first.parent / "scan-0"
    other.mkdir()
    source.write_text("2")
    second = compiled_folder("kernels", [source])
    assert second != first
    assert not first.exists()
    assert other.exists()
    assert second.parent == first.parent == tmp_path / "testbed" / "compiled"


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
