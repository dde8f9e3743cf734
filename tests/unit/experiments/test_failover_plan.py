"""A failover's plan lasts as long as its outages may, and waits no longer than a verdict needs."""

from __future__ import annotations

from experiments.bounds import recovery, rto
from experiments.failover_plan import failover_plan
from testbed.runner.plan import Step
from testbed.topology.inventory import load
from testbed.topology.shipped import inventories

DEPLOYMENT = load(inventories() / "active-passive")
CUT = Step("region-cut", "region-of:primary", 5.0, 8.0)


def test_the_load_outlasts_the_longest_outage_that_is_allowed() -> None:
    plan = failover_plan(DEPLOYMENT, [CUT])
    longest_s = rto("region-cut", DEPLOYMENT.variables, 1000).total_ms / 1000
    assert plan.duration_s > CUT.at_s + longest_s > CUT.at_s + 8.0


def test_a_node_is_awaited_until_it_is_late_and_not_much_longer() -> None:
    late_s = recovery(DEPLOYMENT.variables).total_ms / 1000
    awaited_s = failover_plan(DEPLOYMENT, [CUT]).recovery_s
    assert awaited_s is not None
    assert late_s < awaited_s < late_s + 10
