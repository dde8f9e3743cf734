"""The database of a user's own that the documentation adds: every part of it fits the testbed."""

from __future__ import annotations

import importlib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from experiments.catalogue import EXPERIMENTS
from experiments.fitting import unknown_to_clients
from faults.catalogue import problems
from testbed.clients.catalogue import versions
from testbed.provision.ansible import own_playbooks
from testbed.provision.program_paths import program_variables
from testbed.toolchain.added import points
from testbed.topology.inventory import catalogue_for, load
from testbed.topology.model import Deployment

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "valkey"
KINDS = ("systems", "probes", "programs", "bounds", "switchovers")


@pytest.fixture
def deployment() -> Deployment:
    return load(EXAMPLE / "inventory" / "three-regions")


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, dict[str, Any]]]:
    """What the example's package adds, by kind and name."""
    monkeypatch.syspath_prepend(str(EXAMPLE))
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    found: dict[str, dict[str, Any]] = {}
    for kind in KINDS:
        for name, value in project["entry-points"][f"testbed.{kind}"].items():
            module, _, thing = value.partition(":")
            found.setdefault(kind, {})[name] = getattr(importlib.import_module(module), thing)
    points.cache_clear()
    yield found
    points.cache_clear()


def test_its_group_brings_its_playbook(deployment: Deployment) -> None:
    assert own_playbooks(deployment, catalogue_for(deployment.folder)) == (
        EXAMPLE / "playbooks" / "valkey.yml",
    )


def test_clients_enter_in_every_region_and_reach_every_node(
    deployment: Deployment, added: dict[str, dict[str, Any]]
) -> None:
    system, topology = added["systems"]["valkey"], deployment.topology
    regions = [region.name for region in topology.regions]
    assert [(one.region, one.name) for one in system.entries(topology)] == [
        (region, name) for region in regions for name in ("writer", "reader")
    ]
    assert [node.name for node in system.nodes(topology)] == [node.name for node in topology.nodes]
    connect = system.connector(topology, "set", 1, 1000, deployment.variables)
    assert all(not connect(entry).ended for entry in system.entries(topology))


def test_its_bounds_are_sums_of_its_timers(
    deployment: Deployment, added: dict[str, dict[str, Any]]
) -> None:
    bounds, slower = added["bounds"]["valkey"], {"valkey_down_after_ms": 7000}
    now = bounds.rto("region-cut", deployment.variables, 1000).total_ms
    later = bounds.rto("region-cut", {**deployment.variables, **slower}, 1000).total_ms
    assert later - now == 7000 - deployment.variables["valkey_down_after_ms"]
    assert bounds.recovery(deployment.variables).total_ms > now


def test_its_version_is_evidence_and_its_role_gets_that_very_program(
    deployment: Deployment,
    added: dict[str, dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (server,) = added["systems"]["valkey"].programs()
    monkeypatch.setattr("testbed.clients.catalogue.system_of", lambda _: "valkey")
    monkeypatch.setattr("testbed.provision.program_paths.system_of", lambda _: "valkey")
    for module in ("clients.catalogue", "provision.program_paths"):
        # What this machine has not built yet does not matter here.
        monkeypatch.setattr(
            f"testbed.{module}.locate", lambda name: replace(server, name=name, version="1.2")
        )
        monkeypatch.setattr(f"testbed.{module}.SYSTEMS", added["systems"])
    assert versions(deployment.topology) == {
        "valkey-server": server.version,
        "toxiproxy-server": "1.2",
    }
    monkeypatch.setattr("testbed.provision.program_paths.interpreter", lambda script: script)
    role = EXAMPLE / "playbooks" / "roles" / "valkey" / "tasks" / "main.yml"
    named = set(re.findall(r"{{ (\w+_program) }}", role.read_text()))
    assert {program_variables(deployment.topology)[name] for name in named} == {str(server.path)}


def test_its_programs_are_of_its_group(added: dict[str, dict[str, Any]]) -> None:
    programs = added["programs"]
    assert {name: one.name for name, one in programs.items()} == {name: name for name in programs}
    assert {one.group for one in programs.values()} == set(added["systems"])


def test_its_primary_moves_by_its_own_way_or_not_at_all(
    deployment: Deployment, added: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def objections() -> list[str]:
        return problems("switchover", "role:primary", {}, deployment.topology)

    monkeypatch.setattr("testbed.clients.system.points", lambda _: added["systems"])
    monkeypatch.setattr("faults.switchover.SWITCHOVERS", added["switchovers"])
    assert objections() == []
    monkeypatch.setattr("faults.switchover.SWITCHOVERS", {})
    (problem,) = objections()
    assert "how the primary of 'valkey' is moved" in problem


def test_an_experiment_that_its_clients_cannot_do_is_refused(
    deployment: Deployment,
    added: dict[str, dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("experiments.fitting.system_of", lambda _: "valkey")
    monkeypatch.setattr("experiments.fitting.SYSTEMS", added["systems"])
    topology = deployment.topology
    assert unknown_to_clients(EXPERIMENTS["failover"].workloads, topology) == []
    (problem,) = unknown_to_clients(EXPERIMENTS["replication_lag"].workloads, topology)
    assert problem == "clients of valkey do not know the workload sessions; they know register, set"
