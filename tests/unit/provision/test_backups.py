"""What a store keeps: which segments a base backup needs, and what is removed when."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from testbed.toolchain.programs import locate
from tests.unit.provision.scripts import loaded


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    found = loaded("stores", "backups.py")
    monkeypatch.setattr(found, "FOLDER", tmp_path)
    return found


def backups(module: ModuleType, kept: int = 2) -> Any:
    settings = {"kept": kept, "bin_dir": str(locate("postgres").folder)}
    made = module.Backups("EU", ["10.77.1.10"], settings, lambda backup: None)
    for folder in (made.dumps, made.bases, made.archive):
        folder.mkdir(parents=True)
    return made


def base(made: Any, name: str, start: str, end: str, timeline: int = 1) -> Path:
    folder: Path = made.bases / name
    folder.mkdir()
    log = [{"Timeline": timeline, "Start-LSN": start, "End-LSN": end}]
    (folder / "backup_manifest").write_text(json.dumps({"WAL-Ranges": log}))
    return folder


@pytest.mark.parametrize(
    ("position", "first", "last"),
    [
        ("0/2000028", "000000030000000000000020", "000000030000000000000020"),
        # What ends where a segment begins needs nothing of it.
        ("0/2000000", "000000030000000000000020", "00000003000000000000001F"),
        ("1A/FFF00001", "000000030000001A00000FFF", "000000030000001A00000FFF"),
        ("1B/0", "000000030000001B00000000", "000000030000001A00000FFF"),
    ],
)
def test_a_position_is_in_a_segment(
    module: ModuleType, position: str, first: str, last: str
) -> None:
    made = base(backups(module), "eu-1", position, position, timeline=3)
    assert module.segment_of(made, "Start-LSN") == first
    assert module.segment_of(made, "End-LSN") == last


def test_the_newest_backups_of_the_cluster_alone_are_kept(module: ModuleType) -> None:
    made = backups(module)
    for name in ("eu-1.dump", "eu-2.dump", "eu-3.dump", "eu-4.part", "us-0.dump"):
        (made.dumps / name).touch()
    assert [one.name for one in made.surplus(made.dumps, ".dump")] == ["eu-1.dump"]


def test_the_archive_begins_with_the_oldest_base_backup(module: ModuleType) -> None:
    """A failover leaves a segment unfinished: what it has goes with the rest."""
    made = backups(module)
    base(made, "eu-1", "0/1200028", "0/1200100", timeline=2)
    base(made, "eu-2", "0/1500028", "0/1500100", timeline=2)
    gone = ("000000010000000000000010", "000000010000000000000011.partial")
    needed = ("000000020000000000000012", "000000020000000000000015", "00000002.history",
              "000000020000000000000016.partial")  # fmt: skip
    for name in (*gone, *needed):
        (made.archive / name).touch()
    made.prune()
    assert {one.name for one in made.archive.iterdir()} == set(needed)


def test_a_base_backup_that_failed_is_due_again(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RECEIVED_S_MAX", 0.0)
    made = backups(module)
    made.next_base_s = float("inf")
    made.settings["bin_dir"] = "/nowhere"
    made.attempt(module.BASE, made.base)
    assert "no base backup of EU" in made.problems[module.BASE]
    assert made.next_base_s == 0.0


def test_a_base_backup_without_its_log_is_none(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ARCHIVED_S_MAX", 0.0)
    made = backups(module)
    (made.archive / "000000010000000000000012.partial").touch()
    with pytest.raises(TimeoutError, match="did not reach the archive"):
        made.await_log("000000010000000000000012")
    (made.archive / "000000010000000000000012").touch()
    made.await_log("000000010000000000000012")
