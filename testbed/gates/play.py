"""Plays the suites of a gate: all are checked before the first one runs, each is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from experiments.catalogue import EXPERIMENTS
from experiments.conduct import check, conduct
from experiments.options import Options
from testbed.gates.gate import Gate, GateSuite
from testbed.report.watch import ProgressView
from testbed.report.wording import seconds

_BESIDE_S = 45.0
"""What a suite takes beside its budget: a world that starts, and the example that ends it."""


def play(
    gate: Gate,
    out: Path,
    *,
    lanes: int,
    seed: int,
    view: Callable[[], ProgressView],
    say: Callable[[str], None],
) -> Mapping[str, str]:
    """Run every suite, each into the folder of its name below ``out``.

    Args:
        gate: What is asked.
        out: Its folder.
        lanes: Worlds at once.
        seed: Of all that is drawn.
        view: Makes what shows a suite's progress, with what is left of its budget.
        say: Told what begins, and how long all that is left may take.

    Returns:
        Suite's name -> what failed outside of any run; empty where nothing did.

    Raises:
        InventoryError: A deployment or variable of any suite; before anything runs.
        SuiteError: A folder exists already, or its disk is full.
        ToolchainError: A program is missing.
    """
    asked = [(suite, _options(suite, out / suite.name, seed)) for suite in gate.suites]
    for suite, options in asked:
        check(options, EXPERIMENTS[suite.experiment])
    problems = {}
    for number, (suite, options) in enumerate(asked, 1):
        left_s = sum(one.budget_s + _BESIDE_S for one, _ in asked[number - 1 :])
        say(
            f"Gate {gate.name}, suite {number} of {len(asked)}: {suite.name}, "
            f"{suite.experiment} on {suite.deployment}; all that is left takes at most about "
            f"{seconds(left_s)}"
        )
        with view() as shown:
            suite_run = conduct(EXPERIMENTS[suite.experiment], options, lanes, shown.feed)
        problems[suite.name] = suite_run.problem
    return problems


def _options(suite: GateSuite, folder: Path, seed: int) -> Options:
    return Options(
        deployment=suite.deployment,
        settings=suite.settings,
        out=folder,
        budget_s=suite.budget_s,
        examples=1000,
        seed=seed,
        lane=0,
        progress=None,
    )
