"""The examples of the checkers' pages: the command prints today what they show."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from testbed.cli import main as command

PAGES = Path(command.__file__).parents[2] / "docs" / "reference" / "checkers"
EXAMPLE = re.compile(r"```json\n(.*?)```\s+```console\n\$ testbed (.*?)\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: str(page.stem))
def test_the_examples_of_a_page(
    page: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = page.read_text(encoding="utf-8")
    examples = EXAMPLE.findall(text)
    assert len(examples) == text.count("```console")
    monkeypatch.chdir(tmp_path)
    for history, line, shown in examples:
        words = shlex.split(line)
        Path(words[-1]).write_text(history, encoding="utf-8")
        assert command.main(words) == 1
        assert capsys.readouterr().out == shown
