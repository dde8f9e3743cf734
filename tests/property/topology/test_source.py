"""The quick parser of YAML and the plain one make the same of the same text."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from testbed.topology import source
from testbed.topology.problem import Problem

FILES = sorted((Path(__file__).parents[3] / "inventory").rglob("*.yml"))
PIECES = [
    *("", " ", "  ", ": ", "- ", "\n", "\n\n", "\t", "#", "'", '"', "[", "]", "{", "}", ",", "&a "),
    *("*a", "!x ", "<<: ", "| ", ">-\n", "---\n", "...\n", "? ", "%", "@", "0x1", "1:30", "~"),
    *("é", "\x85", "\u2028", "\x07", "\ufeff", "\\", "yes", "null", "2020-01-01", "=", "a: b: c"),
]


def read(path: Path, monkeypatch: pytest.MonkeyPatch, *, quick: bool) -> Any:
    problems: list[Problem] = []
    with monkeypatch.context() as patch:
        patch.setattr(yaml, "__with_libyaml__", quick)
        return source.read(path, problems), problems


@given(seed=st.integers(0, 2**48))
def test_damaged_files_are_read_alike(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    dice = random.Random(seed)
    text = dice.choice(FILES).read_text(encoding="utf-8")
    start = dice.randrange(len(text))
    text = text[start : start + 300] if dice.random() < 0.5 else text[:1000]
    for _ in range(dice.randint(0, 3)):
        at = dice.randint(0, len(text))
        text = text[:at] + dice.choice(PIECES) + text[at + dice.randint(0, 3) :]
    path = tmp_path_factory.getbasetemp() / "damaged.yml"
    path.write_bytes(text.encode())
    with pytest.MonkeyPatch.context() as monkeypatch:
        quick, plain = (read(path, monkeypatch, quick=quick) for quick in (True, False))
    assert quick == plain


@pytest.mark.parametrize("path", FILES, ids=str)
def test_shipped_files_are_read_alike(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = read(path, monkeypatch, quick=True)
    assert quick[0] is not None
    assert quick == read(path, monkeypatch, quick=False)
