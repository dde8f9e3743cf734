"""The promises that a gate can ask for: where each figure comes from, and which way it is judged.

A promise that no run makes, or that one run could not decide, has no figure: it is inconclusive.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from testbed.gates import figures
from testbed.gates.figures import Measure, enough_reads, number, timely


@dataclass(frozen=True, slots=True)
class Threshold:
    """How one promise is judged.

    Args:
        measure: Runs -> figure; None where the runs do not show it.
        least: True where the threshold is the least that is accepted, else it is the most.
        meaning: One line for people.
        breach: False where missing it shows too little, rather than that a promise was broken.
    """

    measure: Measure
    least: bool
    meaning: str
    breach: bool = True


THRESHOLDS: Mapping[str, Threshold] = MappingProxyType(
    {
        "rto_p95_s": Threshold(
            timely(figures.rto_p95_s), False, "95th percentile of the times without service"
        ),
        "lost_writes": Threshold(
            number({"durability": "lost_writes"}, sum), False, "acknowledged writes lost, in all"
        ),
        "dual_primary_runs": Threshold(
            figures.dual_primary_runs,
            False,
            "runs in which two primaries acknowledged writes at a time",
        ),
        "dual_primary_ms": Threshold(
            figures.dual_primary_ms,
            False,
            "longest time for which two primaries acknowledged writes",
        ),
        "converge_max_s": Threshold(
            timely(figures.converge_max_s),
            False,
            "longest time from the heal until a new write was on every node",
        ),
        "lag_p99_ms": Threshold(
            timely(figures.lag_p99_ms),
            False,
            "99th percentile of the replication lag, of the slowest link of any run",
        ),
        "staleness_p99_ms": Threshold(
            timely(enough_reads(number({"bounded-staleness": "staleness_p99_ms"}, max))),
            False,
            "99th percentile of how old reads were, of the worst run",
        ),
        "staleness_max_ms": Threshold(
            timely(number({"bounded-staleness": "staleness_max_ms"}, max)),
            False,
            "the oldest read of any run",
        ),
        "residency_leaks": Threshold(
            number({"residency": "leaks"}, sum),
            False,
            "personal data found in a jurisdiction where it may not be, in all",
        ),
        "availability_min": Threshold(
            timely(figures.availability),
            True,
            "least share of operations served in a region, faults included",
        ),
        "acknowledged_writes_min": Threshold(
            figures.acknowledged_writes,
            True,
            "least load of any run",
            breach=False,
        ),
        "schedules_min": Threshold(
            figures.schedules,
            True,
            "different schedules of which every fault was shown to bite",
            breach=False,
        ),
    }
)
"""Promise -> how it is judged."""
