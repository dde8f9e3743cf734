from __future__ import annotations

import pytest

from testbed.history.fault_window import fault_windows
from testbed.history.history import History
from testbed.measures.availability import availability
from testbed.measures.final_state import final_state
from testbed.measures.latency import latency, percentile
from testbed.measures.load import load, load_span
from testbed.measures.rpo import loss_estimate, recovery_point
from testbed.measures.rto import longest_outage
from tests.histories import MS, S, Scribe


def history() -> History:
    """A write each second in two regions, one of them down from 3 to 6 s; a late one at the end."""
    scribe = Scribe()
    for at in range(10):
        down = 3 <= at < 6
        scribe.call("add", at * S, at * S + 20 * MS, region="eu-west", node="a")
        scribe.call(
            "add", at * S, at * S + 500 * MS, "info" if down else "ok", region="us-east", node="a"
        )
    scribe.call("add", 10 * S, 10 * S + 50 * MS, "fail", region="us-east", due=9 * S)
    scribe.call("count", 2 * S, 2 * S + 10 * MS, region="us-east", result=2, node="b")
    return scribe.window(3 * S, 6 * S).history()


def test_load_counts_what_was_due() -> None:
    assert load_span(history(), {"add"}) == (0, 9 * S)
    assert load_span(history(), {"cas"}) is None
    found = load(history(), {"add"}, from_ns=0, to_ns=10 * S, region="us-east")
    assert (found.due, found.ok, found.fail, found.info) == (11, 7, 1, 3)
    assert (found.due_ops_s, found.acknowledged_ops_s) == (1.1, 0.7)
    assert found.availability == pytest.approx(7 / 11)
    assert load(history(), {"add"}, from_ns=11 * S, to_ns=12 * S).availability is None


def test_availability_by_region_and_kind_in_buckets() -> None:
    series = availability(history(), {"write": ("add",), "read": ("count",)}, bucket_ms=2000)
    assert [(one.region, one.kind) for one in series] == [
        ("eu-west", "write"),
        ("us-east", "read"),
        ("us-east", "write"),
    ]
    assert [bucket.due for bucket in series[2].buckets] == [2, 2, 2, 2, 3]
    assert [bucket.ok for bucket in series[2].buckets] == [2, 1, 0, 2, 2]
    assert [bucket.due for bucket in series[1].buckets] == [0, 1, 0, 0, 0]
    assert availability(history(), {"swap": ("cas",)}) == ()
    with pytest.raises(ValueError, match="positive"):
        availability(history(), {}, bucket_ms=0)


def test_latency_counts_from_the_due_time() -> None:
    scribe = Scribe().call("add", 5 * S, 6 * S, due=2 * S)
    found = latency(scribe.history(), {"add"})
    assert found is not None
    assert (found.count, found.p50_ms, found.max_ms) == (1, 4000, 4000)
    assert latency(scribe.history(), {"add"}, from_ns=3 * S) is None


def test_percentiles_are_of_the_nearest_rank() -> None:
    ordered = [float(number) for number in range(1, 101)]
    assert [percentile(ordered, percent) for percent in (1, 50, 90, 99, 100)] == [
        1,
        50,
        90,
        99,
        100,
    ]
    assert percentile([7.0], 50) == 7


def test_an_outage_is_told_from_its_fault_and_from_the_last_acknowledgement() -> None:
    outage = longest_outage(
        history(),
        "us-east",
        cause="cut",
        from_ns=3 * S,
        to_ns=10 * S,
        writes={"add"},
        bitten_ns=3200 * MS,
    )
    assert (outage.last_ack_ns, outage.first_ack_ns) == (2500 * MS, 6500 * MS)
    assert (outage.rto_ms, outage.rto_ms_min, outage.gap_ms) == (3500, 3300, 4000)
    assert (outage.since_fault_ms, outage.recovered, outage.invocations) == (3500, True, 4)


def test_an_outage_that_has_not_ended() -> None:
    outage = longest_outage(
        history(), "us-east", cause="cut", from_ns=3 * S, to_ns=6 * S, writes={"add"}
    )
    assert (outage.first_ack_ns, outage.recovered, outage.rto_ms) == (None, False, 3000)
    assert outage.unended_ns == 3 * S


def test_a_region_that_was_never_served() -> None:
    outage = longest_outage(history(), "moon", cause="cut", from_ns=0, to_ns=6 * S, writes={"add"})
    assert (outage.last_ack_ns, outage.gap_ms, outage.silent_ns_max) == (None, 6000, 6 * S)


def test_rpo_in_writes_and_in_time() -> None:
    scribe = Scribe()
    for number, node in enumerate("aab"):
        scribe.call(
            "add",
            number * S,
            number * S + MS,
            value=number,
            node=node,
            region="eu-west",
        )
    scribe.call("read", 9 * S, 10 * S, result=[2], node="b")
    found = recovery_point(final_state(scribe.history(), ["b"]).lost(), 3)
    assert (found.lost_writes, found.rpo_ms, dict(found.by_node)) == (2, 1000, {"a": 2})
    assert dict(found.by_region) == {"eu-west": 2}
    assert recovery_point([], 3).rpo_ms == 0


def test_a_loss_that_rate_and_time_do_not_explain_does_not_fit() -> None:
    scribe = Scribe().window(5 * S, 30 * S)
    for number in range(100):
        at = number * 100 * MS
        scribe.call("add", at, at + 10 * MS, value=number, node="a")
    scribe.call("add", 20 * S, 21 * S, value=100, node="b")
    scribe.call("read", 40 * S, 41 * S, result=[100], node="b")
    found = scribe.history()
    lost = final_state(found, ["b"]).lost()
    [window] = fault_windows(found)
    estimate = loss_estimate(found, lost, window, delay_ms=0)
    assert estimate is not None
    assert (estimate.node, estimate.lost_writes, estimate.fits) == ("a", 50, True)
    assert estimate.rate_before_ops_s == pytest.approx(10, rel=0.05)
    assert estimate.acknowledging_ms == 4910
    # All that was acknowledged before the cut is lost as well: no delay explains that.
    assert len(lost) == 100
    none = loss_estimate(Scribe().history(), lost, window, delay_ms=0)
    assert none is None
    few = loss_estimate(found, lost[:60], window, delay_ms=0)
    assert few is not None
    assert not few.fits


def test_a_loss_is_counted_against_the_primary_that_the_fault_met() -> None:
    """a is primary to 102 s, b from then to the cut at 105 s, c later, and b again at 130 s."""
    scribe = Scribe().window(105 * S, 120 * S)
    number = 0
    for node, since, until in (("a", 100, 102), ("b", 102, 107), ("c", 110, 112), ("b", 130, 132)):
        for at in range(since * S, until * S, 100 * MS):
            number += 1
            scribe.call("add", at, at + 10 * MS, value=number, node=node)
    scribe.call("read", 140 * S, 141 * S, result=[], node="c")
    found = scribe.history()
    lost = final_state(found, ["c"]).lost()
    [window] = fault_windows(found)
    estimate = loss_estimate(found, lost, window, delay_ms=500)
    assert estimate is not None
    assert estimate.node == "b"
    # 2 s of it after the cut, and the half second before that the delay held back.
    assert estimate.acknowledging_ms == 1910
    assert estimate.lost_writes == 25
    assert estimate.rate_before_ops_s == pytest.approx(10, rel=0.05)
    assert estimate.rate_reaching_ops_s == estimate.rate_before_ops_s
    assert estimate.expected_lost == pytest.approx(24, abs=0.2)
    assert estimate.expected_lost_min == 20
    assert estimate.expected_lost_max == pytest.approx(25, abs=0.2)
    assert estimate.fits


def test_rates_are_of_the_span_and_not_of_the_clock() -> None:
    found = load(history(), {"add"}, from_ns=5 * S, to_ns=10 * S, region="eu-west")
    assert (found.due, found.due_ops_s) == (5, 1.0)
    empty = load(history(), {"add"}, from_ns=5 * S, to_ns=5 * S)
    assert (empty.due, empty.due_ops_s) == (0, 0.0)


def test_buckets_begin_with_the_first_operation_and_leave_no_gap() -> None:
    scribe = Scribe()
    for at in (7, 8, 12):
        scribe.call("add", at * S, at * S + MS, region="eu-west")
    [series] = availability(scribe.history(), {"write": ("add",)}, bucket_ms=2000)
    assert [(one.from_ns // S, one.to_ns // S, one.ok) for one in series.buckets] == [
        (7, 9, 2),
        (9, 11, 0),
        (11, 13, 1),
    ]


def test_what_was_asked_for_before_the_cut_may_have_reached_a_replica() -> None:
    scribe = Scribe()
    for phase, at in (("inject", 5), ("injected", 6)):
        scribe.fault("region-cut", "cut", at * S, phase)
    for number, (start, end, region) in enumerate(
        [
            (1000, 1100, "far"),
            (2000, 2100, "near"),
            (3000, 3100, "near"),
            (4900, 5200, "near"),
            (5500, 5600, "near"),
            (6000, 6100, "near"),
        ]
    ):
        scribe.call("add", start * MS, end * MS, value=number, node="a", region=region)
    scribe.call("read", 40 * S, 41 * S, result=[0, 1, 2, 3, 4], node="b")
    found = scribe.history()
    [window] = fault_windows(found)
    estimate = loss_estimate(found, final_state(found, ["b"]).lost(), window, delay_ms=0)
    assert estimate is not None
    assert (estimate.lost_writes, estimate.expected_lost_min, estimate.expected_lost_max) == (
        1,
        1,
        3,
    )
    assert estimate.fits
    # Two of the three writes of the 3.9 s before came from the region that still reached it.
    assert estimate.rate_reaching_ops_s == pytest.approx(2 / 3.9)
    assert estimate.expected_lost == pytest.approx(2 / 3.9 * 1.1)
