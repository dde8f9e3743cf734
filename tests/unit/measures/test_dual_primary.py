from __future__ import annotations

from testbed.measures.dual_primary import dual_primary_windows
from testbed.measures.lag import lags
from testbed.measures.visibility import visibilities
from tests.histories import MS, Scribe


def test_a_window_counts_the_writes_of_both_primaries() -> None:
    scribe = Scribe().call("add", 0, 5, value=1, node="a", term=1)
    scribe.call("add", 10, 15, value=2, node="b", term=2)
    scribe.call("add", 20, 25, value=3, node="a", term=1)
    scribe.call("add", 22, 27, value=4, node="b", term=2)
    scribe.call("add", 90, 95, value=5, node="b", term=2)
    (window,) = dual_primary_windows(scribe.history(), {"add"})
    assert (window.overlap.from_ns, window.overlap.to_ns) == (15, 20)
    assert [pair.invocation.value for pair in window.old_writes] == [3]
    assert [pair.invocation.value for pair in window.new_writes] == [2]


def test_one_primary_after_the_other_is_no_window() -> None:
    scribe = Scribe().call("add", 0, 5, value=1, node="a", term=1)
    scribe.call("add", 10, 15, value=2, node="b", term=2)
    assert dual_primary_windows(scribe.history(), {"add"}) == ()


def test_the_lag_of_a_link_has_its_percentiles_and_what_was_never_seen() -> None:
    scribe = Scribe()
    for number in range(3):
        scribe.call("add", 0, 10 * MS, value=number, node="a1")
    scribe.call("read", 20 * MS, 30 * MS, result=[0], node="b1")
    scribe.call("read", 40 * MS, 50 * MS, result=[0, 1], node="b1")
    found = visibilities(scribe.history())
    (lag,) = lags(found, lambda one: one.first_ms_max, place=lambda node: node[0])
    assert (lag.origin, lag.seen_at, lag.count, lag.unseen) == ("a", "b", 2, 1)
    assert (lag.p50_ms, lag.max_ms) == (20, 40)
    assert [one.first_ms_min for one in found] == [0, 10, 30]
    assert [one.stable_ms for one in found] == [0, 10, None]
