"""Each threshold is kept, missed, and not decided for want of data: never green by default."""

from __future__ import annotations

import math

import pytest

from testbed.gates.compare import compare
from testbed.gates.decide import decide
from testbed.gates.figures import Figure
from testbed.gates.gate import Gate, GateSuite
from testbed.gates.thresholds import THRESHOLDS
from testbed.report.judgement import Outcome
from tests.unit.gates.recorded import link, made, promise

VALID, VIOLATION, UNKNOWN = Outcome.VALID, Outcome.VIOLATION, Outcome.UNKNOWN


def judged(asked: dict[str, float], *runs) -> Outcome:
    """What one promise of a gate comes to; its other findings left aside."""
    suite = GateSuite("s", "failover", "active-passive", promises=asked)
    result = decide(Gate("g", (suite,)), {"s": runs})
    [name] = asked
    return next(one.outcome for one in result.findings if one.promise == name)


def stale(reads: float = 500, p99: float = 40.0, longest: float = 90.0, outcome=VALID):
    numbers = {"reads": reads, "staleness_p99_ms": p99, "staleness_max_ms": longest}
    return made(1, promise("bounded-staleness", outcome, **numbers))


def dual(outcome: Outcome, **numbers: float):
    return made(2, promise("single-primary", outcome, **numbers))


def late(**numbers: float):
    return made(1, promise("replication", VIOLATION, **numbers))


def durable(outcome: Outcome = VALID, **numbers: float):
    return made(1, promise("durability", outcome, **numbers))


HELD = made(1, promise("single-primary"))
CASES = [
    ("rto_p95_s", 20, [made(1, rto_s=9), made(2, rto_s=20)], VALID),
    ("rto_p95_s", 20, [made(1, rto_s=9), made(2, rto_s=21)], VIOLATION),
    ("rto_p95_s", 20, [made(1, rto_s=9), made(2, rto_s=None)], VIOLATION),
    ("rto_p95_s", 20, [made(1)], UNKNOWN),
    # The run was over before the bound was.
    ("rto_p95_s", 20, [made(1, promise("rto", UNKNOWN), rto_s=None)], UNKNOWN),
    ("rto_p95_s", 20, [made(1, promise("rto", VIOLATION), rto_s=None)], VIOLATION),
    ("lost_writes", 0, [durable(lost_writes=0)], VALID),
    ("lost_writes", 3, [durable(VIOLATION, lost_writes=2)] * 2, VIOLATION),
    ("lost_writes", 0, [durable(lost_writes=0), durable(UNKNOWN, lost_writes=0)], UNKNOWN),
    ("lost_writes", 0, [durable(lost_writes=0), durable()], UNKNOWN),
    ("dual_primary_runs", 0, [HELD], VALID),
    ("dual_primary_runs", 0, [HELD, dual(VIOLATION)], VIOLATION),
    ("dual_primary_runs", 1, [HELD, dual(VIOLATION)], VALID),
    ("dual_primary_runs", 0, [HELD, dual(UNKNOWN)], UNKNOWN),
    ("availability_min", 0.9, [made(1, served=0.9)], VALID),
    ("availability_min", 0.9, [made(1, served=0.95), made(2, served=0.89)], VIOLATION),
    ("availability_min", 0.9, [made(1)], UNKNOWN),
    ("acknowledged_writes_min", 500, [made(1, writes=500), made(2, writes=900)], VALID),
    # Too little load is no broken promise: nothing was shown.
    ("acknowledged_writes_min", 500, [made(1, writes=499), made(2, writes=900)], UNKNOWN),
    ("acknowledged_writes_min", 500, [made(1, writes=500), made(2)], UNKNOWN),
    ("schedules_min", 2, [made(1), made(2)], VALID),
    ("schedules_min", 2, [made(1), made(1)], UNKNOWN),
    ("schedules_min", 2, [made(1), made(2, bit=False)], UNKNOWN),
    ("lag_p99_ms", 50, [made(1, lag=(link(30, 40),))], VALID),
    ("lag_p99_ms", 50, [made(1, lag=(link(30, 40),)), made(2, lag=(link(51, 60),))], VIOLATION),
    ("lag_p99_ms", 50, [made(1, lag=(link(45, 55),))], UNKNOWN),
    ("lag_p99_ms", 50, [made(1, lag=(link(30, 40, count=99),))], UNKNOWN),
    ("lag_p99_ms", 50, [made(1, lag=(link(30, 40, count=990, unseen=10),))], VALID),
    ("lag_p99_ms", 50, [made(1, lag=(link(30, 40, count=980, unseen=20),))], UNKNOWN),
    ("lag_p99_ms", 50, [made(1, lag=(link(51, 60, count=980, unseen=20),))], VIOLATION),
    ("lag_p99_ms", 50, [made(1, lag=(link(30, 40),)), made(2, lag=())], UNKNOWN),
    ("lag_p99_ms", 50, [made(1)], UNKNOWN),
    ("staleness_p99_ms", 50, [stale()], VALID),
    ("staleness_p99_ms", 50, [stale(), stale(p99=51)], VIOLATION),
    ("staleness_p99_ms", 50, [stale(), stale(reads=99)], UNKNOWN),
    ("staleness_p99_ms", 50, [stale(outcome=UNKNOWN)], UNKNOWN),
    ("staleness_p99_ms", 50, [made(1)], UNKNOWN),
    ("staleness_max_ms", 90, [stale()], VALID),
    ("staleness_max_ms", 89, [stale(outcome=VIOLATION)], VIOLATION),
    ("staleness_max_ms", 90, [made(1, promise("bounded-staleness", UNKNOWN))], UNKNOWN),
    ("converge_max_s", 5, [made(1, promise("replication", converged_ms_max=4000))], VALID),
    ("converge_max_s", 5, [made(1, promise("replication", converged_ms_max=6000))], VIOLATION),
    ("converge_max_s", 5, [made(1, promise("recovery", recovery_ms_max=6000))], VIOLATION),
    ("converge_max_s", 5, [made(1, promise("replication", UNKNOWN))], UNKNOWN),
    # What was seen is short, but a node was never seen to have it.
    ("converge_max_s", 5, [late(bound_ms=5000, converged_ms_max=100)], VIOLATION),
    ("converge_max_s", 9, [late(bound_ms=5000, converged_ms_max=100)], UNKNOWN),
    ("converge_max_s", 9, [late()], UNKNOWN),
    ("residency_leaks", 0, [made(1, promise("residency", leaks=0))], VALID),
    (
        "residency_leaks",
        1,
        [made(n, promise("residency", VIOLATION, leaks=1)) for n in (1, 2)],
        VIOLATION,
    ),
    ("residency_leaks", 0, [made(1, promise("residency", UNKNOWN, leaks=0))], UNKNOWN),
    ("residency_leaks", 0, [made(1)], UNKNOWN),
    ("dual_primary_ms", 0, [HELD], VALID),
    ("dual_primary_ms", 300, [HELD, dual(VIOLATION, dual_primary_ms=200)], VALID),
    ("dual_primary_ms", 300, [HELD, dual(VIOLATION, dual_primary_ms=301)], VIOLATION),
    ("dual_primary_ms", 300, [HELD, dual(VIOLATION)], VIOLATION),
    ("dual_primary_ms", 300, [HELD, dual(UNKNOWN)], UNKNOWN),
    ("dual_primary_ms", 300, [HELD, made(2)], UNKNOWN),
]


@pytest.mark.parametrize(("name", "asked", "runs", "expected"), CASES)
def test_a_threshold_is_kept_missed_or_undecided(name, asked, runs, expected):
    assert judged({name: asked}, *runs) is expected


STARVED = promise("adequacy", UNKNOWN)


@pytest.mark.parametrize(
    ("name", "asked", "run"),
    [
        ("rto_p95_s", 20, made(2, STARVED, rto_s=99)),
        ("availability_min", 0.9, made(2, STARVED, served=0.1)),
        ("lag_p99_ms", 50, made(2, STARVED, lag=(link(90, 99),))),
        ("converge_max_s", 5, made(2, STARVED, promise("recovery", recovery_ms_max=9000))),
        ("staleness_max_ms", 5, made(2, STARVED, promise("bounded-staleness", staleness_max_ms=9))),
    ],
)
def test_what_was_late_on_a_starved_machine_is_nobodys_fault(name, asked, run):
    assert judged({name: asked}, run) is UNKNOWN


def test_what_was_lost_on_a_starved_machine_is_lost():
    run = made(2, STARVED, promise("durability", VIOLATION, lost_writes=1))
    assert judged({"lost_writes": 0}, run) is VIOLATION


@pytest.mark.parametrize("name", THRESHOLDS)
def test_every_threshold_is_seen_to_end_in_each_way(name):
    seen = {expected for asked, _, _, expected in CASES if asked == name}
    assert seen == ({VALID, VIOLATION, UNKNOWN} if THRESHOLDS[name].breach else {VALID, UNKNOWN})


@pytest.mark.parametrize("name", THRESHOLDS)
def test_no_threshold_is_kept_by_a_run_that_shows_nothing(name):
    # What anything at all would keep.
    asked = 1.0 if name == "schedules_min" else 0.0 if THRESHOLDS[name].least else 1e9
    assert judged({name: asked}) is UNKNOWN
    if name != "schedules_min":  # a run without promises still has its schedule
        assert judged({name: asked}, made(1)) is UNKNOWN


def test_every_link_of_a_run_needs_samples():
    quiet = link(1, 2, count=5)
    other = [quiet, link(1, 2)]
    # The same link by another measurement may speak for it; another link may not.
    assert judged({"lag_p99_ms": 50}, made(1, lag=tuple(other))) is VALID
    far = type(quiet)("clients", "a->c", "a1", "c1", 13.0, 5.0, 0.0, quiet.quantiles_ms)
    assert judged({"lag_p99_ms": 50}, made(1, lag=(link(1, 2), far))) is UNKNOWN


def test_of_a_link_the_measurement_counts_that_tells_it_best():
    """As a run of the main schedule had it: the clients' last samples were not seen any more."""
    servers = link(2768, 2935, count=522)
    clients = link(0, 3471, count=206, unseen=3)
    run = made(1, lag=(clients, servers))
    assert judged({"lag_p99_ms": 3000}, run) is VALID
    assert judged({"lag_p99_ms": 2700}, run) is VIOLATION
    assert judged({"lag_p99_ms": 2900}, run) is UNKNOWN
    assert judged({"lag_p99_ms": 9999}, made(1, lag=(clients,))) is UNKNOWN


def test_a_figure_says_both_ends_where_they_differ():
    assert str(Figure(1.0, math.inf)) == "1 to inf"
    assert str(Figure(2.5, 2.5)) == "2.5"


def lagging(*values: float):
    return [made(n, lag=(link(value, value + 5),)) for n, value in enumerate(values)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (lagging(20, 21, 22, 20.5), lagging(30, 31, 32, 33), VIOLATION),
        (lagging(20, 21, 22, 20.5), lagging(20.2, 21.1, 21.9, 20.4), VALID),
        (lagging(30, 31, 32, 33), lagging(20, 21, 22, 20.5), VALID),
        (lagging(20, 21, 22), lagging(30, 31, 32), UNKNOWN),
        (lagging(20, 21, 22, 23), [], UNKNOWN),
    ],
)
def test_lag_is_compared_with_a_baseline(before, after, expected):
    [finding] = compare("s", before, after)
    assert (finding.promise, finding.outcome) == ("lag p99 against baseline", expected)
    if expected is VIOLATION:
        assert finding.measured.startswith("+10.") or finding.measured.startswith("+11.")
        assert "95%" in finding.measured
        assert "p = 0.0143, 4 and 4 runs" in finding.measured


def test_a_baseline_with_nothing_to_compare_is_inconclusive():
    [finding] = compare("s", [made(1)] * 5, [made(1)] * 5)
    assert (finding.promise, finding.outcome) == ("baseline", UNKNOWN)


def test_recovery_and_lag_are_compared_each_by_itself():
    old = [made(n, rto_s=8 + n / 10, lag=(link(20 + n, 30),)) for n in range(5)]
    new = [made(n, rto_s=12 + n / 10, lag=(link(20 + n, 30),)) for n in range(5)]
    found = {one.promise: one.outcome for one in compare("s", old, new)}
    assert found == {"rto against baseline": VIOLATION, "lag p99 against baseline": VALID}


def test_a_run_that_is_not_valid_is_compared_with_nothing():
    bad = [made(n, outcome=VIOLATION, lag=(link(90, 95),)) for n in range(9)]
    [finding] = compare("s", lagging(20, 21, 22, 20.5), [*lagging(20, 21, 22, 20.5), *bad])
    assert finding.outcome is VALID
