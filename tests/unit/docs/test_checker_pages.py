"""Every example of a check in the documentation prints what the page shows."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.cli.main import main

DOCS = Path(__file__).parents[3] / "docs"
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ (testbed check .*)$", flags=re.MULTILINE)


def examples(page: Path) -> Iterator[tuple[str, list[str], str]]:
    """The history that stands before a command, the command's words, and what it prints."""
    history = ""
    for language, text in _BLOCK.findall(page.read_text(encoding="utf-8")):
        if language in ("json", "jsonl", "edn", "clojure"):
            history = text
        parts = _COMMAND.split(text)
        for command, shown in zip(parts[1::2], parts[2::2], strict=True):
            yield history, shlex.split(command)[1:], shown.lstrip("\n")


PAGES = sorted(page for page in DOCS.rglob("*.md") if any(True for _ in examples(page)))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_an_example_prints_what_the_page_shows(
    page: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for history, words, shown in examples(page):
        (tmp_path / words[-1]).write_text(history, encoding="utf-8")
        main(words)
        printed = capsys.readouterr()
        assert (printed.out + printed.err).splitlines() == shown.splitlines(), " ".join(words)


def test_every_checker_of_recorded_histories_has_an_example() -> None:
    """Pages of checkers that judge runs alone have none."""
    pages = {page.stem for page in (DOCS / "reference" / "checkers").glob("*.md")}
    assert pages - {page.stem for page in PAGES} == OF_RUNS


OF_RUNS = {"bounded-staleness", "convergence", "session-guarantees"}
