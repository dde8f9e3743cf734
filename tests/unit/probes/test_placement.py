"""What keeps a deployment with a placement policy from steady state, from recorded answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from testbed.probes.patroni import Member
from testbed.probes.placement import (
    PlacementReport,
    cluster_problems,
    copy_problems,
    crossing_streams,
    report_of,
    report_problems,
)
from testbed.probes.streams import Stream
from testbed.topology.inventory import find, load

TOPOLOGY = load(find("data-placement")).topology
SERVERS = TOPOLOGY.members("postgres")
RUNS = {"name": "from_us", "running": True, "received": "0/1", "silent_ms": 100.0}


def member(node: str, role: str, scope: str, standby: str = "", timeline: int = 1) -> Member:
    standbys = {standby: ("streaming", "async")} if standby else {}
    return Member(node, role, "running", timeline, 0, standbys, scope)


STEADY = (
    member("eu-west-db1", "primary", "eu", "eu-central-db1"),
    member("eu-central-db1", "replica", "eu"),
    member("us-east-db1", "primary", "us", "us-east-db2", timeline=3),
    member("us-east-db2", "replica", "us", timeline=3),
)


def server(node: str = "eu-west-db1", home: str = "EU", other: str = "US") -> PlacementReport:
    return report_of(
        {
            "node": node,
            "jurisdiction": home,
            "problem": "",
            "primary": True,
            "peers": [other],
            "streams": [{**RUNS, "name": f"from_{other.lower()}"}],
            "slots": [],
            "backups": [],
            "deeds": [],
        }
    )


def problems(report: PlacementReport | None) -> list[str]:
    return report_problems(SERVERS[0], report)


def test_two_clusters_on_timelines_of_their_own_are_steady() -> None:
    assert cluster_problems(SERVERS, STEADY, synchronous=False) == []


def test_a_jurisdiction_without_a_primary_is_said_though_the_other_has_one() -> None:
    fallen = (replace(STEADY[0], role="replica"), *STEADY[1:])
    found = cluster_problems(SERVERS, fallen, synchronous=False)
    assert "nobody claims to be primary, where one node should" in found


def test_a_node_that_is_silent_is_named() -> None:
    found = cluster_problems(SERVERS, (None, *STEADY[1:]), synchronous=False)
    assert "eu-west-db1: Patroni does not answer" in found


def test_a_member_is_judged_in_the_cluster_that_it_says_it_is_in() -> None:
    moved = (
        replace(
            STEADY[0],
            standbys={"eu-central-db1": ("streaming", ""), "us-east-db2": ("streaming", "")},
        ),
        STEADY[1],
        replace(STEADY[2], standbys={}),
        replace(STEADY[3], scope="eu", timeline=1),
    )
    assert cluster_problems(SERVERS, moved, synchronous=False) == []


def test_a_server_that_hears_from_every_peer_is_well() -> None:
    assert problems(server()) == []


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (None, "the keeper of the placement policy does not answer"),
        (replace(server(), problem="gone"), "eu-west-db1: gone"),
        (replace(server(), streams={}), "1 streams are missing"),
        (replace(server(), streams={"from_us": {**RUNS, "running": False}}), "does not run"),
        (replace(server(), streams={"from_us": {**RUNS, "received": None}}), "does not run"),
        (replace(server(), streams={"from_us": {**RUNS, "silent_ms": 9000.0}}), "for 9000 ms"),
        (replace(server(), streams={"from_us": {**RUNS, "silent_ms": None}}), "silent"),
    ],
)
def test_what_is_wrong_is_said(report: PlacementReport | None, said: str) -> None:
    (problem,) = problems(report)
    assert said in problem


def test_a_standby_is_not_asked_for_streams() -> None:
    assert problems(replace(server(), primary=False, streams={})) == []


def test_streams_between_primaries() -> None:
    american = server("us-east-db1", "US", "EU")
    standby = replace(server("eu-central-db1"), primary=False)
    found = crossing_streams([server(), standby, american, None])
    assert found == (
        Stream("eu-west-db1", "us-east-db1", running=True),
        Stream("us-east-db1", "eu-west-db1", running=True),
    )
    lost = replace(american, streams={})
    assert crossing_streams([server(), lost])[0] == Stream("eu-west-db1", "us-east-db1", False)


def test_what_is_everywhere_hears_from_all_and_sends_to_none() -> None:
    everywhere = replace(
        server("eu-west-db2", "everywhere"),
        peers=("EU", "US"),
        streams={"from_eu": RUNS, "from_us": RUNS},
    )
    found = crossing_streams([server(), server("us-east-db1", "US", "EU"), everywhere])
    assert {(one.sender, one.receiver) for one in found} == {
        ("eu-west-db1", "us-east-db1"),
        ("us-east-db1", "eu-west-db1"),
        ("eu-west-db1", "eu-west-db2"),
        ("us-east-db1", "eu-west-db2"),
    }


def test_a_standby_without_a_copy_of_a_slot_is_said() -> None:
    slot = {"name": "placement_us", "failover": True, "synced": False}
    primary = replace(server(), slots={"placement_us": slot})
    standby = replace(server("eu-central-db1"), primary=False, slots={})
    assert copy_problems([primary, standby, None]) == [
        "eu-central-db1: no copy of the slot placement_us"
    ]
    left_over = replace(standby, slots={"placement_us": slot})
    assert copy_problems([primary, left_over]) != []
    copied = replace(standby, slots={"placement_us": {**slot, "synced": True}})
    assert copy_problems([primary, copied, server("us-east-db1", "US", "EU")]) == []
