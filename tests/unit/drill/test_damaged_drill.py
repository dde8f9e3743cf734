"""What a drill left behind, damaged: refused with its place, and never judged as something else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from testbed.drill.book import FILE as BOOK
from testbed.drill.book import read_book
from testbed.drill.session_file import SETUP, read_setup
from testbed.runner.folder import FolderError, read_json

ENTRY = {"time_ns": 1, "kind": "inject", "who": "ann", "what": "cut"}


def written(folder: Path, name: str, document: Any) -> Path:
    (folder / name).write_text(json.dumps(document) + "\n")
    return folder


def test_a_sound_entry_is_read(tmp_path: Path) -> None:
    assert read_book(written(tmp_path, BOOK, ENTRY))[0].what == "cut"


@pytest.mark.parametrize(
    "damage", [{"time_ns": "1"}, {"time_ns": None}, {"time_ns": 1.5}, {"what": {}}, {"text": None}]
)
def test_an_entry_of_wrong_types_is_named_with_its_line(
    tmp_path: Path, damage: dict[str, Any]
) -> None:
    with pytest.raises(FolderError, match=r":1: damaged: "):
        read_book(written(tmp_path, BOOK, ENTRY | damage))


@pytest.mark.parametrize("damage", [{"control": "no"}, {"auto": None}, {"alerts": 1}])
def test_how_it_was_played_is_not_guessed(tmp_path: Path, damage: dict[str, Any]) -> None:
    sound = {"name": "n", "auto": True, "control": False, "world": "", "source": "n.yml"}
    assert not read_setup(written(tmp_path, SETUP, sound)).control
    with pytest.raises(FolderError, match="not true or false"):
        read_setup(written(tmp_path, SETUP, sound | damage))


def test_what_is_nested_too_deep_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "deep.json").write_text("[" * 100_000)
    with pytest.raises(FolderError, match=r"deep\.json cannot be read"):
        read_json(tmp_path / "deep.json")
