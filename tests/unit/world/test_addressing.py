"""Every leg of every link has an address of its own."""

from __future__ import annotations

import pytest

from testbed.topology.model import Link, Node, Region, Topology
from testbed.world.addressing import listeners, mark, marks


def topology() -> Topology:
    regions = (Region("a", "EU", 1), Region("b", "US", 15))
    nodes = (
        Node("a-db1", "a", "10.77.1.10", frozenset(), (5432, 8008)),
        Node("a-lb1", "a", "10.77.1.11", frozenset(), ()),
        Node("b-db1", "b", "10.77.15.10", frozenset(), (5432,)),
    )
    return Topology(regions, (Link("a", "b", 10.0), Link("b", "a", 20.0)), nodes)


def test_marks_name_directed_links() -> None:
    assert mark(topology(), "a", "b") == 0x1F
    assert mark(topology(), "b", "a") == 0xF1
    assert {number: link.name for number, link in marks(topology()).items()} == {
        0x1F: "a->b",
        0xF1: "b->a",
    }
    with pytest.raises(KeyError):
        mark(topology(), "a", "mars")


def test_a_listener_for_each_link_node_and_port() -> None:
    first, second, third = listeners(topology())
    assert (first.name, first.source, first.target) == ("a.b.b-db1.5432", "a", "b")
    assert (first.gateway, first.port) == ("10.77.1.1", 20000)
    assert (first.alias, first.node_address, first.node_port) == (
        "10.78.31.10",
        "10.77.15.10",
        5432,
    )
    assert (second.gateway, second.port, second.alias) == ("10.77.15.1", 20001, "10.78.241.10")
    assert (third.node_port, third.port) == (8008, 20002)
