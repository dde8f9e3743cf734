"""Bounds follow the timers that they are computed from."""

from __future__ import annotations

import pytest

from experiments import bounds
from testbed.topology.inventory import find, load

VARIABLES = dict(load(find("active-passive")).variables)
KINDS = ["region-cut", "node-kill", "node-pause", "process-kill", "link-cut", "switchover"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_bound_is_the_sum_of_its_parts(kind: str) -> None:
    bound = bounds.rto(kind, VARIABLES, 1000)
    assert bound.total_ms == sum(ms for _, ms in bound.parts)
    assert f"{bound.total_ms / 1000:.1f} s" in str(bound)


def test_a_longer_lease_allows_a_longer_outage() -> None:
    longer = {**VARIABLES, "patroni_ttl_s": 40}
    short, long = (bounds.rto("process-kill", each, 1000) for each in (VARIABLES, longer))
    assert long.total_ms - short.total_ms == 20_000


def test_the_gossip_shortens_the_bound_only_where_the_agent_is_silent() -> None:
    lease = {**VARIABLES, "consul_session_checks": "none"}
    gossip = {**VARIABLES, "consul_session_checks": "serf_health"}
    assert (
        bounds.rto("region-cut", gossip, 1000).total_ms
        < bounds.rto("region-cut", lease, 1000).total_ms
    )
    assert bounds.rto("process-kill", gossip, 1000) == bounds.rto("process-kill", lease, 1000)


def test_a_switchover_does_not_wait_for_a_lease() -> None:
    assert bounds.rto("switchover", VARIABLES, 1000).total_ms < 1000 * VARIABLES["patroni_ttl_s"]


def test_measured_outages_of_the_prototype_lie_within() -> None:
    """Region cut by lease alone took up to 26.5 s, with the gossip up to 10.4 s."""
    lease = {**VARIABLES, "consul_session_checks": "none"}
    gossip = {**VARIABLES, "consul_session_checks": "serf_health"}
    assert bounds.rto("region-cut", lease, 500).total_ms > 26_500
    assert bounds.rto("region-cut", gossip, 500).total_ms > 10_400


def test_synchronous_replication_waits_for_a_standby() -> None:
    asynchronous = {**VARIABLES, "replication": "asynchronous"}
    strict = {**VARIABLES, "replication": "synchronous_strict"}
    assert (
        bounds.rto("region-cut", strict, 1000).total_ms
        > bounds.rto("region-cut", asynchronous, 1000).total_ms
    )
