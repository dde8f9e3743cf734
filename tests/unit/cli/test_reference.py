"""The reference page of the command is made from the code, and says something of every argument."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from testbed.cli import _reference
from testbed.cli import main as command

PAGE = Path(command.__file__).parents[2] / "docs" / "reference" / "cli.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == _reference.page(), (
        "run: python -m testbed.cli._reference > docs/reference/cli.md"
    )


@pytest.mark.parametrize("verb", command.verbs())
def test_every_verb_and_every_argument_is_told(verb: str) -> None:
    section = _reference.page().partition(f"\n## testbed {verb}\n")[2].partition("\n## ")[0]
    assert section.strip()
    for action in command.parsers()[verb]._actions:
        if isinstance(action, argparse._SubParsersAction | argparse._HelpAction):
            continue
        assert action.help, action.dest
        name = action.option_strings[0] if action.option_strings else str(action.metavar)
        assert f"`{name}" in section


def test_what_only_the_page_says_is_of_verbs_that_there_are() -> None:
    assert {*_reference._MORE} <= {*command.verbs()}
