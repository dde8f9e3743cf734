"""The promises that a gate can ask for: where each figure comes from, and which way it is judged.

A promise that no run makes, or that one run could not decide, has no figure: it is inconclusive.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from testbed.measures.latency import percentile
from testbed.report.judgement import Outcome
from testbed.report.recorded import RecordedRun

Measure = Callable[[Sequence[RecordedRun]], float | None]


@dataclass(frozen=True, slots=True)
class Threshold:
    """How one promise is judged.

    Args:
        measure: Runs -> figure; None where the runs do not show it.
        least: True where the threshold is the least that is accepted, else it is the most.
        meaning: One line for people.
    """

    measure: Measure
    least: bool
    meaning: str


def _rto_p95_s(runs: Sequence[RecordedRun]) -> float | None:
    found = [one for run in runs if run.judgement for one in run.judgement.recoveries]
    # Service that never came back is longer than any threshold.
    times = [math.inf if one.rto_s is None else one.rto_s for one in found]
    return percentile(sorted(times), 95) if times else None


def _number(
    verdict: str, number: str, merge: Callable[[list[float]], float], scale: float = 1.0
) -> Measure:
    def measure(runs: Sequence[RecordedRun]) -> float | None:
        # Not every workload makes every promise: a set shows lost writes, a bank does not.
        judged = [
            one
            for run in runs
            for one in (run.judgement.promises if run.judgement else ())
            if one.name == verdict
        ]
        if any(one.outcome not in _DECIDED or number not in one.numbers for one in judged):
            return None
        values = [one.numbers[number] for one in judged]
        return merge(values) * scale if values else None

    return measure


_DECIDED = (Outcome.VALID, Outcome.VIOLATION)


def _dual_primaries(runs: Sequence[RecordedRun]) -> float | None:
    outcomes = [
        one.outcome
        for run in runs
        for one in (run.judgement.promises if run.judgement else ())
        if one.name == "single-primary"
    ]
    if len(outcomes) < len(runs) or not outcomes or {*outcomes} - {*_DECIDED}:
        return None
    return float(outcomes.count(Outcome.VIOLATION))


def _bit(run: RecordedRun) -> bool:
    return bool(run.schedule) and all(fault.effect_s is not None for fault in run.schedule)


def _schedules(runs: Sequence[RecordedRun]) -> float:
    return float(len({repr(run.plan.schedule) for run in runs if run.plan and _bit(run)}))


def _availability(runs: Sequence[RecordedRun]) -> float | None:
    if any(not (run.judgement and run.judgement.availability) for run in runs):
        return None
    values = [v for run in runs if run.judgement for v in run.judgement.availability.values()]
    return min(values, default=None)


THRESHOLDS: Mapping[str, Threshold] = MappingProxyType(
    {
        "rto_p95_s": Threshold(_rto_p95_s, False, "95th percentile of the times without service"),
        "lost_writes": Threshold(
            _number("durability", "lost_writes", sum), False, "acknowledged writes lost, in all"
        ),
        "dual_primary_runs": Threshold(
            _dual_primaries, False, "runs in which two primaries acknowledged writes at a time"
        ),
        "converge_max_s": Threshold(
            _number("recovery", "recovery_ms_max", max, 0.001),
            False,
            "longest time from the heal until a new write was on every node",
        ),
        "availability_min": Threshold(
            _availability, True, "least share of operations served in a region, faults included"
        ),
        "acknowledged_writes_min": Threshold(
            _number("durability", "acknowledged_writes", min), True, "least load of any run"
        ),
        "schedules_min": Threshold(
            _schedules, True, "different schedules of which every fault was shown to bite"
        ),
    }
)
"""Promise -> how it is judged."""
NOT_A_BREACH = frozenset({"acknowledged_writes_min", "schedules_min"})
"""Too little of these shows nothing, rather than that a promise was broken."""
