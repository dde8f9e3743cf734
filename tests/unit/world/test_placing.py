"""A directed link's toxic sits on both kinds of its streams and on no other."""

from __future__ import annotations

from dataclasses import replace

from testbed.topology.model import Link, Node, Region, Topology
from testbed.world.addressing import listeners
from testbed.world.placing import on_link, places, streams
from testbed.world.toxics import Toxic

REGIONS = ("a", "b", "c")
TOPOLOGY = Topology(
    tuple(Region(name, "EU", number) for number, name in enumerate(REGIONS, 1)),
    tuple(Link(x, y, 1.0) for x in REGIONS for y in REGIONS if x != y),
    tuple(
        Node(f"{name}-db1", name, f"10.77.{number}.10", frozenset(), (5432,))
        for number, name in enumerate(REGIONS, 1)
    ),
)
LISTENERS = listeners(TOPOLOGY)


def test_upstream_of_who_sends_downstream_of_who_receives() -> None:
    assert set(streams(LISTENERS, ("a", "b"))) == {
        ("a.b.b-db1.5432", "upstream"),
        ("b.a.a-db1.5432", "downstream"),
    }


def test_every_stream_belongs_to_exactly_one_link() -> None:
    owned = [s for link in TOPOLOGY.links for s in streams(LISTENERS, (link.source, link.target))]
    assert sorted(owned) == sorted(
        (one.name, stream) for one in LISTENERS for stream in ("upstream", "downstream")
    )


def test_what_was_placed_is_found_on_its_link_only() -> None:
    toxic = Toxic("storm", "latency", {"delay_ms": 1})
    placed = places(LISTENERS, ("a", "b"), toxic) + places(LISTENERS, ("b", "c"), toxic)
    assert on_link(LISTENERS, ("a", "b"), placed) == places(LISTENERS, ("a", "b"), toxic)
    assert on_link(LISTENERS, ("b", "a"), placed) == ()


def test_only_the_connections_to_one_port_whoever_opened_them() -> None:
    toxic = Toxic("storm", "latency", {"delay_ms": 1})
    nodes = [replace(node, wan_ports=(5432, 8008)) for node in TOPOLOGY.nodes]
    several = listeners(replace(TOPOLOGY, nodes=tuple(nodes)))
    placed = places(several, ("a", "b"), toxic, 5432)
    assert {(one.listener, one.stream) for one in placed} == {
        ("a.b.b-db1.5432", "upstream"),
        ("b.a.a-db1.5432", "downstream"),
    }
    assert len(places(several, ("a", "b"), toxic)) == 4
    assert places(several, ("a", "b"), toxic, 22) == ()
