"""The figures that gates judge: runs to a number, or to the two that it surely lies between.

A run that makes no such promise counts for nothing; a run that makes it and could not decide it
leaves the whole figure undecided: None.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from testbed.measures.latency import percentile
from testbed.report.judgement import LinkLag, Outcome, Promise
from testbed.report.recorded import RecordedRun

SAMPLES_MIN = 100
"""Of fewer samples the 99th percentile is the longest one, whatever would have come."""

_DECIDED = (Outcome.VALID, Outcome.VIOLATION)
_P99 = 2
"""Place of the 99th percentile among the quantiles of a link."""


@dataclass(frozen=True, slots=True)
class Figure:
    """Where a figure lies: between the two, which are the same where it is known exactly."""

    low: float
    high: float

    def __str__(self) -> str:
        same = self.low == self.high
        return f"{self.high:.6g}" if same else f"{self.low:.6g} to {self.high:.6g}"


Measure = Callable[[Sequence[RecordedRun]], Figure | None]


def exactly(value: float | None) -> Figure | None:
    """A figure that is known; None for one that is not."""
    return None if value is None else Figure(value, value)


def timely(measure: Measure) -> Measure:
    """The same, where every run could be judged at all.

    A starved machine makes everything late: how long something took there is nobody's fault. What
    was lost or found there stays lost or found.
    """

    def measured(runs: Sequence[RecordedRun]) -> Figure | None:
        return None if _undecided(runs, "adequacy") else measure(runs)

    return measured


def _undecided(runs: Sequence[RecordedRun], name: str) -> bool:
    """Whether a run makes a promise and could not decide it."""
    return any(
        one.outcome not in _DECIDED for run in runs for one in _promises(run) if one.name == name
    )


def rto_p95_s(runs: Sequence[RecordedRun]) -> Figure | None:
    """95th percentile of the times without service; of one that never ended it is infinite.

    One that had not ended when the run was over, and might have in time, leaves it undecided.
    """
    if _undecided(runs, "rto"):
        return None
    found = [one for run in runs if run.judgement for one in run.judgement.recoveries]
    times = [math.inf if one.rto_s is None else one.rto_s for one in found]
    return exactly(percentile(sorted(times), 95) if times else None)


def number(
    sources: dict[str, str], merge: Callable[[Iterable[float]], float], scale: float = 1.0
) -> Measure:
    """A number of a verdict, over runs.

    Args:
        sources: Name of a promise -> name of its number.
        merge: The numbers of several runs to one.
        scale: Factor from the number's unit to the figure's.
    """

    def measure(runs: Sequence[RecordedRun]) -> Figure | None:
        judged = [one for run in runs for one in _promises(run) if one.name in sources]
        if any(one.outcome not in _DECIDED for one in judged):
            return None
        if any(sources[one.name] not in one.numbers for one in judged):
            return None
        values = [one.numbers[sources[one.name]] for one in judged]
        return exactly(merge(values) * scale if values else None)

    return measure


def converge_max_s(runs: Sequence[RecordedRun]) -> Figure | None:
    """The longest time from a heal until a new write was on every node.

    Where that promise was broken, some node was not seen to have it when its bound was over: it
    took longer than that, and nobody knows how long.
    """
    judged = [one for run in runs for one in _promises(run) if one.name in _CONVERGED]
    if not judged or any(one.outcome not in _DECIDED for one in judged):
        return None
    found = [_converged_s(one) for one in judged]
    sure = [one for one in found if one is not None]
    if len(sure) < len(found):
        return None
    return Figure(max(one.low for one in sure), max(one.high for one in sure))


_CONVERGED = {
    "recovery": ("recovery_ms_max", "recovery_ms_bound"),
    "replication": ("converged_ms_max", "bound_ms"),
}
"""Promise -> the numbers of the longest time that was seen, and of what was promised."""


def _converged_s(promise: Promise) -> Figure | None:
    longest, bound = (promise.numbers.get(name) for name in _CONVERGED[promise.name])
    if promise.outcome is Outcome.VIOLATION:
        return Figure(math.nextafter(max(longest or 0.0, bound or 0.0) / 1e3, math.inf), math.inf)
    return exactly(None if longest is None else longest / 1e3)


def enough_reads(measure: Measure) -> Measure:
    """The same, where every run of it had reads enough for a 99th percentile."""
    reads = number({"bounded-staleness": "reads"}, min)

    def measured(runs: Sequence[RecordedRun]) -> Figure | None:
        fewest = reads(runs)
        return None if fewest is None or fewest.low < SAMPLES_MIN else measure(runs)

    return measured


def _promises(run: RecordedRun) -> tuple[Promise, ...]:
    return run.judgement.promises if run.judgement else ()


def _single_primary(runs: Sequence[RecordedRun]) -> list[Promise] | None:
    """That promise of every run; None where one does not make it or could not decide it."""
    found = [one for run in runs for one in _promises(run) if one.name == "single-primary"]
    undecided = {one.outcome for one in found} - {*_DECIDED}
    return None if undecided or not found or len(found) < len(runs) else found


def dual_primary_runs(runs: Sequence[RecordedRun]) -> Figure | None:
    """How many runs had two primaries at a time."""
    found = _single_primary(runs)
    if found is None:
        return None
    return exactly(float(sum(one.outcome is Outcome.VIOLATION for one in found)))


def dual_primary_ms(runs: Sequence[RecordedRun]) -> Figure | None:
    """The longest time for which two primaries acknowledged; infinite where it is not known."""
    found = _single_primary(runs)
    if found is None:
        return None
    return exactly(
        max(
            0.0 if one.outcome is Outcome.VALID else one.numbers.get("dual_primary_ms", math.inf)
            for one in found
        )
    )


def lag_p99_ms(runs: Sequence[RecordedRun]) -> Figure | None:
    """The longest 99th percentile of any link and any measurement of any run."""
    found = [figure for run in runs if (figure := run_lag_ms(run)) is not None]
    measuring = [run for run in runs if run.judgement and run.judgement.lag is not None]
    if not found or len(found) < len(measuring):
        return None
    return Figure(max(one.low for one in found), max(one.high for one in found))


def run_lag_ms(run: RecordedRun) -> Figure | None:
    """The longest 99th percentile of one run; None where a link has too few samples.

    Lag is measured in several ways that must agree: of each link the one counts that tells it best.
    """
    lag = run.judgement.lag if run.judgement else None
    by_link: dict[tuple[str, str], list[LinkLag]] = defaultdict(list)
    for one in lag.links if lag is not None else ():
        by_link[one.origin, one.seen_at].append(one)
    best = [
        min(_telling(found), key=lambda figure: figure.high - figure.low, default=None)
        for found in by_link.values()
    ]
    sure = [one for one in best if one is not None]
    if not sure or len(sure) < len(best):
        return None
    return Figure(max(one.low for one in sure), max(one.high for one in sure))


def _telling(measurements: Iterable[LinkLag]) -> Iterator[Figure]:
    for one in measurements:
        p99, seen = one.quantiles_ms[_P99], one.count or 0.0
        if p99 is None or seen < SAMPLES_MIN:
            continue
        unseen = one.unseen or 0.0
        # More than one in a hundred never came: that percentile has no upper end.
        endless = unseen > 0.01 * (seen + unseen)
        yield Figure(p99[0], math.inf if endless else p99[1])


def schedules(runs: Sequence[RecordedRun]) -> Figure:
    """How many different schedules there are of which every fault was shown to bite."""
    found = {repr(run.plan.schedule) for run in runs if run.plan and _bit(run)}
    return Figure(float(len(found)), float(len(found)))


def _bit(run: RecordedRun) -> bool:
    return bool(run.schedule) and all(fault.effect_s is not None for fault in run.schedule)


def acknowledged_writes(runs: Sequence[RecordedRun]) -> Figure | None:
    """The fewest writes that a run acknowledged."""
    counts = [run.judgement.acknowledged_writes if run.judgement else None for run in runs]
    known = [count for count in counts if count is not None]
    return exactly(min(known)) if known and len(known) == len(counts) else None


def availability(runs: Sequence[RecordedRun]) -> Figure | None:
    """The least share of what was due that was answered, in any region of any run."""
    if any(not (run.judgement and run.judgement.availability) for run in runs):
        return None
    values = [v for run in runs if run.judgement for v in run.judgement.availability.values()]
    return exactly(min(values, default=None))
