"""Who is promised service while a fault holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from experiments.failover_expectations import expectations
from experiments.failover_promises import failover
from experiments.setting import Setting, setting_of
from testbed.checkers.verdict import Validity
from testbed.history.operation import OperationType
from testbed.runner.plan import Load, Plan, Step
from testbed.topology.inventory import find, load
from tests.histories import MS, S, Scribe
from tests.unit.experiments.finished_runs import finished

REGIONS = ("eu-west", "eu-central", "us-east")


def setting(
    scribe: Scribe, kind: str, resolved: str, deployment: str = "active-passive"
) -> Setting:
    title = f"{kind} somewhere"
    for phase, time in (("inject", 10), ("injected", 10), ("heal", 20), ("healed", 20)):
        more = {"resolved": resolved} if phase == "injected" else {}
        scribe.fault(kind, title, time * S, phase, **more)
    run = finished(
        Plan(deployment, Load("set"), (), 1, 60.0),
        load(find(deployment)),
        scribe.history(),
    )
    return Setting(run, frozenset({"add"}), frozenset({"add"}), 60 * S)


def promised(made: Setting) -> dict[str, int]:
    """From when on each region is promised service, in seconds."""
    return {one.region: one.from_ns // S for one in expectations(made)}


def test_a_cut_region_is_promised_service_after_the_heal() -> None:
    found = promised(setting(Scribe(), "region-cut", "eu-west"))
    assert found == {"eu-west": 20, "eu-central": 10, "us-east": 10}


def test_a_cut_region_with_the_majority_keeps_its_service() -> None:
    made = setting(Scribe(), "region-cut", "us-east", "active-passive-standby-cluster")
    assert promised(made) == {"eu-west": 10, "us-east": 20}
    made = setting(Scribe(), "region-cut", "eu-west", "active-passive-standby-cluster")
    assert promised(made) == {"eu-west": 10, "us-east": 20}


@pytest.mark.parametrize(
    ("primary", "cut_off"),
    [("eu-west-db1", "us-east"), ("us-east-db1", "eu-west"), ("eu-central-db1", None)],
)
def test_a_cut_link_takes_the_way_to_the_primary_from_its_other_end(
    primary: str, cut_off: str | None
) -> None:
    scribe = Scribe().call("add", 12 * S, 12 * S + MS, value=1, node=primary, region="eu-central")
    found = promised(setting(scribe, "link-cut", "eu-west->us-east"))
    assert found == {region: 20 if region == cut_off else 10 for region in REGIONS}


def test_both_ends_of_a_cut_link_where_nobody_acknowledged() -> None:
    found = promised(setting(Scribe(), "link-cut", "eu-west->us-east"))
    assert found == {"eu-west": 20, "eu-central": 10, "us-east": 20}


def test_a_killed_node_cuts_no_region_off() -> None:
    found = promised(setting(Scribe(), "node-kill", "eu-west-db1"))
    assert found == dict.fromkeys(REGIONS, 10)


def test_final_reads_do_not_stretch_the_load() -> None:
    """A register's final reads are asked like the load's: they must not move the load's end."""
    scribe = Scribe()
    for second in range(30):
        scribe.call("write", second * S, second * S + MS, value=second, key=1, node="eu-west-db1")
    for place, node in enumerate(("eu-west-db1", "eu-central-db1", "us-east-db1")):
        start = (40 + 5 * place) * S
        scribe.call("read-replica", start, start + MS, key=1, result=29, node=node)
    made = setting(scribe, "region-cut", "eu-west")
    run = replace(made.run, plan=replace(made.run.plan, load=Load("register")))
    assert setting_of(run).end_ns == 29 * S
    judged = {verdict.name: verdict for verdict in failover(setting_of(run))}
    assert not any("was not read" in str(each) for each in judged["adequacy"].counterexample)


@pytest.mark.parametrize(
    ("served_before", "validity"), [(True, Validity.VIOLATION), (False, Validity.UNKNOWN)]
)
def test_what_was_not_served_before_was_not_lost_by_the_fault(
    served_before: bool, validity: Validity
) -> None:
    scribe = Scribe()
    for step in range(700):
        start = step * S // 10
        good = start < 10 * S and (served_before or step % 2 == 0)
        outcome: OperationType = "ok" if good else "fail"
        error = None if good else "too many clients"
        for region in REGIONS:
            scribe.call(
                "add", start, start + 50 * MS, outcome, value=step, error=error,
                node="eu-west-db1", region=region,
            )  # fmt: skip
    run = setting(scribe, "region-cut", "us-east").run
    planned = replace(run.plan, schedule=(Step("region-cut", "us-east", 10.0, 10.0),))
    run = replace(run, plan=planned)
    found = {verdict.name: verdict.validity for verdict in failover(setting_of(run))}
    assert found["service"] is validity
    assert found["rto"] is validity


def paused_then_cut(settings: dict[str, str], *, healed_s: int = 16) -> Setting:
    """eu-central stands still from 9 s on, and eu-west, the primary's region, is cut at 10 s."""
    scribe = Scribe().call("add", 8 * S, 8 * S + MS, value=1, node="eu-west-db1", region="us-east")
    for phase, time in (("inject", 9), ("injected", 9), ("heal", healed_s), ("healed", healed_s)):
        more = {"resolved": "eu-central-db1"} if phase == "injected" else {}
        scribe.fault("node-pause", "node-pause eu-central-db1", time * S, phase, **more)
    made = setting(scribe, "region-cut", "eu-west")
    run = replace(made.run, deployment=load(find("active-passive"), settings))
    return replace(made, run=run)


def bound_s(made: Setting, cause: str, region: str) -> float:
    return next(
        one.bound_ms / 1000
        for one in expectations(made)
        if (one.cause, one.region) == (cause, region)
    )


EU_ONLY = {"synchronous_regions": "eu-west,eu-central"}


def test_a_failover_waits_for_the_only_standby_that_may_take_over() -> None:
    """The bound follows from the timers and the pause, whatever the pause."""
    alone = bound_s(paused_then_cut({}), "region-cut somewhere", "us-east")
    for healed_s in (16, 19):
        made = paused_then_cut(EU_ONLY, healed_s=healed_s)
        waiting = bound_s(made, "region-cut somewhere", "us-east")
        assert waiting == pytest.approx(alone + healed_s - 10)


def test_while_the_only_standby_stands_still_nobody_is_promised_service() -> None:
    causes = {(one.cause, one.from_ns // S) for one in expectations(paused_then_cut(EU_ONLY))}
    assert ("heal of node-pause eu-central-db1", 16) in causes
    assert not any(cause == "node-pause eu-central-db1" for cause, _ in causes)


def test_a_region_that_is_cut_off_when_the_standby_goes_on_waits_for_its_own_heal() -> None:
    found = {(one.cause, one.region) for one in expectations(paused_then_cut(EU_ONLY))}
    assert ("heal of node-pause eu-central-db1", "eu-west") not in found
    assert ("heal of node-pause eu-central-db1", "us-east") in found
    assert ("heal of region-cut somewhere", "eu-west") in found


@pytest.mark.parametrize("settings", [{}, {**EU_ONLY, "replication": "asynchronous"}])
def test_where_another_may_take_over_nothing_is_added(settings: dict[str, str]) -> None:
    causes = {one.cause for one in expectations(paused_then_cut(settings))}
    assert "node-pause eu-central-db1" in causes
