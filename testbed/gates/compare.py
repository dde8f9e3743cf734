"""Compares the runs of a gate with those of a baseline: what grew, beyond noise.

How long a region is without service depends on its faults more than on anything else. Where enough
schedules were played on both sides (a gate draws the same from the same seed), runs of the same one
are compared as pairs; else all runs of one side with all of the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from types import MappingProxyType

from testbed.gates.figures import run_lag_ms
from testbed.gates.gate import Finding
from testbed.gates.shift import PAIRS_MIN, RUNS_MIN, paired_shift, shift
from testbed.report.judgement import Outcome
from testbed.report.recorded import RecordedRun
from testbed.report.story import outcome_of

P_MAX = 0.05
"""A growth that chance alone would show this often, or more, is none."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure of each run that is compared.

    Args:
        figure: Of a run; None where it has none. One a run: the parts of a run are not independent.
        unit: Of the figure.
    """

    figure: Callable[[RecordedRun], float | None]
    unit: str


def _longest_rto_s(run: RecordedRun) -> float | None:
    recoveries = run.judgement.recoveries if run.judgement else ()
    times = [one.rto_s for one in recoveries if one.rto_s is not None]
    return max(times, default=None)


def _lag_p99_ms(run: RecordedRun) -> float | None:
    found = run_lag_ms(run)
    # What it surely was: where it may have been longer still is not a growth that was seen.
    return None if found is None else found.low


FIGURES: Mapping[str, Compared] = MappingProxyType(
    {
        "rto against baseline": Compared(_longest_rto_s, "s"),
        "lag p99 against baseline": Compared(_lag_p99_ms, "ms"),
    }
)
"""Name of the finding -> what is compared."""


def compare(
    suite: str, before: Sequence[RecordedRun], after: Sequence[RecordedRun]
) -> Iterator[Finding]:
    """Whether a figure of the runs grew since a baseline; one finding for each that they have.

    Args:
        suite: Its name.
        before: The baseline's runs.
        after: The gate's.
    """
    shown = False
    for name, compared in FIGURES.items():
        old, new = _values(before, compared), _values(after, compared)
        if old or new:
            shown = True
            yield _finding(suite, name, compared.unit, old, new)
    if not shown:
        why = "neither the runs nor the baseline's have a figure to compare"
        yield Finding(suite, "baseline", Outcome.UNKNOWN, "no figure", "no growth", why)


def _values(runs: Sequence[RecordedRun], compared: Compared) -> dict[str, list[float]]:
    """What was played -> the figures of the valid runs of it."""
    found: dict[str, list[float]] = defaultdict(list)
    for run in runs:
        if outcome_of(run) is not Outcome.VALID or (value := compared.figure(run)) is None:
            continue
        found[_played(run)].append(value)
    return found


def _played(run: RecordedRun) -> str:
    """What is the same in two runs that make a pair; the variables may be what was changed."""
    plan = run.plan
    return repr((plan.experiment, plan.load, plan.schedule)) if plan is not None else ""


def _finding(
    suite: str,
    name: str,
    unit: str,
    old: Mapping[str, Sequence[float]],
    new: Mapping[str, Sequence[float]],
) -> Finding:
    words = f"no growth at p < {P_MAX:g}"
    before, after = ([one for found in side.values() for one in found] for side in (old, new))
    differences = [median(new[each]) - median(old[each]) for each in old if each in new]
    if len(differences) >= PAIRS_MIN:
        found, what = paired_shift(differences), f"{len(differences)} schedules played in both"
    elif min(len(before), len(after)) >= RUNS_MIN:
        found, what = shift(before, after), f"{len(before)} and {len(after)} runs"
    else:
        why = f"{len(before)} runs before and {len(after)} now; {RUNS_MIN} of each are needed"
        return Finding(suite, name, Outcome.UNKNOWN, "too few runs", words, why)
    grew = found.p < P_MAX and found.median > 0
    said = (
        f"{found.median:+.3f} {unit} (95% {found.low:+.3f} to {found.high:+.3f}), "
        f"p = {found.p:.4f}, {what}"
    )
    outcome = Outcome.VIOLATION if grew else Outcome.VALID
    return Finding(suite, name, outcome, said, words, "grew beyond noise" if grew else "")
