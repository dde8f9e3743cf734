"""The example of the page on measures prints what the page shows, and every function is there."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "measures.md"
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\|[^|]*\|([^|]*)\|[^|]*\|$", flags=re.MULTILINE)
_NAME = re.compile(r"`(\w+)\.(\w+)`")


def test_the_example_prints_what_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = dict(_BLOCK.findall(PAGE.read_text(encoding="utf-8")))
    monkeypatch.chdir(tmp_path)
    Path("history.jsonl").write_text(blocks["jsonl"], encoding="utf-8")
    exec(compile(blocks["python"], str(PAGE), "exec"), {})
    assert capsys.readouterr().out == blocks["text"]


def test_every_function_of_the_tables_is_there() -> None:
    named = [name for cell in _ROW.findall(PAGE.read_text("utf-8")) for name in _NAME.findall(cell)]
    assert len(named) > 10
    for module, function in named:
        package = "checkers" if function == "check" else "measures"
        assert callable(getattr(importlib.import_module(f"testbed.{package}.{module}"), function))
