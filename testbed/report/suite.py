"""Several runs of one experiment, summed up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from testbed.report.judgement import Outcome, merge_outcomes
from testbed.report.lanes import fault_title
from testbed.report.recorded import RecordedRun
from testbed.report.story import outcome_of


@dataclass(frozen=True, slots=True)
class Suite:
    """The runs of one call of ``testbed run``.

    Args:
        experiment: Its name.
        runs: In the order in which they were run.
        duration_s: Wall-clock seconds of all of it, or None.
        problem: Why the suite itself failed before its end, as where a build failed; empty where
            it did not. It makes the outcome an error unless a promise was broken.
    """

    experiment: str
    runs: tuple[RecordedRun, ...]
    duration_s: float | None = None
    problem: str = ""

    @property
    def outcome(self) -> Outcome:
        """All runs as one."""
        failed = (Outcome.ERROR,) if self.problem else ()
        return merge_outcomes([*(outcome_of(run) for run in self.runs), *failed])

    @property
    def counts(self) -> Mapping[Outcome, int]:
        """How many runs ended how; every outcome is in it."""
        found = Counter(outcome_of(run) for run in self.runs)
        return {outcome: found[outcome] for outcome in Outcome}


def run_name(run: RecordedRun) -> str:
    """What a run is called in a list: its example's number, else its folder's name."""
    example = run.judgement.example if run.judgement else ""
    return f"example {example}" if example else run.folder.name


def run_faults(run: RecordedRun) -> str:
    """The faults of a run in a few words: as injected, else as planned."""
    if run.schedule:
        return ", ".join(fault_title(fault) for fault in run.schedule)
    steps = run.plan.schedule if run.plan else ()
    return ", ".join(f"{step.kind} {step.target}" for step in steps) or "no fault"
