"""The search for the worst lag, against a lag that is computed instead of measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import median

import pytest

from experiments import lag_schedules
from experiments.lag_schedules import Burden, Trial
from experiments.lag_search import Worst, search_worst
from experiments.options import Options
from experiments.replication_lag import first, plan
from faults.catalogue import problems
from testbed.topology.inventory import find, load
from testbed.workloads.sessions import SessionsWorkload

TOPOLOGY = load(find("active-passive"), {}).topology


def options(budget_s: float, seed: int = 0) -> Options:
    return Options(None, (), Path(), budget_s, 1000, seed, 0, None)


def computed(trial: Trial) -> float:
    """One narrow link holds back what long transactions write while it is narrow."""
    lag_ms = 0.0
    for step in trial.schedule:
        if step.kind == "link-bandwidth":
            kept = trial.burden.rows * 0.1 / step.parameters["kbytes_s"] * (step.duration_s or 0)
            lag_ms = max(lag_ms, 100 * kept)
        lag_ms = max(lag_ms, float(step.parameters.get("added_ms", 0)))
    return lag_ms


def measured(seed: int, *, climb: bool, budget_s: float = 180.0) -> list[float]:
    """The lag of every trial that a search runs."""
    found: list[float] = []

    def lag_ms(trial: Trial) -> float:
        found.append(computed(trial))
        return found[-1]

    search_worst(TOPOLOGY, options(budget_s, seed), lag_ms, climb=climb)
    return found


def test_in_as_many_trials_the_search_finds_worse_than_drawing_does() -> None:
    """With the budget that a suite has when nobody states one."""
    gains = []
    for seed in range(24):
        climbed, drawn = (measured(seed, climb=climb) for climb in (True, False))
        gains.append(max(climbed) / max(drawn[: len(climbed)]))
    assert median(gains) > 1.2, gains
    assert sum(gain > 1 for gain in gains) > 3 * sum(gain < 1 for gain in gains), gains


def test_what_is_milder_than_what_was_run_is_not_run() -> None:
    run: list[Trial] = []

    def lag_ms(trial: Trial) -> float:
        assert not any(trial.milder_than(one) for one in run)
        run.append(trial)
        return computed(trial)

    search_worst(TOPOLOGY, options(900.0), lag_ms)
    assert 20 < len(run) < 100
    alike = replace(run[0], levels=tuple(level + 1 for level in run[0].levels))
    assert run[0].milder_than(alike)
    assert not alike.milder_than(run[0])
    assert not run[0].milder_than(replace(alike, what=("elsewhere", "link-bandwidth", False)))


def test_a_broken_promise_ends_it_with_the_simplest_schedule() -> None:
    broken: list[int] = []

    def lag_ms(trial: Trial) -> float:
        if trial.burden.rows > 100:
            broken.append(trial.burden.rows)
            raise AssertionError("broken")
        return 0.0

    with pytest.raises(AssertionError, match="broken"):
        search_worst(TOPOLOGY, options(2000.0), lag_ms)
    assert min(broken) == 250


def test_what_comes_first_is_tried_first_and_what_was_not_run_says_nothing() -> None:
    tried: list[int] = []
    moved = lag_schedules.failover(TOPOLOGY)
    first = tuple(Trial(moved, Burden(rows=rows)) for rows in (1, 2))

    def lag_ms(trial: Trial) -> None:
        tried.append(trial.burden.rows)

    search_worst(TOPOLOGY, options(60.0), lag_ms, first=first)
    assert tried[:2] == [1, 2]


def test_the_worst_is_kept() -> None:
    worst = Worst()
    assert [worst.note(lag, lag) for lag in (3.0, 2.0, 3.0, 5.0)] == [True, False, False, True]
    assert (worst.lag_ms, worst.found) == (5.0, 5.0)


@pytest.mark.parametrize("kbytes_s", [64, 192])
def test_every_schedule_of_the_first_can_work(kbytes_s: int) -> None:
    steps = (
        *lag_schedules.one_after_the_other(TOPOLOGY, kbytes_s),
        *lag_schedules.failover(TOPOLOGY),
    )
    assert len(steps) == 3 + 3
    for step in steps:
        assert problems(step.kind, step.target, step.parameters, TOPOLOGY) == []


@pytest.mark.parametrize(
    ("lane", "budget_s", "kinds"),
    [
        (0, 180.0, [{"link-bandwidth"}, {"link-latency", "switchover"}]),
        (1, 180.0, [{"node-kill"}]),
        (2, 180.0, []),
        (0, 300.0, [{"link-bandwidth"}, {"link-latency", "switchover"}, {"node-kill"}]),
    ],
)
def test_a_primary_is_lost_in_the_second_lane_or_where_there_is_time(
    lane: int, budget_s: float, kinds: list[set[str]]
) -> None:
    deployment = load(find("active-passive"), {})
    trials = first(deployment, replace(options(budget_s), lane=lane))
    assert [{step.kind for step in trial.schedule} for trial in trials] == kinds
    for step in (step for trial in trials for step in trial.schedule):
        assert problems(step.kind, step.target, step.parameters, deployment.topology) == []


def test_a_region_without_a_standby_has_no_primary_to_lose() -> None:
    deployment = load(find("active-active"), {})
    assert len(first(deployment, options(300.0))) == 1
    assert first(deployment, replace(options(300.0), lane=1)) == ()


@pytest.mark.parametrize(("rate_ops_s", "pulses_s"), [(25, 3.0), (50, 3.0), (100, 6.0)])
def test_a_slow_load_has_as_many_pulses_as_a_usual_one(rate_ops_s: int, pulses_s: float) -> None:
    """Of fewer, a trial of five seconds could not compare its measurements: 14 times of 20."""
    deployment = load(find("active-active-ha"), {})
    made = plan(deployment, options(60.0), Trial((), Burden(rate_ops_s)))
    usual = SessionsWorkload.parameters["pulse_percent"].default
    percent = made.load.parameters.get("pulse_percent", usual)
    assert percent * rate_ops_s / 100 == pulses_s
