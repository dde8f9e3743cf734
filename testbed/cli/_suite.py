"""What ``run`` and ``replay`` share: a suite with its view, its report files and exit code."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from experiments.catalogue import Experiment
from experiments.conduct import check, conduct, experiment_named, values_of
from experiments.options import Options
from testbed.report.comparison import Compared, outcome_of_all, print_comparison
from testbed.report.document import render_document
from testbed.report.junit import render_junit
from testbed.report.report_file import write_index
from testbed.report.suite import Suite
from testbed.report.terminal import console_for, print_suite
from testbed.report.watch import view_for
from testbed.runner.folder import FolderError


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
    each: str | None = None


def run(request: Request) -> int:
    """Run a suite, or one under each value of a variable; show it, write its files; exit code."""
    experiment = experiment_named(request.experiment)
    out = request.out or Path("runs") / f"{time.strftime('%Y%m%d-%H%M%S')}-{experiment.name}"
    if request.each is None:
        return _run(replace(request, out=out), experiment).outcome.exit_code
    values = values_of(request.deployment or experiment.deployment, request.each)
    compared = []
    for value in values:
        settings = (*request.settings, f"{request.each}={value}")
        one = replace(request, settings=settings, out=out / value)
        compared.append(Compared(value, _run(one, experiment)))
    stream = sys.stderr if request.json else sys.stdout
    print_comparison(console_for(stream, os.environ), request.each, compared)
    print(f"All runs: {write_index(out, compared)}", file=stream)
    return outcome_of_all(compared).exit_code


def _run(request: Request, experiment: Experiment) -> Suite:
    assert request.out is not None
    options = Options(
        deployment=request.deployment,
        settings=request.settings,
        out=request.out.absolute(),
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
    stream = sys.stderr if request.json else sys.stdout
    try:
        with view_for(stream, os.environ) as view:
            suite = conduct(experiment, options, request.lanes, view.feed)
    except KeyboardInterrupt:
        print(
            f"\nEverything recorded so far is in {options.out}; every world has ended.", file=stream
        )
        raise
    document = render_document(suite)
    _write(options.out / "suite.json", document)
    _write(request.junit or options.out / "junit.xml", render_junit(suite))
    index = write_index(options.out, [Compared("", suite)])
    if request.json:
        sys.stdout.write(document)
    else:
        print_suite(console_for(stream, os.environ), suite)
        print(f"All runs: {index}", file=stream)
    return suite


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FolderError(f"{path} cannot be written: {error.strerror}") from error


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
