from __future__ import annotations

from pathlib import Path

import pytest

from testbed.report.judgement import FaultRecord, Judgement, Outcome
from testbed.report.recorded import Call, RecordedRun
from testbed.report.timeline import (
    Bins,
    bins_over,
    calls_by_region,
    region_series,
    regions_of,
    span,
)


def call(
    outcome: str, invoked_s: float, completed_s: float, f: str = "add", node: str = ""
) -> Call:
    kind = "read" if f == "count" else "write"
    return Call("a", "1", f, kind, invoked_s, invoked_s, completed_s, outcome, node)


@pytest.mark.parametrize("count_max", [1, 2, 10, 220])
@pytest.mark.parametrize(("start_s", "end_s"), [(0.0, 1.0), (0.5, 60.6), (3.2, 90_000.0)])
def test_bins_cover_the_time_with_a_round_width(
    start_s: float, end_s: float, count_max: int
) -> None:
    bins = bins_over(start_s, end_s, count_max)
    assert bins.start_s <= start_s
    assert bins.end_s >= end_s - 1e-9
    assert bins.count <= count_max + 1
    assert f"{bins.width_s:e}"[0] in "125"


def test_bins_can_have_a_least_width() -> None:
    assert bins_over(0.0, 60.0, 300, width_s_min=1.7).width_s == 2.0


def test_a_damaged_time_of_a_fault_does_not_stretch_the_axis() -> None:
    faults = (FaultRecord("cut", "a", inject_s=3.0, heal_s=1e308, effect_s=-1e308),)
    run = RecordedRun(Path("run"), judgement=Judgement(Outcome.VALID, schedule=faults))
    assert span(run) == (3.0, 4.0)


def test_operations_count_in_the_bin_where_they_ended() -> None:
    bins = Bins(0.0, 2.0, 3)
    calls = [
        call("ok", 0.1, 0.2, node="n1"),
        call("ok", 1.9, 2.1, node="n2"),
        call("ok", 2.0, 2.1, f="count", node="n1"),
        call("fail", 3.0, 3.1),
        call("info", 3.5, 4.5),
        call("info", 99.0, 99.0),
    ]
    series = region_series("a", calls, bins)
    assert series.writes == (0.5, 0.5, 0.0)
    assert series.reads == (0.0, 0.5, 0.0)
    assert series.failed == (0.0, 0.5, 0.0)
    assert series.unknown == (0.0, 0.0, 1.0)
    assert series.served == (1.0, 0.5, 0.0)
    assert series.answered_by == ("n1", "n2", None)


def test_latency_counts_from_when_the_operation_was_due() -> None:
    late = call("ok", 5.0, 5.1)._replace(due_s=1.0)
    series = region_series("a", [late], Bins(0.0, 10.0, 1))
    assert series.latency_ms_max[0] == pytest.approx(4100.0)


def test_reads_decide_where_nothing_writes() -> None:
    calls = [call("ok", 0.0, 0.1, f="count"), call("fail", 0.0, 0.1, f="count")]
    assert region_series("a", calls, Bins(0.0, 1.0, 2)).served == (0.5, None)


def test_a_bin_in_which_writes_only_waited_was_not_served() -> None:
    calls = [call("ok", 0.0, 0.1), call("info", 0.9, 3.5)]
    assert region_series("a", calls, Bins(0.0, 1.0, 5)).served == (1.0, 0.0, 0.0, 0.0, None)


def test_reads_hide_no_outage_of_writes() -> None:
    calls = [call("ok", 0.0, 0.1, f="count"), call("fail", 0.0, 0.1), call("ok", 1.0, 1.1)]
    assert region_series("a", calls, Bins(0.0, 1.0, 2)).served == (0.0, 1.0)


def test_what_is_no_load_is_in_no_region() -> None:
    marker = call("ok", 0.0, 0.1)._replace(kind="other")
    assert calls_by_region([marker, call("ok", 0.0, 0.1)]) == {"a": [call("ok", 0.0, 0.1)]}


def test_the_time_axis_spans_operations_and_faults(broken: RecordedRun) -> None:
    start_s, end_s = span(broken)
    assert start_s == pytest.approx(0.1)
    assert end_s == pytest.approx(62.0)


def test_regions_keep_the_inventorys_order(broken: RecordedRun) -> None:
    assert regions_of(broken) == ("eu-west", "eu-central", "us-east")


def test_an_empty_run_has_a_time_axis(failed: RecordedRun) -> None:
    start_s, end_s = span(failed)
    assert end_s > start_s
