"""Percentiles are those that their names say; spans hold their first moment, not their last."""

from __future__ import annotations

from typing import Any

from testbed.measures.dual_primary import dual_primary_windows
from testbed.measures.heartbeat import heartbeat_lags
from testbed.measures.lag import lags
from testbed.measures.lag_history import history_lags
from testbed.measures.lag_recording import recording
from testbed.measures.lag_sample import LagSample, quantiles
from testbed.measures.latency import latency
from testbed.measures.rto import Outage, longest_outage
from testbed.measures.session_steps import canonical
from testbed.measures.staleness import staleness
from testbed.measures.visibility import visibilities
from tests.histories import MS, S, Scribe


def test_each_percentile_of_a_latency_is_its_own() -> None:
    scribe = Scribe()
    for number in range(1, 201):
        scribe.call("add", 0, number * MS, value=number)
    found = latency(scribe.history(), {"add"})
    assert found is not None
    assert (found.p50_ms, found.p90_ms, found.p99_ms, found.max_ms) == (100, 180, 198, 200)


def test_the_span_of_a_latency_holds_its_first_moment_and_not_its_last() -> None:
    scribe = Scribe()
    for start in (1, 2, 3):
        scribe.call("add", start * S, start * S + start * MS, value=start)
    found = latency(scribe.history(), {"add"}, from_ns=2 * S, to_ns=3 * S)
    assert found is not None
    assert (found.count, found.max_ms) == (1, 2)


def test_each_percentile_of_a_lag_is_its_own() -> None:
    found = quantiles([LagSample("a", "b", 0, MS, n * MS, n * MS) for n in range(1, 201)])
    shown = [found.p50_ms, found.p95_ms, found.p99_ms, found.max_ms]
    assert shown == [(99, 100), (189, 190), (197, 198), (199, 200)]
    assert LagSample("a", "b", 0, 5 * MS, MS, None).low_ms == 0


def test_each_percentile_of_a_lag_from_place_to_place_is_its_own() -> None:
    scribe = Scribe()
    for number in range(1, 201):
        scribe.call("add", 0, 0, value=number, node="a")
        scribe.call("read", 1, number * MS, result=[number], node="b")
    (lag,) = lags(visibilities(scribe.history()), lambda one: one.first_ms_max)
    assert (lag.p50_ms, lag.p95_ms, lag.p99_ms, lag.max_ms) == (100, 190, 198, 200)


def test_a_link_on_which_nothing_was_seen_has_no_lag() -> None:
    scribe = Scribe().call("add", 0, 1, value=1, node="a").call("read", 2, 3, result=[], node="b")
    (lag,) = lags(visibilities(scribe.history()), lambda one: one.first_ms_max)
    assert (lag.count, lag.unseen, lag.p50_ms, lag.max_ms) == (0, 1, 0, 0)


def test_a_heartbeat_shows_after_the_last_look_that_lacks_it() -> None:
    rows: list[dict[str, Any]] = [{"node": "a", "beat": beat, "end": beat + 1} for beat in (10, 30)]
    for before, shown in ((14, {}), (24, {"a": 10}), (34, {"a": 30})):
        rows.append(
            {
                "node": "b", "before": before, "after": before + 2, "primary": False,
                "held": 0, "timeline": 1, "beats": shown,
            }
        )  # fmt: skip
    found = heartbeat_lags(recording(rows))
    assert [(one.seen_from_ns, one.seen_to_ns) for one in found] == [(14, 26), (24, 36)]
    late = [row for row in rows if "beat" in row or row["before"] > 20]
    assert [one.seen_from_ns for one in heartbeat_lags(recording(late))] == [10, 24]


def test_acknowledgements_without_a_term_do_not_count_where_others_have_one() -> None:
    scribe = Scribe().call("add", 0, 5, value=1, node="a", term=1)
    scribe.call("add", 10, 15, value=2, node="b")
    scribe.call("add", 20, 25, value=3, node="a", term=1)
    assert dual_primary_windows(scribe.history(), {"add"}) == ()
    scribe = Scribe().call("add", 0, 5, value=1, node="a")
    scribe.call("add", 10, 15, value=2, node="b").call("add", 20, 25, value=3, node="a")
    assert len(dual_primary_windows(scribe.history(), {"add"})) == 1


def test_an_acknowledgement_at_the_moment_of_a_fault_was_before_it() -> None:
    scribe = Scribe()
    for end in (10, 20, 90):
        scribe.call("add", end - 1, end, value=end, region="r")
    found = _outage(scribe)
    assert (found.last_ack_ns, found.first_ack_ns) == (20, 90)
    found = _outage(Scribe().call("add", 9, 10, value=1, region="r"))
    assert (found.last_ack_ns, found.first_ack_ns) == (10, None)


def _outage(scribe: Scribe) -> Outage:
    return longest_outage(
        scribe.history(), region="r", cause="cut", from_ns=10, to_ns=90, writes={"add"}
    )


def test_a_read_that_lacks_nothing_is_not_stale() -> None:
    scribe = Scribe().call("write", 0, 5, value=1).call("read", 6, 7, result=1)
    assert [one.staleness_ms for one in staleness(scribe.history())] == [0]


def test_a_write_is_stable_after_the_last_read_that_lacks_it() -> None:
    scribe = Scribe().call("write", 0, 10, value=1, key="x", node="a")
    for start, value in ((20, 1), (30, None), (40, 1), (50, 1)):
        scribe.call("read", start, start + 1, result=value, key="x", node="b")
    history = scribe.history()
    shown = [(canonical("x"), pair.value, pair) for pair in history.of({"read"}, "ok")]
    writes = history.of({"write"}, "ok")
    (first,) = history_lags(writes, shown, lambda *_: 0, lambda *_: 0)
    assert (first.seen_from_ns, first.seen_to_ns) == (0, 21)
    (stable,) = history_lags(writes, shown, lambda *_: 0, lambda *_: 0, stable=True)
    assert (stable.seen_from_ns, stable.seen_to_ns) == (30, 41)
