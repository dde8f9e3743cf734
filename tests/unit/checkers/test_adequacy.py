from __future__ import annotations

from dataclasses import replace

import pytest

from testbed.checkers.adequacy import Requirements, check, unserved_before
from testbed.checkers.verdict import Validity
from testbed.history.history import Truncation
from testbed.history.operation import OperationType
from tests.histories import MS, S, Scribe

BASE = 100 * S
"""The load begins some time after the run."""

REQUIRED = Requirements(
    regions=("eu-west", "us-east"),
    nodes=("a", "b"),
    functions=("add", "count"),
    rate_ops_s=10,
    faults=1,
)


def run(
    *,
    gap: tuple[int, int] = (0, 0),
    failing_until: int = 0,
    fault_at: int = 10 * S,
    read: tuple[str, ...] = ("a", "b"),
) -> Scribe:
    """30 s of 10 operations a second in both regions, a fault from 10 to 20 s, final reads.

    Times count from the beginning of the load.
    """
    scribe = Scribe()
    for at in range(0, 30 * S, 100 * MS):
        for region in REQUIRED.regions:
            if region == "us-east" and gap[0] <= at < gap[1]:
                continue
            down = at < failing_until or 10 * S <= at < 20 * S
            start = BASE + at
            scribe.call("add", start, start + 5 * MS, "info" if down else "ok", region=region)
    if fault_at:
        scribe.window(BASE + fault_at, BASE + fault_at + 10 * S)
    for node in read:
        scribe.call("read", BASE + 40 * S, BASE + 41 * S, result=[], node=node)
    return scribe


def doubts(scribe: Scribe, required: Requirements = REQUIRED) -> tuple[str, ...]:
    verdict = check(scribe.history(), required)
    assert verdict.validity is (Validity.UNKNOWN if verdict.counterexample else Validity.VALID)
    return verdict.counterexample


def test_a_whole_run_can_be_judged() -> None:
    assert doubts(run()) == ()


def test_too_little_load() -> None:
    [doubt] = doubts(run(), replace(REQUIRED, rate_ops_s=20, regions=("us-east",)))
    assert "were to ask for 598 operations and asked for 300" in doubt


def test_a_system_that_failed_before_the_fault() -> None:
    found = doubts(run(failing_until=3 * S))
    assert len(found) == 2
    assert "70 of 100 operations in eu-west succeeded" in found[0]


def test_clients_that_were_silent_while_the_fault_held() -> None:
    [doubt] = doubts(run(gap=(12 * S, 16 * S)))
    assert "us-east asked for nothing for 4100 ms during region-cut eu-west" in doubt


def test_a_silence_outside_of_the_fault_is_only_load() -> None:
    assert doubts(run(gap=(22 * S, 26 * S))) == ()


def test_a_fault_without_evidence() -> None:
    scribe = run(fault_at=0)
    for phase in ("inject", "injected"):
        scribe.fault("pause", "pause a", BASE + 10 * S, phase)
    scribe.fault("pause", "pause a", BASE + 10 * S, "effect", shown=False)
    scribe.fault("pause", "pause a", BASE + 20 * S, "heal")
    assert doubts(scribe) == (
        "pause a was not shown to have taken effect",
        "pause a was not shown to be gone after it was healed",
    )


def test_a_fault_that_never_came() -> None:
    scribe = run(fault_at=0)
    assert "1 faults were planned and 0 injected" in doubts(scribe)[-1]


def test_a_fault_after_the_load() -> None:
    assert "injected when no load ran" in doubts(run(fault_at=35 * S))[-1]


def test_a_node_that_was_not_read() -> None:
    assert doubts(run(read=("a",))) == ("b was not read at the end",)


def test_a_read_during_the_load_is_no_final_one() -> None:
    scribe = run(read=("a",)).call("read", BASE + 3 * S, BASE + 4 * S, result=[], node="b")
    assert doubts(scribe) == ("b was not read at the end",)


def test_a_read_at_the_very_end_of_the_load_is_no_final_one() -> None:
    scribe = operations().call("read", 10 * S, 11 * S, result=[], node="c")
    assert doubts(scribe, replace(CALM, nodes=("a", "b", "c"))) == ("c was not read at the end",)


def test_a_starved_machine() -> None:
    verdict = check(run().history(), REQUIRED, lateness_ms=900)
    assert verdict.validity is Validity.UNKNOWN
    assert "900 ms late" in verdict.reason
    assert check(run().history(), REQUIRED, lateness_ms=9).validity is Validity.VALID


def test_an_empty_history() -> None:
    assert "no operation of the load was recorded" in doubts(Scribe())[0]


def test_the_load_before_the_first_of_several_faults_counts() -> None:
    scribe = run().window(BASE + 25 * S, BASE + 26 * S, "pause a")
    assert doubts(scribe, replace(REQUIRED, faults=2)) == ()
    verdict = check(scribe.history(), replace(REQUIRED, faults=2))
    assert verdict.numbers["load_s"] == pytest.approx(29.9)


def test_a_fault_that_lasts_to_the_end_is_looked_at_to_the_end_of_the_load() -> None:
    lasting = run(fault_at=0)
    lasting.window(BASE + 10 * S, None)
    assert doubts(lasting) == ()
    silent = run(fault_at=0, gap=(24 * S, 28 * S)).window(BASE + 10 * S, None)
    assert "asked for nothing for 4100 ms" in doubts(silent)[-1]


def test_a_history_that_ends_in_the_middle_of_a_line() -> None:
    cut = replace(run().history(), truncation=Truncation(line=1234, length_bytes=7))
    verdict = check(cut, REQUIRED)
    assert verdict.validity is Validity.UNKNOWN
    assert verdict.counterexample == ("the history ends in the middle of line 1234",)


@pytest.mark.parametrize(("lateness_ms", "late"), [(250, False), (250.1, True)])
def test_a_quarter_of_a_second_late_is_still_fast_enough(lateness_ms: float, late: bool) -> None:
    verdict = check(run().history(), REQUIRED, lateness_ms=lateness_ms)
    assert verdict.validity is (Validity.UNKNOWN if late else Validity.VALID)
    assert verdict.numbers["lateness_ms_p99"] == lateness_ms


def test_what_was_shown_is_said() -> None:
    assert check(run().history(), REQUIRED).reason == "1 fault was shown, under 30 s of load"
    calm = Requirements(REQUIRED.regions, REQUIRED.nodes, REQUIRED.functions, rate_ops_s=5)
    scribe = run(fault_at=0, failing_until=0)
    assert "0 faults were planned" not in str(doubts(scribe, calm))


@pytest.mark.parametrize(("silence_ms", "silent"), [(2500, False), (2501, True)])
def test_clients_may_be_silent_for_two_and_a_half_seconds(silence_ms: int, silent: bool) -> None:
    scribe = run(gap=(12 * S, 16 * S))
    for at in range(11_900 + silence_ms, 16_000, 100):
        start = BASE + at * MS
        scribe.call("add", start, start + 5 * MS, region="us-east")
    found = doubts(scribe, replace(REQUIRED, offered_min=0.5))
    assert [f"asked for nothing for {silence_ms} ms" in doubt for doubt in found] == [True] * silent


def operations(*, failing: int = 0, others: int = 11) -> Scribe:
    """One operation a second from 0 to 10 s in eu-west, the last of them fail; fewer in us-east."""
    scribe = Scribe()
    for at in range(11):
        outcome: OperationType = "ok" if at < 11 - failing else "fail"
        scribe.call("add", at * S, at * S + MS, outcome, region="eu-west")
        if at < others:
            scribe.call("add", at * S, at * S + MS, region="us-east")
    for node in REQUIRED.nodes:
        scribe.call("read", 20 * S, 21 * S, result=[], node=node)
    return scribe


CALM = Requirements(REQUIRED.regions, REQUIRED.nodes, REQUIRED.functions, rate_ops_s=1)


def test_without_a_fault_all_of_the_load_counts_to_its_last_operation() -> None:
    assert doubts(operations(), CALM) == ()
    assert doubts(operations(failing=1), replace(CALM, acknowledged_min=10 / 11)) == ()
    [doubt] = doubts(operations(failing=2), replace(CALM, acknowledged_min=0.85))
    assert "9 of 11 operations in eu-west succeeded" in doubt


def test_as_much_load_as_is_asked_for_is_enough() -> None:
    assert doubts(operations(others=8), CALM) == ()
    [doubt] = doubts(operations(others=7), CALM)
    assert "were to ask for 10 operations and asked for 7" in doubt


@pytest.mark.parametrize(("at_s", "loaded"), [(0, True), (9, True), (10, False)])
def test_a_fault_holds_from_the_first_operation_of_the_load_to_the_last(
    at_s: int, loaded: bool
) -> None:
    found = doubts(operations().window(at_s * S, at_s * S + S), replace(CALM, faults=1))
    assert ("region-cut eu-west was injected when no load ran" in found) != loaded


def test_nothing_is_said_of_service_before_a_fault_without_any_load() -> None:
    assert unserved_before(Scribe().history(), CALM) == []
