"""What ``run`` and ``replay`` share: a suite with its view, its report files and exit code."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from experiments.conduct import check, conduct, experiment_named
from experiments.options import Options
from testbed.report.document import suite_document
from testbed.report.junit import write_junit
from testbed.report.live import live_view
from testbed.report.terminal import console_for, print_suite


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asks for; see ``testbed run --help``."""

    experiment: str
    deployment: str | None
    settings: tuple[str, ...]
    lanes: int
    budget_s: float
    examples: int
    seed: int
    out: Path | None
    junit: Path | None
    json: bool
    fresh: bool
    plan: Path | None


def run(request: Request) -> int:
    """Run a suite, show it, write its files; its exit code."""
    experiment = experiment_named(request.experiment)
    out = request.out or Path("runs") / f"{time.strftime('%Y%m%d-%H%M%S')}-{experiment.name}"
    options = Options(
        deployment=request.deployment,
        settings=request.settings,
        out=out.absolute(),
        budget_s=request.budget_s,
        examples=request.examples,
        seed=request.seed,
        lane=0,
        progress=None,
        plan=request.plan,
        fresh=request.fresh,
    )
    check(options, experiment.deployment)
    # With --json standard output is the document alone.
    console = console_for(sys.stderr if request.json else sys.stdout, os.environ)
    with live_view(console, request.lanes) as view:
        suite = conduct(experiment, options, request.lanes, view.take, view.beat)
    write_junit(suite, request.junit or options.out / "junit.xml")
    document = suite_document(suite)
    (options.out / "suite.json").write_text(document, encoding="utf-8")
    if request.json:
        sys.stdout.write(document)
    else:
        print_suite(console, suite)
    return suite.outcome.exit_code


def list_variables(experiment: str, deployment: str | None) -> int:
    """Print what ``--set`` can change."""
    from testbed.topology.inventory import find, settings

    name = deployment or experiment_named(experiment).deployment
    for setting in settings(find(name)):
        variable = setting.variable
        choices = f" ({', '.join(variable.choices)})" if variable.choices else ""
        unit = f" {variable.unit}" if variable.unit else ""
        print(f"{variable.name}={setting.value}{unit}{choices}\n    {variable.description}")
    return 0
