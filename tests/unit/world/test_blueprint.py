"""Process 1 builds what the topology says."""

from __future__ import annotations

from pathlib import Path

from testbed.topology.model import Link, Node, Region, Topology
from testbed.world.blueprint import Blueprint, draw

TOPOLOGY = Topology(
    (Region("a", "EU", 1), Region("b", "US", 2)),
    (Link("a", "b", 10.0), Link("b", "a", 20.0)),
    (
        Node("a-db1", "a", "10.77.1.10", frozenset(), (5432,)),
        Node("b-db1", "b", "10.77.2.10", frozenset(), (5432,)),
    ),
)


def drawn(**lowers: Path) -> Blueprint:
    golden = {name.replace("_", "-"): path for name, path in lowers.items()}
    return draw(TOPOLOGY, Path("/logs"), golden, ip=Path("/sbin/ip"))


def test_every_node_finds_every_other_by_name() -> None:
    assert drawn().hosts == "127.0.0.1 localhost\n10.77.1.10 a-db1\n10.77.2.10 b-db1\n"


def test_a_nodes_room() -> None:
    room = drawn(b_db1=Path("/golden/b")).nodes[1]
    assert (room.name, room.logs, room.lower) == ("b-db1", "/logs/b-db1", "/golden/b")
    assert (room.veth, room.bridge) == ("v2-10", "region2")
    assert "addr add 10.77.2.10/24 dev eth0" in room.commands
    assert "route add default via 10.77.2.1" in room.commands


def test_the_wan_knows_the_aliases_of_each_link_by_its_source_address() -> None:
    commands = drawn().wan.commands
    assert "addr add 10.77.1.1/24 dev region1" in commands
    assert "route add 10.78.18.0/24 dev region2 src 10.77.1.1" in commands
    assert "route add 10.78.33.0/24 dev region1 src 10.77.2.1" in commands


def test_interface_names_fit_the_kernel() -> None:
    region = Region("far", "EU", 15)
    node = Node("far-db245", "far", "10.77.15.254", frozenset(), ())
    room = draw(Topology((region,), (), (node,)), Path("/l"), {}, ip=Path("/sbin/ip")).nodes[0]
    assert len(room.veth) <= 15
    assert len(room.bridge) <= 15


def test_it_survives_json() -> None:
    blueprint = drawn(a_db1=Path("/golden/a"))
    assert Blueprint.from_json(blueprint.to_json()) == blueprint
    assert "\n" not in blueprint.to_json()
