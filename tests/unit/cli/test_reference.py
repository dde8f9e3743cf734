"""The reference page of the command names every verb and every argument, and no other."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from testbed.cli import main as command

PAGE = Path(command.__file__).parents[2] / "docs" / "reference" / "cli.md"


def sections() -> dict[str, str]:
    parts = re.split(r"^## testbed (\w+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def parsers() -> dict[str, argparse.ArgumentParser]:
    parser = command._parser(command.verbs())
    (verbs,) = (each for each in parser._actions if isinstance(each, argparse._SubParsersAction))
    return dict(verbs.choices)


def test_every_verb_has_its_section() -> None:
    assert sections().keys() == set(command.verbs())


@pytest.mark.parametrize("verb", command.verbs())
def test_every_argument_has_its_line(verb: str) -> None:
    table = re.findall(r"^\| `(.+?) \|", sections()[verb], flags=re.MULTILINE)
    documented = {word for cell in table for word in re.findall(r"(?<![\w-])--?[a-z][\w-]*", cell)}
    actions = [each for each in parsers()[verb]._actions if each.dest != "help"]
    assert documented == {option for each in actions for option in each.option_strings}
    for action in actions:
        if not action.option_strings:
            name = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
            assert any(cell.startswith(name.rstrip("`")) for cell in table), name
