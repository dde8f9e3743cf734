"""Provisioning of active-active, from nothing and again."""

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
from tests.live.provision.conftest import empty_world, eventually, sql


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    return load(find("active-active"))


@pytest.fixture(scope="module")
def mesh(
    deployment: Deployment, programs: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[NamespaceWorld]:
    world = empty_world(deployment, tmp_path_factory.mktemp("mesh"), "mesh")
    try:
        provision(world, deployment, programs)
        yield world
    finally:
        world.down()


def test_what_is_written_in_any_region_is_seen_in_every_other(
    mesh: NamespaceWorld, programs: Mapping[str, str]
) -> None:
    bin_dir = programs["postgres_bin_dir"]
    entries = [node.address for node in mesh.topology.members("haproxy")]
    for key, entry in enumerate(entries):
        sql(mesh, bin_dir, entry, f"INSERT INTO item (space, key, value) VALUES (1, {key}, {key})")
    for entry in entries:
        eventually(
            partial(shows, mesh, bin_dir, entry, len(entries)),
            f"the reader port at {entry} shows every row",
        )


def shows(world: NamespaceWorld, bin_dir: str, entry: str, rows: int) -> bool:
    """Whether a region's reader port shows as many rows."""
    return sql(world, bin_dir, entry, "SELECT count(*) FROM item_seen", 5001) == str(rows)


def test_every_region_has_postgres_as_a_healthy_service(mesh: NamespaceWorld) -> None:
    for node in mesh.topology.members("mesh"):
        url = "http://127.0.0.1:8500/v1/health/service/postgres?passing"
        eventually(
            partial(listed, mesh, node.name, url, node.address),
            f"Consul of {node.region} lists PostgreSQL as passing",
        )


def listed(world: NamespaceWorld, node: str, url: str, address: str) -> bool:
    found = json.loads(fetch(world, node, url).body)
    return [one["Service"]["Address"] for one in found] == [address]


def test_a_second_run_changes_nothing_and_so_says_check(
    mesh: NamespaceWorld, deployment: Deployment, programs: Mapping[str, str]
) -> None:
    assert dict(provision(mesh, deployment, programs).changes) == {}
    assert dict(provision(mesh, deployment, programs, check=True).changes) == {}
