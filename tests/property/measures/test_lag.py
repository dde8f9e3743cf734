"""Lag of a log that is played: every measurement holds the true one, and all agree."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.checkers import lag_agreement, lag_floor
from testbed.checkers.verdict import Validity
from testbed.measures.heartbeat import heartbeat_lags
from testbed.measures.lag_history import history_lags, shown_by
from testbed.measures.lag_positions import position_lags
from testbed.measures.lag_recording import Recording, recording
from testbed.measures.lag_sample import LagSample, by_link, quantiles
from tests.histories import MS, Scribe

pytestmark = pytest.mark.property

FLOOR_MS = 20
END_MS = 1600

Samples = dict[str, tuple[LagSample, ...]]


@dataclass(frozen=True)
class Played:
    """When each change was made and when it showed elsewhere; ms, in the log's order."""

    made: tuple[int, ...]
    shown: tuple[int, ...]

    def count(self, at_ms: float) -> int:
        return bisect_right(self.shown, at_ms)


@st.composite
def played(draw: st.DrawFn) -> Played:
    """A change each 20 ms; a lag that wanders; what is made later shows no sooner."""
    made = tuple(range(10, END_MS, 20))
    shown, latest = [], 0
    lag = FLOOR_MS
    for at in made:
        lag = max(FLOOR_MS, lag + draw(st.integers(-30, 30)))
        latest = max(latest, at + lag)
        shown.append(latest)
    return Played(made, tuple(shown))


def recorded(log: Played, late_ms: int = 0) -> Recording:
    """The origin makes every other change a heartbeat; both nodes are looked at each 25 ms."""
    rows = []
    for number in range(0, len(log.made), 2):
        at = log.made[number]
        rows.append({"node": "a", "beat": (at - 1) * MS, "end": (at + 1) * MS})
    for at in range(0, END_MS + 2600, 25):
        for node, count in (
            ("a", bisect_right(log.made, at)),
            ("b", log.count(at - late_ms)),
        ):
            beats = [log.made[n] - 1 for n in range(0, count, 2)]
            rows.append(
                {
                    "node": node, "before": (at - 1) * MS, "after": (at + 1) * MS,
                    "primary": node == "a", "held": count * 100, "timeline": 1,
                    "beats": {"a": beats[-1] * MS} if beats else {},
                }
            )  # fmt: skip
    return recording(rows)


def clients(log: Played) -> tuple[LagSample, ...]:
    """Every third change is a write; a client beside the other node reads each 30 ms."""
    scribe = Scribe()
    writes = range(0, len(log.made), 3)
    for number in writes:
        at = log.made[number]
        scribe.call("pulse", (at - 2) * MS, (at + 2) * MS, key=1, value=number, node="a")
    for at in range(0, END_MS + 2600, 30):
        known = [number for number in writes if log.shown[number] <= at]
        result = {"1": known[-1]} if known else {}
        scribe.call("watch", (at - 1 if at else 0) * MS, (at + 1) * MS, result=result, node="b")
    history = scribe.history()
    shown = shown_by(history, ("watch",))
    return history_lags(history.of({"pulse"}, "ok"), shown, lambda *_: 0, lambda *_: 0)


def measured(log: Played) -> Samples:
    found = recorded(log)
    return {
        "servers": position_lags(found, lambda _: None),
        "heartbeats": heartbeat_lags(found),
        "clients": clients(log),
    }


@given(played())
def test_every_sample_holds_the_true_lag(log: Played) -> None:
    for name, samples in measured(log).items():
        assert len(samples) > 20, name
        for sample in samples:
            assert sample.seen_to_ns is not None
            assert any(
                sample.made_from_ns <= made * MS <= sample.made_to_ns
                and sample.seen_from_ns <= shown * MS <= sample.seen_to_ns
                for made, shown in zip(log.made, log.shown, strict=True)
            ), name


@given(played())
def test_quantiles_lie_between_their_bounds(log: Played) -> None:
    truth = sorted(shown - made for made, shown in zip(log.made, log.shown, strict=True))
    beats = [truth_of(log, number) for number in range(0, len(log.made), 2)]
    found = quantiles(heartbeat_lags(recorded(log)))
    assert found.p50_ms[0] - 2 <= sorted(beats)[(len(beats) - 1) // 2] <= found.p50_ms[1] + 2
    assert found.max_ms[0] - 2 <= max(beats) <= found.max_ms[1] + 2
    assert truth[-1] >= max(beats)


def truth_of(log: Played, number: int) -> int:
    return log.shown[number] - log.made[number]


@given(played())
def test_three_measurements_of_one_log_agree_and_keep_the_floor(log: Played) -> None:
    found = measured(log)
    agreement = lag_agreement.check(found)
    assert agreement.validity is Validity.VALID, agreement.reason
    floor = lag_floor.check(found, {("a", "b"): FLOOR_MS - 5})
    assert floor.validity is Validity.VALID, floor.reason


@given(played(), st.sampled_from(["servers", "heartbeats", "clients"]), st.booleans())
def test_a_measurement_that_is_off_contradicts_the_others(
    log: Played, name: str, late: bool
) -> None:
    found = measured(log)
    by_ns = (400 if late else -400) * MS
    found[name] = tuple(
        replace(
            one,
            seen_from_ns=one.seen_from_ns + by_ns,
            seen_to_ns=None if one.seen_to_ns is None else one.seen_to_ns + by_ns,
        )
        for one in found[name]
    )
    verdict = lag_agreement.check(found)
    assert verdict.validity is Validity.UNKNOWN
    assert name in verdict.reason
    assert verdict.counterexample


@given(played())
def test_what_is_faster_than_the_link_fails_the_testbed(log: Played) -> None:
    found = measured(log)
    truth = max(one.high_ms or 0 for those in found.values() for one in those)
    verdict = lag_floor.check(found, {("a", "b"): truth + 5})
    assert verdict.validity is Validity.UNKNOWN
    assert "leaks" in verdict.reason


@given(played())
def test_without_samples_nothing_is_believed(log: Played) -> None:
    found = {**measured(log), "clients": ()}
    assert lag_agreement.check(found).validity is Validity.UNKNOWN
    assert lag_floor.check(found, {("a", "b"): 1.0}).validity is Validity.UNKNOWN
    assert lag_floor.check({}, {}).validity is Validity.UNKNOWN
    everything = [(0, 2**62)]
    assert lag_floor.check(measured(log), {("a", "b"): 1}, everything).validity is Validity.UNKNOWN


@given(played())
def test_links_are_told_apart(log: Played) -> None:
    assert set(by_link(heartbeat_lags(recorded(log)))) == {("a", "b")}
