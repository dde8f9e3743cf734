"""Which cluster a node's claim is about: one that has a primary of its own."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from testbed.probes.json_source import JsonSource
from testbed.probes.mesh import MeshProbe
from testbed.probes.patroni import PatroniProbe
from testbed.probes.placement import PlacementProbe
from testbed.probes.protocol import Probe
from testbed.topology.inventory import find, load
from testbed.topology.model import Topology


def topology(deployment: str) -> Topology:
    return load(find(deployment)).topology


def claimed(
    monkeypatch: pytest.MonkeyPatch, probe: type[Any], deployment: str
) -> dict[str, tuple[str, str]]:
    """Role and cluster by node, where the first node is silent and all others are primaries."""
    shown = topology(deployment)
    silent = shown.members("postgres")[0]

    async def answer(self: JsonSource, url: str) -> dict[str, Any] | None:
        return None if silent.address in url else {"role": "primary", "state": "running"}

    monkeypatch.setattr(JsonSource, "get", answer)

    async def ask() -> dict[str, tuple[str, str]]:
        made: Probe = probe(shown, "asynchronous")
        try:
            return {one.node: (one.role, one.cluster) for one in await made.claims()}
        finally:
            await made.close()

    found = asyncio.run(ask())
    assert found[silent.name][0] == "silent"
    assert sorted(found) == sorted(node.name for node in shown.members("postgres"))
    return found


@pytest.mark.parametrize("deployment", ["active-active", "active-active-ha"])
def test_a_region_of_a_mesh_has_a_primary_of_its_own(
    monkeypatch: pytest.MonkeyPatch, deployment: str
) -> None:
    found = claimed(monkeypatch, MeshProbe, deployment)
    region_of = {node.name: node.region for node in topology(deployment).nodes}
    assert {node: cluster for node, (_, cluster) in found.items()} == {
        node: region_of[node] for node in found
    }


def test_a_jurisdiction_has_a_primary_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    found = claimed(monkeypatch, PlacementProbe, "data-placement")
    assert {cluster for _, cluster in found.values()} == {"EU", "US"}
    assert found["eu-west-db1"][1] == found["eu-central-db1"][1] != found["us-east-db1"][1]


@pytest.mark.parametrize("deployment", ["active-passive", "active-passive-standby-cluster"])
def test_all_regions_together_have_one_primary_elsewhere(
    monkeypatch: pytest.MonkeyPatch, deployment: str
) -> None:
    found = claimed(monkeypatch, PatroniProbe, deployment)
    assert {cluster for _, cluster in found.values()} == {""}
