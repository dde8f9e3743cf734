"""The board: every metric's present values, in a registry of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics_core import Metric as Family

from testbed.history.whole_file import write_whole
from testbed.metrics.catalogue import METRICS
from testbed.metrics.metric import Metric, MetricType

# When a series was made is of no use here, and would double what is exposed.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]


class FreshRegistry(CollectorRegistry):
    """A registry that brings itself up to date before it is read.

    Args:
        refresh: Does that; called by one thread at a time.
    """

    def __init__(self, refresh: Callable[[], None]) -> None:
        super().__init__()
        self._refresh = refresh
        self._one_reader = threading.Lock()

    def collect(self) -> Iterator[Family]:
        """Every metric as it is now."""
        with self._one_reader:
            self._refresh()
            yield from super().collect()


class Board:
    """Values by metric, world and labels.

    Args:
        refresh: Called before the values are read.
    """

    def __init__(self, refresh: Callable[[], None] = lambda: None) -> None:
        self.registry = FreshRegistry(refresh)
        self._counters: dict[Metric, Counter] = {}
        self._gauges: dict[Metric, Gauge] = {}
        self._histograms: dict[Metric, Histogram] = {}
        for metric in METRICS:
            self._make(metric)

    def _make(self, metric: Metric) -> None:
        labels = ("world", *metric.labels)
        if metric.type is MetricType.COUNTER:
            made = Counter(metric.name, metric.help, labels, registry=self.registry)
            self._counters[metric] = made
        elif metric.type is MetricType.GAUGE:
            self._gauges[metric] = Gauge(metric.name, metric.help, labels, registry=self.registry)
        else:
            self._histograms[metric] = Histogram(
                metric.name, metric.help, labels, registry=self.registry, buckets=metric.buckets
            )

    def count(self, metric: Metric, *labels: str) -> None:
        """Count one more; ``labels`` begin with the world."""
        self._counters[metric].labels(*labels).inc()

    def observe(self, metric: Metric, *labels: str, value: float) -> None:
        """Add a value to a histogram."""
        self._histograms[metric].labels(*labels).observe(value)

    def set(self, metric: Metric, *labels: str, value: float) -> None:
        """Set a gauge."""
        self._gauges[metric].labels(*labels).set(value)

    def set_known(self, metric: Metric, *labels: str, value: float | None) -> None:
        """Set a gauge, or take it back while nobody knows."""
        if value is None:
            self.forget(metric, *labels)
        else:
            self.set(metric, *labels, value=value)

    def forget(self, metric: Metric, *labels: str) -> None:
        """Take back every value of a gauge whose labels begin with these."""
        gauge = self._gauges[metric]
        for sample in next(iter(gauge.collect())).samples:
            found = tuple(sample.labels[name] for name in ("world", *metric.labels))
            if found[: len(labels)] == labels:
                gauge.remove(*found)

    def text(self) -> str:
        """Everything in Prometheus' text format."""
        return prometheus_client.generate_latest(self.registry).decode("utf-8")

    def write(self, path: Path) -> None:
        """Write a textfile, whole or not at all, as node_exporter's collector reads it."""
        write_whole(path, self.text())
