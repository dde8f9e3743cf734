"""What may be played on a world that runs: what its nodes and links are enough for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from testbed.provision.again import deployment_for
from testbed.topology.inventory import find, load
from testbed.topology.model import Topology
from testbed.topology.problem import InventoryError

MESH = load(find("active-active"))


@dataclass(frozen=True)
class World:
    """What is remembered of a world."""

    topology: Topology = MESH.topology
    variables: Any = None
    name: str = "mine"
    deployment: str = "active-active"


def played(world: World, name: str | None = None, **others: str) -> Any:
    return deployment_for(world, name, others)  # type: ignore[arg-type]


def test_a_world_keeps_the_variables_that_it_was_made_with() -> None:
    made = World(variables={**MESH.variables, "conflict_resolution": "crdt"})
    assert played(made).variables["conflict_resolution"] == "crdt"
    changed = played(made, mesh_seeding="by_hand").variables
    assert (changed["conflict_resolution"], changed["mesh_seeding"]) == ("crdt", "by_hand")


def test_a_world_may_have_room_for_more_and_not_less() -> None:
    last = MESH.topology.regions[-1].name
    fewer = replace(
        MESH.topology,
        nodes=tuple(node for node in MESH.topology.nodes if node.region != last),
        links=tuple(link for link in MESH.topology.links if last not in (link.source, link.target)),
    )
    assert played(World(variables=MESH.variables)).topology == MESH.topology
    with pytest.raises(InventoryError) as refused:
        played(World(fewer, MESH.variables))
    assert "world mine has no node us-east-db1" in str(refused.value)
    assert "world mine has no such link us-east->eu-west" in str(refused.value)


def test_a_node_that_is_another_one_in_the_world_is_refused() -> None:
    moved = tuple(
        replace(node, address="10.77.9.9") if node.name == "us-east-db1" else node
        for node in MESH.topology.nodes
    )
    with pytest.raises(InventoryError, match="world mine has another node us-east-db1"):
        played(World(replace(MESH.topology, nodes=moved), MESH.variables))
