"""Names, units and the page of every metric."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

import testbed
from testbed.metrics.board import Board
from testbed.metrics.catalogue import METRICS
from testbed.metrics.metric import Metric, MetricType
from testbed.metrics.reference import page

UNITS = ("_seconds", "_bytes", "_ratio")


@pytest.mark.parametrize("metric", METRICS, ids=lambda each: each.name)
def test_names_follow_the_conventions(metric: Metric) -> None:
    assert re.fullmatch(r"testbed(_[a-z]+)+", metric.name)
    assert metric.name.endswith("_total") == (metric.type is MetricType.COUNTER)
    assert metric.help.endswith(".")
    assert not any(word in metric.name for word in ("_ms", "_milli", "_percent", "_kb"))
    assert len(set(metric.labels)) == len(metric.labels)
    assert bool(metric.buckets) == (metric.type is MetricType.HISTOGRAM)


def test_no_name_is_taken_twice() -> None:
    assert len({name for metric in METRICS for name in metric.exposed}) == sum(
        len(metric.exposed) for metric in METRICS
    )


def test_prometheus_finds_nothing_wrong_with_what_is_exposed() -> None:
    board = Board()
    for metric in METRICS:
        labels = ("w", *("x" for _ in metric.labels))
        if metric.type is MetricType.COUNTER:
            board.count(metric, *labels)
        elif metric.type is MetricType.GAUGE:
            board.set(metric, *labels, value=1)
        else:
            board.observe(metric, *labels, value=1)
    done = subprocess.run(
        ["promtool", "check", "metrics"],
        input=board.text(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_reference_page_is_current() -> None:
    path = Path(testbed.__path__[0]).parent / "docs" / "reference" / "metrics.md"
    assert path.read_text(encoding="utf-8") == page(), (
        "run: python -m testbed.metrics.reference > docs/reference/metrics.md"
    )
