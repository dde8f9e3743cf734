"""Decides a gate from recorded runs: nothing is green for lack of data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from testbed.gates.gate import Finding, Gate, GateResult, GateSuite
from testbed.gates.shift import RUNS_MIN, shift
from testbed.gates.thresholds import NOT_A_BREACH, THRESHOLDS
from testbed.report.judgement import Outcome, merge_outcomes
from testbed.report.recorded import RecordedRun
from testbed.report.story import headline, outcome_of
from testbed.topology.settings import assignments


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
    for promise, threshold in suite.promises.items():
        yield _promise(suite.name, promise, threshold, steady)


def _promise(suite: str, name: str, asked: float, runs: Sequence[RecordedRun]) -> Finding:
    rule = THRESHOLDS[name]
    words = f"{'>=' if rule.least else '<='} {asked:g}"
    found = rule.measure(runs)
    if found is None:
        why = "no run shows it, or one could not decide it"
        return Finding(suite, name, Outcome.UNKNOWN, "not measured", words, why)
    kept = found >= asked if rule.least else found <= asked
    missed = Outcome.UNKNOWN if name in NOT_A_BREACH else Outcome.VIOLATION
    outcome = Outcome.VALID if kept else missed
    return Finding(suite, name, outcome, f"{found:.6g}", words, "" if kept else rule.meaning)


def _foreign(suite: GateSuite, run: RecordedRun) -> str:
    """Why a run says nothing about this suite's system; empty where it does."""
    if run.plan is None:
        return f"{run.folder} has no plan that can be read"
    # A deployment of one's own is given by its path, and named by its folder.
    named = Path(suite.deployment).name
    if (run.plan.experiment, Path(run.plan.deployment).name) != (suite.experiment, named):
        return f"{run.folder} is of {run.plan.experiment} on {run.plan.deployment}"
    stated = {key: str(value) for key, value in run.plan.variables.items()}
    wanted = {key: str(value) for key, value in assignments(suite.settings).items()}
    return "" if stated == wanted else f"{run.folder} was run with {stated}, not {wanted}"


def _flaky(runs: Sequence[RecordedRun]) -> list[list[RecordedRun]]:
    groups: dict[str, list[RecordedRun]] = defaultdict(list)
    for run in runs:
        if run.plan is not None:
            groups[repr(run.plan)].append(run)
    return [group for group in groups.values() if len({outcome_of(run) for run in group}) > 1]


def _rate(group: Sequence[RecordedRun]) -> str:
    valid = sum(outcome_of(run) is Outcome.VALID for run in group)
    return f"{valid} of {len(group)} valid ({valid / len(group):.0%})"


def compare(suite: str, before: Sequence[RecordedRun], after: Sequence[RecordedRun]) -> Finding:
    """Whether the longest recovery of each run grew beyond noise since a baseline."""
    old, new = _longest_s(before), _longest_s(after)
    words, name = "no growth at p < 0.05", "rto against baseline"
    if min(len(old), len(new)) < RUNS_MIN:
        why = f"{len(old)} runs before and {len(new)} now; {RUNS_MIN} of each are needed"
        return Finding(suite, name, Outcome.UNKNOWN, "too few runs", words, why)
    found = shift(old, new)
    grew = found.p < 0.05 and found.median > 0
    said = (
        f"{found.median:+.3f} s (95% {found.low:+.3f} to {found.high:+.3f}), p = {found.p:.4f}, "
        f"{len(old)} and {len(new)} runs"
    )
    outcome = Outcome.VIOLATION if grew else Outcome.VALID
    return Finding(suite, name, outcome, said, words, "slower beyond noise" if grew else "")


def _longest_s(runs: Sequence[RecordedRun]) -> list[float]:
    """One figure a run: the regions of one run waited for the same failover."""
    found = []
    for run in runs:
        recoveries = run.judgement.recoveries if run.judgement else ()
        times = [one.rto_s for one in recoveries if one.rto_s is not None]
        if times and outcome_of(run) is Outcome.VALID:
            found.append(max(times))
    return found
