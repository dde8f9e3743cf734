"""Who may become primary, from what Patroni answers."""

from __future__ import annotations

from typing import Any

from testbed.probes.heirs import heirs

HOMES = {"eu-db1": "EU", "eu-db2": "EU", "us-db1": "US", "us-db2": "US"}


def member(name: str, role: str, **tags: bool) -> dict[str, Any]:
    return {"name": name, "role": role, **({"tags": tags} if tags else {})}


def cluster(*members: dict[str, Any]) -> dict[str, Any]:
    return {"members": list(members), "scope": "x"}


EUROPE = cluster(member("eu-db1", "leader"), member("eu-db2", "replica"))


def test_every_member_that_may_take_over_is_an_heir() -> None:
    america = cluster(member("us-db1", "leader"), member("us-db2", "replica", nofailover=True))
    assert heirs([EUROPE, EUROPE, america, None], HOMES) == (
        ("eu-db1", "EU"),
        ("eu-db2", "EU"),
        ("us-db1", "US"),
    )


def test_one_abroad_is_an_heir_of_the_primary_s_jurisdiction() -> None:
    wide = cluster(*EUROPE["members"], member("us-db2", "replica"))
    assert ("us-db2", "EU") in heirs([wide], HOMES)


def test_a_cluster_without_a_leader_tells_nothing() -> None:
    assert heirs([cluster(member("eu-db1", "replica")), {}, None], HOMES) == ()
