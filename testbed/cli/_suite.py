"""What ``run`` and ``replay`` share: a suite with its view, its report files and exit code."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from experiments.catalogue import Experiment
from experiments.conduct import check, conduct, experiment_named, values_of
from experiments.options import Options
from testbed.metrics.exporter import Exporter, served
from testbed.report.comparison import Compared, outcome_of_all, print_comparison
from testbed.report.document import render_document
from testbed.report.junit import render_junit
from testbed.report.report_file import write_index
from testbed.report.suite import Suite
from testbed.report.terminal import console_for, print_suite
from testbed.report.watch import ProgressView, view_for
from testbed.runner.folder import FolderError
from testbed.runner.progress import Event


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
    metrics_port: int | None = None


def run(request: Request) -> int:
    """Run a suite, or one under each value of a variable; show it, write its files; exit code."""
    experiment = experiment_named(request.experiment)
    with _exporter(request) as exporter:
        return _run_all(request, experiment, exporter)


def _run_all(request: Request, experiment: Experiment, exporter: Exporter | None) -> int:
    out = request.out or Path("runs") / f"{time.strftime('%Y%m%d-%H%M%S')}-{experiment.name}"
    if request.each is None:
        return _run(replace(request, out=out), experiment, exporter).outcome.exit_code
    values = values_of(request.deployment or experiment.deployment, request.each)
    compared = []
    for value in values:
        settings = (*request.settings, f"{request.each}={value}")
        one = replace(request, settings=settings, out=out / value)
        compared.append(Compared(value, _run(one, experiment, exporter)))
    stream = sys.stderr if request.json else sys.stdout
    print_comparison(console_for(stream, os.environ), request.each, compared)
    print(f"All runs: {write_index(out, compared)}", file=stream)
    return outcome_of_all(compared).exit_code


@contextlib.contextmanager
def _exporter(request: Request) -> Iterator[Exporter | None]:
    """Metrics are served inside, where they were asked for."""
    if request.metrics_port is None:
        yield None
        return
    with served(request.metrics_port) as exporter:
        print(f"Metrics: {exporter.url}", file=sys.stderr)
        yield exporter


def _watching(view: ProgressView, exporter: Exporter | None) -> Callable[[Event], None]:
    def watch(event: Event) -> None:
        view.feed(event)
        if exporter is not None:
            exporter.feed(event)

    return watch


def _run(request: Request, experiment: Experiment, exporter: Exporter | None) -> Suite:
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
    check(options, experiment)
    # With --json standard output is the document alone.
    stream = sys.stderr if request.json else sys.stdout
    try:
        with view_for(stream, os.environ) as view:
            suite = conduct(experiment, options, request.lanes, _watching(view, exporter))
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
