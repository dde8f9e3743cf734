"""Decides a gate from recorded runs: nothing is green for lack of data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from testbed.gates.gate import Finding, Gate, GateResult, GateSuite
from testbed.gates.thresholds import THRESHOLDS
from testbed.report.judgement import Outcome, merge_outcomes
from testbed.report.recorded import RecordedRun
from testbed.report.story import headline, outcome_of
from testbed.report.visible import visible
from testbed.topology.settings import as_text, assignments


def decide(
    gate: Gate,
    runs: Mapping[str, Sequence[RecordedRun]],
    problems: Mapping[str, str] | None = None,
) -> GateResult:
    """Judge a gate.

    Args:
        gate: What is asked.
        runs: Suite's name -> every run of it, tries that were repeated included.
        problems: Suite's name -> what failed outside of any run.
    """
    findings: list[Finding] = []
    for suite in gate.suites:
        if problem := (problems or {}).get(suite.name):
            findings.append(Finding(suite.name, "suite", Outcome.ERROR, "failed", "ran", problem))
        findings += _suite(suite, runs.get(suite.name, ()))
    return GateResult(gate.name, tuple(findings))


def _suite(suite: GateSuite, every: Sequence[RecordedRun]) -> Iterator[Finding]:
    foreign = [why for run in every if (why := _foreign(suite, run))]
    if foreign:
        yield Finding(
            suite.name, "same system", Outcome.UNKNOWN, f"{len(foreign)} others", "none", foreign[0]
        )
    flaky = _flaky(every)
    if flaky:
        rates = [_rate(group) for group in flaky]
        yield Finding(
            suite.name,
            "repeatable",
            Outcome.UNKNOWN,
            "; ".join(rates),
            "one verdict a plan",
            f"{len(flaky)} plans were judged differently when run again: flaky",
        )
    unsteady = {id(run) for group in flaky for run in group}
    steady = [run for run in every if id(run) not in unsteady]
    enough = len(steady) >= suite.runs_min
    yield Finding(
        suite.name,
        "runs",
        Outcome.VALID if enough else Outcome.UNKNOWN,
        str(len(steady)),
        f">= {suite.runs_min}",
        "" if enough else "too few runs to decide anything",
    )
    outcomes = [outcome_of(run) for run in steady]
    merged = merge_outcomes(outcomes)
    worst = next((run for run in steady if outcome_of(run) is merged), None)
    bad = len([one for one in outcomes if one is merged])
    reason = "" if merged is Outcome.VALID else headline(worst).sentence if worst else "no run"
    yield Finding(
        suite.name,
        "every run valid",
        merged,
        f"{bad} of {len(outcomes)} {merged.value}",
        "all",
        reason,
    )
    # A number that was damaged would be taken for one that is not there: for an endless time.
    sound = [run for run in steady if not _damaged(run)]
    for promise, threshold in suite.promises.items():
        yield _promise(suite.name, promise, threshold, sound)


def _damaged(run: RecordedRun) -> bool:
    return any(problem.file == "verdict.json" for problem in run.problems)


def _promise(suite: str, name: str, asked: float, runs: Sequence[RecordedRun]) -> Finding:
    rule = THRESHOLDS[name]
    words = f"{'>=' if rule.least else '<='} {asked:.12g}"
    found = rule.measure(runs)
    if found is None:
        why = "no run shows it, one could not decide it, or it showed too little of it"
        return Finding(suite, name, Outcome.UNKNOWN, "not measured", words, why)
    kept = {one >= asked if rule.least else one <= asked for one in (found.low, found.high)}
    if len(kept) > 1:
        why = f"the threshold lies where it may be: {rule.meaning}"
        return Finding(suite, name, Outcome.UNKNOWN, str(found), words, why)
    missed = Outcome.VIOLATION if rule.breach else Outcome.UNKNOWN
    held = True in kept
    outcome = Outcome.VALID if held else missed
    # One that misses by a hair is not shown as the threshold itself.
    near = not held and found.low == found.high and float(str(found)) == asked
    measured = f"{found.high!r}" if near else str(found)
    return Finding(suite, name, outcome, measured, words, "" if held else rule.meaning)


def _foreign(suite: GateSuite, run: RecordedRun) -> str:
    """Why a run says nothing about this suite's system; empty where it does."""
    folder = visible(str(run.folder))
    if run.plan is None:
        return f"{folder} has no plan that can be read"
    # A deployment of one's own is given by its path, and named by its folder.
    named = Path(suite.deployment).name
    if (run.plan.experiment, Path(run.plan.deployment).name) != (suite.experiment, named):
        return f"{folder} is of {run.plan.experiment} on {run.plan.deployment}"
    stated = {key: as_text(value) for key, value in run.plan.variables.items()}
    wanted = {key: as_text(value) for key, value in assignments(suite.settings).items()}
    return "" if stated == wanted else f"{folder} was run with {stated}, not {wanted}"


def _flaky(runs: Sequence[RecordedRun]) -> list[list[RecordedRun]]:
    groups: dict[str, list[RecordedRun]] = defaultdict(list)
    for run in runs:
        if run.plan is not None:
            groups[repr(run.plan)].append(run)
    return [group for group in groups.values() if _contradict({outcome_of(run) for run in group})]


def _contradict(outcomes: set[Outcome]) -> bool:
    """Whether the runs of one plan tell different things.

    A run without an answer does not speak against a broken promise; but it is not made good by one
    that held when it was played again.
    """
    return Outcome.VALID in outcomes and len(outcomes) > 1


def _rate(group: Sequence[RecordedRun]) -> str:
    valid = sum(outcome_of(run) is Outcome.VALID for run in group)
    return f"{valid} of {len(group)} valid ({valid / len(group):.0%})"
