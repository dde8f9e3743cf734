"""The workflows to copy install the testbed, not another of its name, and say what it knows."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from testbed.cli.main import parsers

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
WORKFLOWS = sorted(EXAMPLES.glob("*.yml"))


def scripts(item: Any) -> Iterator[str]:
    """The lines of every shell step."""
    if isinstance(item, dict):
        for name, value in item.items():
            lines = value if name in ("script", "before_script") else [value]
            if name in ("run", "script", "before_script"):
                yield from (line for each in lines for line in each.splitlines())
            else:
                yield from scripts(value)
    elif isinstance(item, list):
        for value in item:
            yield from scripts(value)


def named(paths: list[Path]) -> Any:
    return pytest.mark.parametrize("path", paths, ids=lambda each: each.name)


@named(WORKFLOWS)
def test_what_a_workflow_says_to_the_testbed_is_understood(path: Path) -> None:
    lines = [line.strip() for line in scripts(yaml.safe_load(path.read_text()))]
    plain = [re.sub(r"\$\{\{.*?\}\}", "X", line.partition("||")[0]) for line in lines]
    said = [shlex.split(line) for line in plain if line.startswith("testbed ")]
    assert said
    known = parsers()
    for words in said:
        known[words[1]].parse_args(words[2:])


@named(sorted([*WORKFLOWS, *EXAMPLES.parent.rglob("*.md")]))
def test_nobody_is_told_to_install_by_a_name_that_another_project_has(path: Path) -> None:
    assert not re.findall(r"pip install (?:\S+ )*testbed(?![-.\w/])", path.read_text())


def test_every_shipped_drill_is_played_every_night() -> None:
    workflow = yaml.safe_load((EXAMPLES / "nightly-drills.yml").read_text())
    played = workflow["jobs"]["drill"]["strategy"]["matrix"]["drill"]
    shipped = (EXAMPLES.parents[1] / "experiments" / "drills").glob("*.yml")
    assert sorted(played) == sorted(path.stem for path in shipped)
