from __future__ import annotations

import pytest

from testbed.checkers import recovery_time, service
from testbed.checkers.expectation import Expectation, after_heal, during
from testbed.checkers.verdict import Validity
from testbed.history.fault_window import fault_windows
from testbed.history.history import History
from tests.histories import MS, S, Scribe

WRITES = {"add"}


def served(down: tuple[int, int], *, silent: tuple[int, int] = (0, 0)) -> Scribe:
    """60 s of a write each 100 ms; those sent while it is down time out."""
    scribe = Scribe()
    for at in range(0, 60 * S, 100 * MS):
        if silent[0] <= at < silent[1]:
            continue
        outage = down[0] <= at < down[1]
        scribe.call(
            "add",
            at,
            at + (1000 if outage else 20) * MS,
            "info" if outage else "ok",
            region="us-east",
        )
    return scribe


def test_an_outage_within_the_bound_is_valid_with_its_length() -> None:
    history = served((10 * S, 19 * S)).window(10 * S, 40 * S).history()
    windows = fault_windows(history)
    expected = during(windows[0], "us-east", bound_ms=12_000, windows=windows, end_ns=60 * S)
    verdict = recovery_time.check(history, [expected], WRITES)
    assert verdict.validity is Validity.VALID
    assert verdict.numbers["rto_ms_max"] == 9020
    assert service.check(history, [expected], WRITES).validity is Validity.VALID


def test_an_outage_beyond_the_bound_is_a_violation() -> None:
    history = served((10 * S, 29 * S)).window(10 * S, 40 * S).history()
    windows = fault_windows(history)
    expected = during(windows[0], "us-east", bound_ms=12_000, windows=windows, end_ns=60 * S)
    verdict = recovery_time.check(history, [expected], WRITES)
    assert verdict.validity is Validity.VIOLATION
    [example] = verdict.counterexample
    assert (example["region"], example["cause"]) == ("us-east", "region-cut eu-west")
    assert (example["last_ack_ns"], example["first_ack_ns"]) == (9920 * MS, 29_020 * MS)
    assert service.check(history, [expected], WRITES).validity is Validity.VIOLATION


def test_clients_that_were_silent_prove_nothing() -> None:
    silent = (11 * S, 28 * S)
    history = served((10 * S, 29 * S), silent=silent).window(10 * S, 40 * S).history()
    windows = fault_windows(history)
    expected = during(windows[0], "us-east", bound_ms=12_000, windows=windows, end_ns=60 * S)
    verdict = recovery_time.check(history, [expected], WRITES)
    assert verdict.validity is Validity.UNKNOWN
    assert "asked for nothing" in verdict.reason


def test_a_window_that_ends_too_soon_is_unknown() -> None:
    history = served((10 * S, 60 * S)).window(10 * S, None).history()
    windows = fault_windows(history)
    expected = during(windows[0], "us-east", bound_ms=70_000, windows=windows, end_ns=60 * S)
    assert recovery_time.check(history, [expected], WRITES).validity is Validity.UNKNOWN
    assert service.check(history, [expected], WRITES).validity is Validity.UNKNOWN


def test_nothing_expected_is_unknown() -> None:
    history = served((0, 0)).history()
    assert recovery_time.check(history, [], WRITES).validity is Validity.UNKNOWN
    assert service.check(history, [], WRITES).validity is Validity.UNKNOWN


def test_a_fault_is_looked_at_until_the_next_one() -> None:
    history: History = (
        Scribe()
        .window(10 * S, 20 * S, "region-cut eu-west")
        .window(30 * S, None, "switchover")
        .window(45 * S, None, "pause a")
        .history()
    )
    windows = fault_windows(history)
    first = during(windows[0], "us-east", bound_ms=1, windows=windows, end_ns=60 * S)
    assert (first.from_ns, first.to_ns) == (10 * S, 30 * S)
    healed = after_heal(windows[0], "eu-west", bound_ms=1, windows=windows, end_ns=60 * S)
    assert healed is not None
    assert (healed.cause, healed.from_ns, healed.to_ns) == (
        "heal of region-cut eu-west",
        20 * S,
        30 * S,
    )
    last = during(windows[2], "us-east", bound_ms=1, windows=windows, end_ns=60 * S)
    assert last.to_ns == 60 * S
    assert after_heal(windows[1], "eu-west", bound_ms=1, windows=windows, end_ns=60 * S) is None


def test_the_worst_of_several_expectations_is_told() -> None:
    history = served((10 * S, 19 * S)).window(10 * S, 40 * S).history()
    windows = fault_windows(history)
    both = [
        during(windows[0], "us-east", bound_ms=bound, windows=windows, end_ns=60 * S)
        for bound in (9020, 9019)
    ]
    healed = after_heal(windows[0], "us-east", bound_ms=5000, windows=windows, end_ns=60 * S)
    assert healed is not None
    # An outage exactly as long as the bound is within it.
    verdict = recovery_time.check(history, [healed, both[0]], WRITES)
    assert verdict.validity is Validity.VALID
    assert (verdict.numbers["rto_ms_max"], verdict.numbers["rto_ms_bound"]) == (9020, 9020)
    verdict = recovery_time.check(history, [healed, *both], WRITES)
    assert verdict.validity is Validity.VIOLATION
    assert (verdict.numbers["late"], verdict.numbers["expectations"]) == (1, 3)


def test_the_poorest_service_of_several_is_told() -> None:
    history = served((30 * S, 32 * S)).window(10 * S, 40 * S).history()
    windows = fault_windows(history)
    held = during(windows[0], "us-east", bound_ms=5000, windows=windows, end_ns=60 * S)
    healed = after_heal(windows[0], "us-east", bound_ms=5000, windows=windows, end_ns=60 * S)
    assert healed is not None
    verdict = service.check(history, [healed, held], WRITES)
    assert verdict.validity is Validity.VALID
    # 20 of the 450 writes due from 15 s on were not acknowledged.
    assert verdict.numbers["availability_min"] == 430 / 450
    assert "430 of 450" in verdict.reason
    poor = service.check(history, [healed, held], WRITES, availability_min=0.99)
    assert poor.validity is Validity.VIOLATION
    assert len(poor.counterexample) == 1
    moon = during(windows[0], "moon", bound_ms=5000, windows=windows, end_ns=60 * S)
    assert service.check(history, [healed, moon], WRITES).validity is Validity.UNKNOWN


@pytest.mark.parametrize(("silence_ms", "late"), [(2500, True), (2501, False)])
def test_clients_may_be_silent_for_two_and_a_half_seconds(silence_ms: int, late: bool) -> None:
    scribe = Scribe().call("add", 0, 10 * MS, region="r")
    for start_ms in (10, 10 + silence_ms, 4000):
        scribe.call("add", start_ms * MS, (start_ms + 10) * MS, "fail", region="r")
    expected = Expectation("r", "a fault", 0, 4000 * MS, bound_ms=3000)
    verdict = recovery_time.check(scribe.history(), [expected], WRITES)
    assert verdict.validity is (Validity.VIOLATION if late else Validity.UNKNOWN)
    assert late or "asked for nothing for 2501 ms" in verdict.reason


@pytest.mark.parametrize(("tail_ms", "known"), [(1000, True), (1001, False)])
def test_service_has_to_have_come_back_in_the_last_second(tail_ms: int, known: bool) -> None:
    scribe = Scribe().call("add", 0, 500 * MS, region="r")
    expected = Expectation("r", "a fault", 0, (500 + tail_ms) * MS, bound_ms=tail_ms)
    verdict = recovery_time.check(scribe.history(), [expected], WRITES)
    assert verdict.validity is (Validity.VALID if known else Validity.UNKNOWN)
    assert known or "acknowledged in the last 1001 ms" in verdict.reason


def test_no_time_at_all_shows_no_recovery() -> None:
    scribe = Scribe().call("add", 0, 500 * MS, region="r")
    expected = Expectation("r", "a fault", 700 * MS, 700 * MS, bound_ms=10)
    verdict = recovery_time.check(scribe.history(), [expected], WRITES)
    assert verdict.validity is Validity.UNKNOWN


def test_ten_writes_are_enough_to_speak_of_a_share_and_nine_are_not() -> None:
    scribe = Scribe()
    for place in range(10):
        scribe.call("add", place * MS, (place + 1) * MS, "ok" if place else "fail", region="r")
    ten = Expectation("r", "a fault", 0, 10 * MS, bound_ms=0)
    nine = Expectation("r", "another fault", 1 * MS, 10 * MS, bound_ms=0)
    # A share that is just enough is enough.
    assert service.check(scribe.history(), [ten], WRITES, 0.9).validity is Validity.VALID
    found = service.check(scribe.history(), [ten, nine], WRITES, 0.9)
    assert found.validity is Validity.UNKNOWN
    assert "another fault" in found.reason
    assert found.numbers["availability_min"] == 0.9
    none = service.check(scribe.history(), [nine], WRITES)
    assert none.numbers["availability_min"] == 0
    assert none.numbers["poorly_served"] == 0


@pytest.mark.parametrize(("healed_s", "from_s"), [(22, 22), (None, 20)])
def test_a_heal_counts_from_where_it_was_done(healed_s: int | None, from_s: int) -> None:
    scribe = Scribe()
    for phase in ("inject", "injected"):
        scribe.fault("pause", "pause a", 10 * S, phase)
    scribe.fault("pause", "pause a", 20 * S, "heal")
    if healed_s is not None:
        scribe.fault("pause", "pause a", healed_s * S, "healed")
    windows = fault_windows(scribe.history())
    found = after_heal(windows[0], "r", bound_ms=1, windows=windows, end_ns=60 * S)
    assert found is not None
    assert found.from_ns == from_s * S
