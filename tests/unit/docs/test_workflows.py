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
from tests.unit.docs.workflow_steps import github, gitlab, uploaded

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


TESTBED = """#!/bin/sh
echo "testbed $*" >> said
while [ $# -gt 0 ]; do
    [ "$1" != --control ] || CODE=$CONTROL_CODE
    [ "$1" != --out ] || { shift; mkdir "$1"; for one in gate.md gate.xml debrief.md; do
        echo "the summary" > "$1/$one"; done; }
    shift
done
exit $CODE
"""
"""Stands in for the testbed: leaves the files, and ends as it is told."""


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """The environment of a build: nothing but a shell, and what stands in for programs."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sudo", "apt-get", "pip"):
        (programs / name).write_text(f'#!/bin/sh\necho "{name} $*" >> said\n')
    (programs / "testbed").write_text(TESTBED)
    for file in programs.iterdir():
        file.chmod(0o755)
    (tmp_path / "checkout").mkdir()
    return {
        "PATH": f"{programs}:/usr/bin:/bin",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "CODE": "0",
        "CONTROL_CODE": "1",
    }


def jobs(name: str) -> Any:
    return yaml.safe_load((EXAMPLES / name).read_text())


@pytest.mark.parametrize("code", [0, 1, 2, 3, 64])
def test_only_a_gate_that_passed_lets_a_build_pass(
    machine: dict[str, str], tmp_path: Path, code: int
) -> None:
    checkout = tmp_path / "checkout"
    job = jobs("github-actions.yml")["jobs"]["gate"]
    assert github(job, checkout, machine | {"CODE": str(code)}) == code
    assert (tmp_path / "summary").read_text() == "the summary\n"
    assert all((checkout / path).exists() for path in uploaded(job))
    said = (checkout / "said").read_text().splitlines()
    assert said[-1] == "testbed gate gates/failover.toml --out resilience"
    assert "pip install wheels/testbed-*.whl" in said


@pytest.mark.parametrize("code", [0, 1, 2, 3, 64])
def test_only_a_gate_that_passed_lets_a_pipeline_pass(
    machine: dict[str, str], tmp_path: Path, code: int
) -> None:
    checkout = tmp_path / "checkout"
    job = jobs("gitlab-ci.yml")["resilience"]
    assert gitlab(job, checkout, machine | {"CODE": str(code)}) == code
    assert all((checkout / path).exists() for path in uploaded(job))
    # What is kept between two builds is where the testbed looks for it.
    assert job["variables"]["XDG_CACHE_HOME"] == "$CI_PROJECT_DIR/.cache"
    assert job["cache"]["paths"] == [".cache/testbed/programs"]


@pytest.mark.parametrize(
    ("code", "control", "passes"),
    [(0, 1, True), (0, 0, False), (0, 2, False), (0, 3, False), (1, 1, False), (2, 1, False)],
)
def test_a_night_of_drills_passes_where_one_holds_and_its_control_does_not(
    machine: dict[str, str], tmp_path: Path, code: int, control: int, passes: bool
) -> None:
    checkout = tmp_path / "checkout"
    job = jobs("nightly-drills.yml")["jobs"]["drill"]
    env = machine | {"CODE": str(code), "CONTROL_CODE": str(control)}
    assert (github(job, checkout, env, drill="slow-link") == 0) == passes
    assert (tmp_path / "summary").read_text() == "the summary\n"
    assert (checkout / "held").exists()
    said = (checkout / "said").read_text().splitlines()
    assert "testbed drill drills/slow-link.yml --auto --out held" in said


def test_a_build_whose_gate_could_not_begin_fails_without_a_summary(
    machine: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "bin" / "testbed").write_text("#!/bin/sh\nexit 64\n")
    job = jobs("github-actions.yml")["jobs"]["gate"]
    assert github(job, tmp_path / "checkout", machine) == 64
    assert not (tmp_path / "summary").exists()
