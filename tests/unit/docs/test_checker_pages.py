"""Every example of a check in the documentation prints what the page shows."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.checkers.models import MODELS
from testbed.cli.main import main

DOCS = Path(__file__).parents[3] / "docs"
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ (testbed (?:check|history) .*)$", flags=re.MULTILINE)
EXIT_CODES = {
    r"valid: ": 0,
    r"\{": 0,  # what was converted
    r"violation: ": 1,
    r"unknown: ": 2,
    r"testbed \w+: ": 64,
    r"\S+:\d+:\d+: expected": 65,
}
"""How what is printed begins, and the exit code that goes with it."""


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


def put(history: str, words: list[str]) -> None:
    """The history as the file that a command names."""
    named = words[-2] if words[0] == "history" else words[-1]
    Path(named).write_text(history, encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_an_example_prints_what_the_page_shows(
    page: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for history, words, shown in examples(page):
        put(history, words)
        code = main(words)
        printed = capfd.readouterr()
        assert (printed.out + printed.err).splitlines() == shown.splitlines(), " ".join(words)
        assert [code] == [code for first, code in EXIT_CODES.items() if re.match(first, shown)]


@pytest.mark.parametrize("model", MODELS)
def test_each_model_has_an_example_of_a_violation_and_says_the_same_as_json(
    model: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    seen = 0
    for history, words, shown in (one for page in PAGES for one in examples(page)):
        if model not in words or not shown.startswith("violation: "):
            continue
        put(history, words)
        assert main([*words, "--json"]) == 1
        document = json.loads(capfd.readouterr().out)
        assert (document["verdict"], document["model"]) == ("violation", model)
        assert shown.startswith(f"violation: {document['reason']}\n")
        assert document["counterexample"]
        for example in document["counterexample"]:
            lines = [example["anomaly"], *example["text"]]
            assert all(line.strip() in shown for line in lines), example
        seen += 1
    assert seen


def test_every_checker_of_recorded_histories_has_an_example() -> None:
    """Pages of checkers that judge runs alone have none."""
    pages = {page.stem for page in (DOCS / "reference" / "checkers").glob("*.md")}
    assert pages - {page.stem for page in PAGES} == OF_RUNS


OF_RUNS = {"bounded-staleness", "convergence", "session-guarantees"}
