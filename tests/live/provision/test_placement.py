"""Provisioning of data-placement, from nothing and again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial

import pytest

from testbed.provision.ansible import provision
from testbed.provision.programs import fetch
from testbed.topology.inventory import find, load
from testbed.topology.model import Deployment
from testbed.world.namespaces import NamespaceWorld
from tests.live.provision.conftest import empty_world, eventually, patroni, sql

SERVERS = ("eu-west-db1", "eu-central-db1", "us-east-db1", "us-east-db2")
ROWS = "SELECT string_agg(id || residency, ' ' ORDER BY id) FROM customers"
ADDRESSES = "SELECT string_agg(coalesce(delivery_address, '-'), ' ' ORDER BY id) FROM orders"


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    return load(find("data-placement"))


@pytest.fixture(scope="module")
def placed(
    deployment: Deployment, programs: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[NamespaceWorld]:
    world = empty_world(deployment, tmp_path_factory.mktemp("placed"), "placed")
    try:
        provision(world, deployment, programs)
        yield world
    finally:
        world.down()


def test_pinned_rows_and_columns_stay_at_home_and_the_rest_is_everywhere(
    placed: NamespaceWorld, programs: Mapping[str, str]
) -> None:
    entries = {
        placed.topology.region(node.region).jurisdiction: node.address
        for node in placed.topology.members("haproxy")
    }
    bin_dir = programs["postgres_bin_dir"]
    for number, (home, entry) in enumerate(entries.items()):
        sql(placed, bin_dir, entry,
            f"INSERT INTO customers (id, residency) VALUES ({number}, '{home}'),"
            f" ({number + 10}, 'ANY')")  # fmt: skip
        sql(placed, bin_dir, entry,
            f"INSERT INTO orders (id, residency, delivery_address) VALUES ({number}, '{home}',"
            f" '{home}')")  # fmt: skip
    for name in SERVERS:
        node = placed.topology.node(name)
        home = placed.topology.region(node.region).jurisdiction
        own = list(entries).index(home)
        eventually(
            partial(shows, placed, bin_dir, node.address, ROWS, f"{own}{home} 10ANY 11ANY"),
            f"{name} has the rows of {home} and the free ones",
        )
        eventually(
            partial(shows, placed, bin_dir, node.address, ADDRESSES,
                    "EU -" if home == "EU" else "- US"),
            f"{name} has every order, and the addresses of {home} only",
        )  # fmt: skip


def shows(world: NamespaceWorld, bin_dir: str, host: str, query: str, wanted: str) -> bool:
    return sql(world, bin_dir, host, query, 5432) == wanted


def test_a_second_run_changes_nothing_and_so_says_check(
    placed: NamespaceWorld, deployment: Deployment, programs: Mapping[str, str]
) -> None:
    assert dict(provision(placed, deployment, programs).changes) == {}
    assert dict(provision(placed, deployment, programs, check=True).changes) == {}


def test_another_server_of_the_jurisdiction_takes_over_with_its_streams(
    placed: NamespaceWorld, programs: Mapping[str, str]
) -> None:
    old, new = "eu-west-db1", "eu-central-db1"
    bin_dir = programs["postgres_bin_dir"]
    american = placed.topology.node("us-east-db1").address
    # The copies of the slots are there some time after the slots.
    eventually(partial(copied, placed, bin_dir, new), f"{new} has a copy of the slot of {old}")
    wish = json.dumps({"leader": old, "candidate": new})
    fetch(placed, old, "http://127.0.0.1:8008/switchover", "POST", wish)
    eventually(lambda: patroni(placed, new)["role"] == "primary", f"{new} takes over")
    entry = placed.topology.members("haproxy", "eu-west")[0].address
    insert = "INSERT INTO customers (id, residency) VALUES (20, 'EU'), (21, 'ANY')"
    eventually(partial(succeeds, placed, bin_dir, entry, insert), "clients write there")
    query = "SELECT count(*) FROM customers WHERE id >= 20 GROUP BY residency"
    eventually(partial(shows, placed, bin_dir, american, query, "1"), "its stream goes on")
    eventually(partial(copied, placed, bin_dir, old), f"{old} has a copy of the slot of {new}")


def copied(world: NamespaceWorld, bin_dir: str, node: str) -> bool:
    """Whether a standby has a copy of its primary's slot."""
    query = "SELECT bool_and(synced) FROM pg_replication_slots WHERE slot_type = 'logical'"
    return succeeds(world, bin_dir, world.topology.node(node).address, query, 5432) == "t"


def succeeds(
    world: NamespaceWorld, bin_dir: str, host: str, query: str, port: int = 5000
) -> str | None:
    """What a statement shows, with a word for nothing; None where it fails."""
    try:
        return sql(world, bin_dir, host, query, port) or "done"
    except AssertionError:
        return None
