"""The shipped inventories: what they promise, and that stock Ansible reads the same in them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from testbed.topology.catalogue import Catalogue, read_catalogue
from testbed.topology.inventory import deployments, inspect, load
from testbed.topology.problem import Problem
from testbed.topology.shipped import inventories, playbooks
from testbed.topology.source import Table, read

DEPLOYMENTS = deployments()


def catalogue() -> Catalogue:
    problems: list[Problem] = []
    found = read_catalogue(inventories() / "variables", problems)
    assert problems == []
    return found


def test_both_deployments_are_there() -> None:
    assert set(DEPLOYMENTS) >= {
        "active-passive",
        "active-passive-standby-cluster",
        "data-placement",
    }


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_no_problem_and_no_doubt(name: str) -> None:
    inspection = inspect(inventories() / name)
    assert (inspection.problems, inspection.doubts) == ((), ())


def test_active_passive() -> None:
    topology = load(inventories() / "active-passive").topology
    assert [(r.name, r.jurisdiction, r.number) for r in topology.regions] == [
        ("eu-west", "EU", 1),
        ("eu-central", "EU", 2),
        ("us-east", "US", 3),
    ]
    for region in topology.regions:
        (database,) = topology.members("postgres", region.name)
        assert database.name == f"{region.name}-db1"
        assert database.groups == {"consul", "postgres", "observers"}
        (entry,) = topology.members("haproxy", region.name)
        assert entry.name == f"{region.name}-lb1"


def test_delays_are_half_of_the_published_round_trips() -> None:
    topology = load(inventories() / "active-passive").topology
    round_trips_ms = {
        ("eu-west", "eu-central"): 26,
        ("eu-central", "eu-west"): 26,
        ("eu-west", "us-east"): 70,
        ("us-east", "eu-west"): 68,
        ("eu-central", "us-east"): 90,
        ("us-east", "eu-central"): 88,
    }
    delays = {(link.source, link.target): link.delay_ms for link in topology.links}
    assert delays == {pair: value / 2 for pair, value in round_trips_ms.items()}


def test_light_is_not_outrun() -> None:
    # Great-circle distances; light in fibre travels about 200 km a millisecond.
    distances_km = {
        frozenset({"eu-west", "eu-central"}): 1080,
        frozenset({"eu-west", "us-east"}): 5460,
        frozenset({"eu-central", "us-east"}): 6550,
    }
    for link in load(inventories() / "active-passive").topology.links:
        assert link.delay_ms >= distances_km[frozenset({link.source, link.target})] / 200


def test_the_standby_cluster_is_a_cluster_of_its_own() -> None:
    deployment = load(inventories() / "active-passive-standby-cluster")
    primary, standby = (deployment.region_variables[name] for name in ("eu-west", "us-east"))
    assert standby["standby_cluster_of"] == "eu-west"
    assert primary["standby_cluster_of"] is None
    assert primary["consul_datacenter"] != standby["consul_datacenter"]
    assert len(deployment.topology.members("consul", "eu-west")) == 3


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_every_variable_is_stated_so_that_ansible_sees_it(name: str) -> None:
    stated = read(inventories() / name / "group_vars" / "all.yml", [])
    assert isinstance(stated, Table)
    missing = set(load(inventories() / name).variables) - set(stated.entries)
    assert missing == set()


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_stock_ansible_reads_the_same(name: str) -> None:
    deployment = load(inventories() / name)
    read_by_ansible = ansible_inventory(inventories() / name)
    hostvars = read_by_ansible["_meta"]["hostvars"]
    nodes = deployment.topology.nodes
    assert set(hostvars) == {"wan", *(node.name for node in nodes)}
    for node in nodes:
        seen = hostvars[node.name]
        region = deployment.topology.region(node.region)
        assert seen["region"] == region.name
        assert seen["jurisdiction"] == region.jurisdiction
        assert seen["address"] == node.address
        assert tuple(seen.get("wan_ports", ())) == node.wan_ports
        assert seen["ansible_connection"] == "testbed.core.namespace"
        for group in node.groups:
            assert node.name in read_by_ansible[group]["hosts"]
        for variable, value in deployment.variables.items():
            assert seen[variable] == (list(value) if isinstance(value, tuple) else value)
        for variable, value in deployment.region_variables[region.name].items():
            assert seen.get(variable) == value


def ansible_inventory(folder: Path) -> dict[str, Any]:
    command = [
        str(Path(sys.executable).with_name("ansible-inventory")),
        "-i",
        str(folder),
        "--list",
    ]
    done = subprocess.run(command, capture_output=True, check=True)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_the_catalogue_is_sound_and_every_variable_is_read_by_a_role() -> None:
    written = "\n".join(
        path.read_text()
        for path in (playbooks() / "roles").rglob("*")
        if path.suffix in {".yml", ".j2"}
    )
    declared = catalogue().variables().values()
    known = {each.name for each in declared if each.used_by == "nodes"}
    unread = [name for name in known if name not in written]
    assert unread == []


def test_the_catalogue_knows_the_groups_of_the_playbook() -> None:
    site = (playbooks() / "site.yml").read_text()
    played = {line.split(":")[1].strip() for line in site.splitlines() if "hosts:" in line}
    assert played == set(catalogue().groups)


def test_files_are_documented_in_lines_that_fit_a_screen() -> None:
    for path in inventories().rglob("*.yml"):
        assert all(len(line) <= 100 for line in path.read_text().splitlines()), path
