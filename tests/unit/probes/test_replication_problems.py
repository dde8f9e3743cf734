"""What keeps replication from steady state, from what each member says of itself."""

from __future__ import annotations

from testbed.probes.patroni import Member, replication_problems
from testbed.topology.model import Node

STREAMING = ("streaming", "async")
SYNC = ("streaming", "sync")


def node(name: str) -> Node:
    return Node(name, "r", "10.77.1.10", frozenset({"postgres"}), ())


def primary(name: str = "a", timeline: int = 1, **standbys: tuple[str, str]) -> Member:
    return Member(name, "primary", "running", timeline, 100, standbys)


def replica(
    name: str, timeline: int = 1, role: str = "replica", **standbys: tuple[str, str]
) -> Member:
    return Member(name, role, "running", timeline, 100, standbys)


def problems(*members: Member | None, synchronous: bool = False) -> list[str]:
    nodes = [node(member.node if member else "silent") for member in members]
    return replication_problems(nodes, members, synchronous=synchronous)


def test_a_primary_whose_standbys_stream_is_steady() -> None:
    members = primary(b=SYNC, c=STREAMING), replica("b"), replica("c")
    assert problems(*members, synchronous=True) == []


def test_a_cluster_that_follows_another_one_is_steady() -> None:
    members = primary(b=STREAMING), replica("b", role="standby_leader", c=STREAMING), replica("c")
    assert problems(*members) == []


def test_a_standby_that_nobody_replicates_to() -> None:
    assert problems(primary(b=STREAMING), replica("b"), replica("c")) == [
        "c: nobody replicates to it"
    ]


def test_a_standby_that_catches_up_or_is_on_another_timeline() -> None:
    assert problems(
        primary(timeline=3, b=("catchup", "async"), c=STREAMING),
        replica("b", timeline=3),
        replica("c", timeline=2),
    ) == [
        "b: replication from a is 'catchup'",
        "c: on timeline 2, the primary on 3",
    ]


def test_no_primary_and_too_many() -> None:
    assert problems(replica("a"), replica("b")) == [
        "nobody claims to be primary, where one node should"
    ]
    assert problems(primary("a"), primary("b")) == [
        "a, b all claim to be primary, where one node should"
    ]


def test_a_silent_member_and_one_that_starts() -> None:
    starting = Member("b", "replica", "starting", 1, None, {})
    found = problems(primary(b=STREAMING), starting, None)
    assert found == ["b: PostgreSQL is 'starting'", "silent: Patroni does not answer"]


def test_synchronous_replication_needs_a_synchronous_standby() -> None:
    members = primary(b=STREAMING), replica("b")
    assert problems(*members, synchronous=False) == []
    assert problems(*members, synchronous=True) == ["a: no standby is synchronous"]
    quorum = primary(b=("streaming", "quorum")), replica("b")
    assert problems(*quorum, synchronous=True) == []
