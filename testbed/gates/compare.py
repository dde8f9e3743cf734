"""Compares the runs of a gate with those of a baseline: what grew, beyond noise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from testbed.gates.figures import run_lag_ms
from testbed.gates.gate import Finding
from testbed.gates.shift import RUNS_MIN, shift
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


def _values(runs: Sequence[RecordedRun], compared: Compared) -> list[float]:
    valid = [run for run in runs if outcome_of(run) is Outcome.VALID]
    return [value for run in valid if (value := compared.figure(run)) is not None]


def _finding(
    suite: str, name: str, unit: str, old: Sequence[float], new: Sequence[float]
) -> Finding:
    words = f"no growth at p < {P_MAX:g}"
    if min(len(old), len(new)) < RUNS_MIN:
        why = f"{len(old)} runs before and {len(new)} now; {RUNS_MIN} of each are needed"
        return Finding(suite, name, Outcome.UNKNOWN, "too few runs", words, why)
    found = shift(old, new)
    grew = found.p < P_MAX and found.median > 0
    said = (
        f"{found.median:+.3f} {unit} (95% {found.low:+.3f} to {found.high:+.3f}), "
        f"p = {found.p:.4f}, {len(old)} and {len(new)} runs"
    )
    outcome = Outcome.VIOLATION if grew else Outcome.VALID
    return Finding(suite, name, outcome, said, words, "grew beyond noise" if grew else "")
