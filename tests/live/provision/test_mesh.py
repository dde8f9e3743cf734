"""Provisioning of active-active: from nothing, again, and with a region that joins."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
import yaml

from testbed.provision.ansible import provision
from testbed.provision.programs import fetch
from testbed.topology.inventory import find, load
from testbed.topology.model import Deployment
from testbed.world.namespaces import NamespaceWorld
from tests.live.provision.conftest import empty_world, eventually, sql

STRATEGY = {"conflict_resolution": "crdt"}
LOAD = Path(__file__).with_name("mesh_load.py")


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    return load(find("active-active"), STRATEGY)


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """The same with one region more: an edit of the inventory."""
    folder = tmp_path_factory.mktemp("inventory") / "active-active"
    shutil.copytree(find("active-active"), folder)
    document = yaml.safe_load((folder / "hosts.yml").read_text())
    children = document["all"]["children"]
    children["regions"]["children"]["ap_south"] = {
        "vars": {
            "region": "ap-south",
            "jurisdiction": "AP",
            "consul_datacenter": "ap-south",
            "patroni_scope": "ap-south",
        },
        "hosts": {"ap-south-db1": {"wan_ports": [5432, 7400]}, "ap-south-lb1": {}},
    }
    for group in ("postgres", "mesh", "consul", "observers"):
        children[group]["hosts"]["ap-south-db1"] = {}
    children["haproxy"]["hosts"]["ap-south-lb1"] = {}
    (folder / "hosts.yml").write_text(yaml.safe_dump(document, sort_keys=False))
    variables = yaml.safe_load((folder / "group_vars" / "all.yml").read_text())
    links = variables["links"]
    others = list(links)
    links["ap-south"] = {name: {"delay_ms": 60, "jitter_ms": 1} for name in others}
    for name in others:
        links[name]["ap-south"] = {"delay_ms": 60, "jitter_ms": 1}
    (folder / "group_vars" / "all.yml").write_text(yaml.safe_dump(variables, sort_keys=False))
    return load(folder, STRATEGY)


@pytest.fixture(scope="module")
def mesh(
    deployment: Deployment,
    four: Deployment,
    programs: Mapping[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[NamespaceWorld]:
    """A world with room for a fourth region, in which there are three."""
    world = empty_world(four, tmp_path_factory.mktemp("mesh"), "mesh")
    try:
        provision(world, deployment, programs)
        yield world
    finally:
        world.down()


def test_what_is_written_in_any_region_is_seen_in_every_other(
    mesh: NamespaceWorld, deployment: Deployment, programs: Mapping[str, str]
) -> None:
    bin_dir = programs["postgres_bin_dir"]
    entries = [node.address for node in deployment.topology.members("haproxy")]
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


def test_every_region_has_postgres_as_a_healthy_service(
    mesh: NamespaceWorld, deployment: Deployment
) -> None:
    for node in deployment.topology.members("mesh"):
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


STATE = """
SELECT (SELECT coalesce(sum(n), 0) FROM counter_seen WHERE space = 2) || ' '
    || (SELECT count(*) FROM set_element WHERE space = 2) || ' '
    || (SELECT md5(coalesce(string_agg(key || ':' || value, ',' ORDER BY key), ''))
        FROM item_seen WHERE space = 2)
"""


def test_a_fourth_region_joins_under_load_and_no_row_is_lost_or_doubled(
    mesh: NamespaceWorld,
    deployment: Deployment,
    four: Deployment,
    programs: Mapping[str, str],
    tmp_path: Path,
) -> None:
    bin_dir, stop = programs["postgres_bin_dir"], tmp_path / "stop"
    entries = [node.address for node in deployment.topology.members("haproxy")]

    def load_region(number: int) -> tuple[int, int]:
        argv = [sys.executable, str(LOAD), entries[number], str(number), str(stop)]
        done = mesh.execute("wan", argv, timeout_s=300)
        assert done.returncode == 0, done.stderr.decode()
        acknowledged, failed = done.stdout.split()
        return int(acknowledged), int(failed)

    def state(entry: str) -> str:
        return sql(mesh, bin_dir, entry, STATE, 5001)

    with ThreadPoolExecutor() as pool:
        loads = [pool.submit(load_region, number) for number in range(len(entries))]
        try:
            # Rows that a subscription "from now on" would not have.
            eventually(lambda: int(state(entries[0]).split()[1]) > 100, "some load")
            changes = provision(mesh, four, programs).changes
        finally:
            stop.touch()
        outcomes = [one.result() for one in loads]
    assert [failed for _, failed in outcomes] == [0, 0, 0]
    assert not [one for node in deployment.topology.members("postgres")
                for one in changes[node.name] if "patroni" in one]  # fmt: skip
    acknowledged = str(sum(done for done, _ in outcomes))
    everywhere = [node.address for node in four.topology.members("haproxy")]
    eventually(
        lambda: (
            len({state(entry) for entry in everywhere}) == 1
            and state(everywhere[-1]).split()[:2] == [acknowledged, acknowledged]
        ),
        "every region has every acknowledged write, once",
    )
    newest = next(node for node in four.topology.members("haproxy") if node.region == "ap-south")
    sql(mesh, bin_dir, newest.address, "INSERT INTO item (space, key, value) VALUES (3, 1, 1)")
    joined = "SELECT count(*) FROM item_seen WHERE space = 3"
    for entry in everywhere:
        eventually(
            partial(lambda one: sql(mesh, bin_dir, one, joined, 5001) == "1", entry),
            f"what the new region writes is at {entry}",
        )
