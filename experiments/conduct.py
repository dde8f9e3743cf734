"""Conducts a suite: lanes started, watched, summed up; whatever happens, nothing stays behind."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from experiments.catalogue import EXPERIMENTS, Experiment
from experiments.fitting import refuse_unfit, unknown_to_clients
from experiments.options import Options
from experiments.suite import LaneResult, Suite, SuiteError
from testbed.report import suite as reported
from testbed.report.judgement import Outcome
from testbed.report.recorded import RecordedRun
from testbed.report.story import outcome_of
from testbed.report.suite_folder import runs_below
from testbed.runner.plan_document import load_plan
from testbed.runner.progress import EVERY_LANE, Estimate, Event, Phase, ProgressError, decode
from testbed.toolchain.display import progress
from testbed.toolchain.preparation import prepare
from testbed.topology.inventory import find, load, settings
from testbed.topology.settings import assignments

_POLL_S = 0.1
_DISK_BYTES_MIN = 200 * 1024 * 1024

Watch = Callable[[Event], None]


class UsageError(Exception):
    """What was asked for can't be meant; the message says what can."""

    exit_code = 64


def experiment_named(name: str) -> Experiment:
    """The experiment of a name.

    Raises:
        UsageError: There is none; lists those that there are.
    """
    if name not in EXPERIMENTS:
        known = ", ".join(EXPERIMENTS)
        raise UsageError(f"there is no experiment '{name}'; there are: {known}")
    return EXPERIMENTS[name]


def values_of(deployment: str, variable: str) -> tuple[str, ...]:
    """Every value of a deployment's variable that is a choice.

    Raises:
        InventoryError: There is no such deployment.
        UsageError: It has no such choice; lists those that it has.
    """
    choices = {
        one.variable.name: one.variable.choices
        for one in settings(find(deployment))
        if one.variable.choices
    }
    if variable not in choices:
        listed = ", ".join(sorted(choices))
        raise UsageError(f"'{variable}' is no choice of {deployment}; there are: {listed}")
    return choices[variable]


def check(options: Options, experiment: Experiment) -> None:
    """Refuse what can't work before anything is started.

    Raises:
        InventoryError: The deployment or a variable; with every problem.
        UsageError: The deployment's clients cannot do what the experiment asks of them.
        PlanError: The plan; with every problem.
        SuiteError: The folder exists, or its disk is full.
        ToolchainError: A program is missing.
    """
    deployment, stated = options.deployment or experiment.deployment, dict[str, object]()
    if options.plan is not None:
        plan = load_plan(options.plan)
        deployment, stated = plan.deployment, dict(plan.variables)
    found = load(find(deployment), {**stated, **assignments(options.settings)})
    if options.plan is not None:
        refuse_unfit(load_plan(options.plan), found, str(options.plan))
    elif unable := unknown_to_clients(experiment.workloads, found.topology):
        raise UsageError(f"{experiment.name} on {deployment}: {unable[0]}")
    if options.out.exists():
        raise SuiteError(f"{options.out} exists already: give another folder by --out")
    parent = next(path for path in options.out.parents if path.exists())
    free = shutil.disk_usage(parent).free
    if free < _DISK_BYTES_MIN:
        raise SuiteError(
            f"{parent} has {free // 2**20} MiB left, and a suite needs {_DISK_BYTES_MIN // 2**20}:"
            " make room, or give a folder on another disk by --out"
        )
    prepare(progress())


def conduct(experiment: Experiment, options: Options, lanes: int, watch: Watch) -> reported.Suite:
    """Run a suite to its end.

    Args:
        experiment: What to run.
        options: Of the suite.
        lanes: Worlds at once.
        watch: Told of every progress event.

    Raises:
        SuiteError: It could not be started.
        KeyboardInterrupt: The user gave up; lanes and worlds have ended.
    """
    began = time.monotonic()
    suite = Suite(experiment.module, options, lanes)
    suite.start()
    try:
        ready = None
        for event in _follow(suite):
            if ready is None and event is not None and _examines(event):
                ready = time.monotonic()
            watch(_estimate(options, ready or time.monotonic()) if event is None else event)
    finally:
        suite.stop()
    return summed_up(experiment.name, options.out, suite.results(), time.monotonic() - began)


def summed_up(
    name: str, out: Path, results: tuple[LaneResult, ...], seconds: float | None
) -> reported.Suite:
    """The runs below a suite's folder and what became of its lanes."""
    runs = tuple(runs_below(out))
    return reported.Suite(name, runs, seconds, _problem(results, runs))


def _problem(results: tuple[LaneResult, ...], runs: Sequence[RecordedRun]) -> str:
    """What ended a lane other than its verdicts: those are in the run folders."""
    # pytest ends in 1 for a broken promise, and for a defect of the experiment as well.
    broken = any(outcome_of(run) is Outcome.VIOLATION for run in runs)
    expected = (0, 1, 2) if broken else (0, 2)
    bad = [result for result in results if result.exit_code not in expected]
    if not bad and runs:
        return ""
    worst = bad[0] if bad else results[0]
    return f"lane {worst.lane} ended with code {worst.exit_code}: {_tail(worst.log)} ({worst.log})"


def _tail(log: Path) -> str:
    try:
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    except OSError:
        lines = []
    return " | ".join(lines[-3:]) or "it printed nothing"


def _follow(suite: Suite) -> Iterator[Event | None]:
    """Events as they are appended; None whenever there is nothing new for a moment."""
    with suite.progress.open("rb") as file:
        rest = b""
        while True:
            running = suite.running()
            rest += file.read()
            *lines, rest = rest.split(b"\n")
            for line in lines:
                event = _decoded(line)
                if event is not None:
                    yield event
            yield None
            if not running:
                return
            time.sleep(_POLL_S)


def _examines(event: Event) -> bool:
    """True for what is told once a world is ready: from then on the budget counts."""
    return isinstance(event.payload, Phase) and event.payload.name != "provision"


def _decoded(line: bytes) -> Event | None:
    try:
        return decode(line)
    except ProgressError:
        return None


def _estimate(options: Options, began: float) -> Event:
    """What is left; nothing is said where nobody knows it: of one plan, or of the last example."""
    judged = len(list((options.out / "runs").glob("*/verdict.json")))
    if options.plan is not None:
        return Event(time.time(), EVERY_LANE, Estimate(judged, examples_planned=1))
    left_s = max(0.0, options.budget_s - (time.monotonic() - began))
    found = Estimate(
        judged, budget_s=options.budget_s, budget_left_s=left_s, remaining_s=left_s or None
    )
    return Event(time.time(), EVERY_LANE, found)
