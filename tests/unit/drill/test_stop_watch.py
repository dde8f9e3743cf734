"""A stop condition trips when its bound has been broken for long enough, and not before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from testbed.drill.drill import Bound, StopCondition
from testbed.drill.stop_watch import StopWatch, provoked

LOW = StopCondition("nobody is served", Bound("success_ratio", "min", 0.5), 3.0)


def test_it_trips_after_its_time_and_not_before() -> None:
    watch = StopWatch(LOW)
    assert not watch.observe(0.0, {"success_ratio": 0.1})
    assert not watch.observe(2.9, {"success_ratio": 0.1})
    assert watch.observe(3.0, {"success_ratio": 0.1})


def test_one_good_reading_starts_the_time_anew() -> None:
    watch = StopWatch(LOW)
    watch.observe(0.0, {"success_ratio": 0.1})
    watch.observe(2.0, {"success_ratio": 0.9})
    assert not watch.observe(3.5, {"success_ratio": 0.1})
    assert watch.observe(6.5, {"success_ratio": 0.1})


def test_a_reading_that_is_missing_is_not_safe() -> None:
    watch = StopWatch(LOW)
    watch.observe(0.0, {})
    assert watch.observe(3.0, {"success_ratio": None})
    assert watch.said.endswith("(now no reading)")


def test_it_says_why_in_words() -> None:
    watch = StopWatch(LOW)
    watch.observe(0.0, {"success_ratio": 1 / 3})
    assert watch.said == (
        "stop condition 'nobody is served': success_ratio >= 0.5 has not held for 3 s (now 0.333)"
    )


@given(
    op=st.sampled_from(["min", "max"]),
    value=st.floats(-1e9, 1e9, allow_nan=False),
    limit=st.floats(-1e9, 1e9, allow_nan=False),
)
def test_a_provoked_condition_is_broken_by_the_reading_of_now(
    op: str, value: float, limit: float
) -> None:
    condition = provoked(StopCondition("any", Bound("lag_bytes", op, limit), 60.0), value, 0.5)
    assert not condition.bound.holds(value)
    watch = StopWatch(condition)
    assert not watch.observe(0.0, {"lag_bytes": value})
    assert watch.observe(0.5, {"lag_bytes": value})
