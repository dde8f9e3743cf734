"""The description of a metric: what there is, before anything is measured."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class MetricType(enum.Enum):
    """The types of Prometheus that are used here."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Args:
        name: As it is exposed, in base units, with the unit last (``_total`` after it).
        type: Its type.
        help: One sentence for people.
        labels: Their names, after ``world``, which every metric has.
        buckets: Upper bounds of a histogram's buckets.
    """

    name: str
    type: MetricType
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def exposed(self) -> tuple[str, ...]:
        """The names of its samples."""
        if self.type is MetricType.HISTOGRAM:
            return tuple(f"{self.name}_{part}" for part in ("bucket", "sum", "count"))
        return (self.name,)
