"""What installed packages add, by entry points."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.toolchain import added
from testbed.toolchain.added import WithAdded, points
from testbed.toolchain.error import ToolchainError

ENTRIES = """\
[testbed.systems]
mydb = mydb_of_a_test:SYSTEM
own = mydb_of_a_test:OTHER
broken = nowhere_at_all:SYSTEM
"""


@pytest.fixture
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    info = tmp_path / "mydb-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mydb\nVersion: 1\n")
    (info / "entry_points.txt").write_text(ENTRIES)
    (tmp_path / "mydb_of_a_test.py").write_text("SYSTEM, OTHER = 'theirs', 'other'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    points.cache_clear()
    yield
    added.points.cache_clear()


@pytest.mark.usefixtures("_installed")
def test_what_is_added_stands_beside_what_is_the_testbeds_own() -> None:
    systems = WithAdded("systems", {"own": "ours"})
    assert systems["mydb"] == "theirs"
    assert systems["own"] == "ours"
    assert {"own", "mydb"} <= set(systems)
    assert "mydb" in systems
    assert "other" not in systems
    with pytest.raises(KeyError):
        systems["other"]


@pytest.mark.usefixtures("_installed")
def test_one_that_cannot_be_imported_is_named_when_it_is_asked_for() -> None:
    systems = WithAdded("systems", {"own": "ours"})
    assert "broken" in list(systems)
    with pytest.raises(ToolchainError, match=r"mydb adds broken .* nowhere_at_all:SYSTEM"):
        systems["broken"]
