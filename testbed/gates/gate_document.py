"""Reads a gate file: TOML, refused whole with every problem at once."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path
from typing import Any

from experiments.catalogue import EXPERIMENTS
from experiments.duration import parse_duration_s
from testbed.gates.gate import Gate, GateSuite
from testbed.gates.thresholds import THRESHOLDS
from testbed.topology.settings import as_text

_SUITE_KEYS = {"name", "experiment", "deployment", "settings", "budget", "runs_min", "promises"}


class GateError(Exception):
    """A gate file can't be used; the message lists every problem."""

    exit_code = 64

    def __init__(self, path: Path, problems: list[str]) -> None:
        super().__init__("\n  ".join([f"{path} is no gate:", *problems]))


def load_gate(path: Path) -> Gate:
    """The gate of a file.

    Raises:
        GateError: It can't be read or used; with every problem.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise GateError(path, [f"it cannot be read: {error.strerror}"]) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise GateError(path, [str(error)]) from error
    problems = [f"unknown key '{key}'" for key in document if key not in {"name", "suite"}]
    name, listed = document.get("name"), document.get("suite")
    if not isinstance(name, str) or not name.strip():
        problems.append("name: must be a text")
    if not isinstance(listed, list) or not listed:
        raise GateError(path, [*problems, "suite: at least one [[suite]] is needed"])
    suites = [_suite(one, f"suite {number}", problems) for number, one in enumerate(listed, 1)]
    names = [suite.name for suite in suites]
    problems += [f"suite name '{one}' is used twice" for one in {*names} if names.count(one) > 1]
    if problems:
        raise GateError(path, problems)
    return Gate(str(name), tuple(suites))


def _suite(raw: Any, where: str, problems: list[str]) -> GateSuite:
    if not isinstance(raw, dict):
        problems.append(f"{where}: must be a table")
        raw = {}
    problems += [f"{where}: unknown key '{key}'" for key in raw if key not in _SUITE_KEYS]
    experiment = raw.get("experiment")
    if not isinstance(experiment, str) or experiment not in EXPERIMENTS:
        known = ", ".join(EXPERIMENTS)
        problems.append(f"{where}: experiment: there is no {experiment!r}; there are: {known}")
        experiment = ""
    default = EXPERIMENTS[experiment].deployment if experiment else ""
    name, deployment = raw.get("name", experiment), raw.get("deployment", default)
    if not isinstance(name, str) or "/" in name or name in {".", ".."}:
        problems.append(f"{where}: name: must be a text with no '/'")
    if not isinstance(deployment, str):
        problems.append(f"{where}: deployment: must be a text")
    runs_min = raw.get("runs_min", 1)
    if type(runs_min) is not int or runs_min < 1:
        problems.append(f"{where}: runs_min: must be a whole number from 1")
    settings = raw.get("settings", {})
    if not isinstance(settings, dict):
        problems.append(f"{where}: settings: must be a table")
        settings = {}
    return GateSuite(
        name=str(name),
        experiment=experiment,
        deployment=str(deployment),
        settings=tuple(f"{key}={as_text(value)}" for key, value in settings.items()),
        budget_s=_budget_s(raw.get("budget", "3m"), where, problems),
        runs_min=runs_min,
        promises=_promises(raw.get("promises"), where, problems),
    )


def _budget_s(raw: Any, where: str, problems: list[str]) -> float:
    try:
        return parse_duration_s(str(raw))
    except ValueError as error:
        problems.append(f"{where}: budget: {error}")
        return 0.0


def _promises(raw: Any, where: str, problems: list[str]) -> dict[str, float]:
    if not isinstance(raw, dict) or not raw:
        problems.append(f"{where}: promises: at least one is needed: {', '.join(THRESHOLDS)}")
        return {}
    for name, value in raw.items():
        if name not in THRESHOLDS:
            problems.append(
                f"{where}: promises: unknown '{name}'; there are: {', '.join(THRESHOLDS)}"
            )
        elif type(value) not in (int, float) or not math.isfinite(value) or value < 0:
            problems.append(f"{where}: promises: {name}: must be a number from 0, not {value!r}")
    return raw
