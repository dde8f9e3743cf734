"""In any topology every leg of every connection carries its direction's mark, and only that."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from testbed.topology.model import Link, Node, Region, Topology
from testbed.world.addressing import Listener, listeners, mark
from testbed.world.ruleset import ruleset


@st.composite
def topologies(draw: st.DrawFn) -> Topology:
    numbers = draw(st.lists(st.integers(1, 15), min_size=2, max_size=5, unique=True))
    regions = tuple(Region(f"r{number}", "EU", number) for number in numbers)
    links = tuple(Link(a.name, b.name, 1.0) for a in regions for b in regions if a is not b)
    nodes = []
    for region in regions:
        for last in draw(st.lists(st.integers(10, 254), min_size=1, max_size=3, unique=True)):
            ports = draw(st.lists(st.integers(1, 65535), max_size=3, unique=True))
            address = f"10.77.{region.number}.{last}"
            nodes.append(Node(f"n{address}", region.name, address, frozenset(), tuple(ports)))
    return Topology(regions, links, tuple(nodes))


class Filter:
    """The marking rules of a ruleset, applied to one packet as the kernel does."""

    def __init__(self, text: str) -> None:
        self._maps: dict[str, list[tuple[str, str]]] = {}
        for name, body in re.findall(r"  map (\w+) \{\n(.*?)\n  \}", text, flags=re.DOTALL):
            listed = re.search(r"elements = \{(.*)\}", body, flags=re.DOTALL)
            elements = listed.group(1).split(",") if listed else []
            pairs = [element.strip().split(" : ") for element in elements]
            self._maps[name] = [(key, value) for key, value in pairs]

    def arrives(self, source: str, target: str) -> int:
        """The mark of a packet that comes in from a node."""
        for networks, number in self._maps["legs"]:
            a, b = networks.split(" . ")
            if _within(source, a) and _within(target, b):
                return int(number)
        return 0

    def departs(self, source_port: int, target: str) -> int:
        """The mark of a packet that the wan itself sends; the later rule wins."""
        found = 0
        for network, number in self._maps["aliases"]:
            if _within(target, network):
                found = int(number)
        for port, number in self._maps["listeners"]:
            if source_port == int(port):
                found = int(number)
        return found

    def intercepts(self, source: str, target: str, port: int) -> str | None:
        """Where a new connection is sent instead; None where it goes straight on."""
        for key, instead in self._maps["listened"]:
            a, b, wanted = key.split(" . ")
            if _within(source, a) and target == b and port == int(wanted):
                return instead
        return None

    def aliased(self) -> dict[str, str]:
        return dict(self._maps["aliased"])


def _within(address: str, network: str) -> bool:
    return address.startswith(network.removesuffix("0/24"))


@given(topologies())
def test_all_four_legs_carry_their_direction(topology: Topology) -> None:
    filter_ = Filter(ruleset(topology))
    for one in listeners(topology):
        there = mark(topology, one.source, one.target)
        back = mark(topology, one.target, one.source)
        client = _client(topology.region(one.source))
        assert filter_.arrives(client, one.node_address) == there
        assert filter_.departs(40000, one.alias) == there
        assert filter_.arrives(one.node_address, one.gateway) == back
        assert filter_.departs(one.port, client) == back


@given(topologies())
def test_what_does_not_cross_the_wan_carries_no_mark(topology: Topology) -> None:
    filter_ = Filter(ruleset(topology))
    for node in topology.nodes:
        gateway = topology.region(node.region).gateway
        assert filter_.arrives(node.address, gateway) == 0
        assert filter_.departs(40000, node.address) == 0
        for other in topology.nodes:
            crosses = other.region != node.region
            assert bool(filter_.arrives(node.address, other.address)) is crosses


@given(topologies())
def test_a_declared_port_and_no_other_has_its_listener(topology: Topology) -> None:
    filter_ = Filter(ruleset(topology))
    by_name = {one.name: one for one in listeners(topology)}
    for node in topology.nodes:
        for region in topology.regions:
            client = _client(region)
            for port in (*node.wan_ports, 7):
                instead = filter_.intercepts(client, node.address, port)
                wanted: Listener | None = by_name.get(
                    f"{region.name}.{node.region}.{node.name}.{port}"
                )
                assert instead == (wanted and f"{wanted.gateway} . {wanted.port}")


@given(topologies())
def test_ports_and_aliases_are_unambiguous(topology: Topology) -> None:
    all_of_them = listeners(topology)
    ports = [one.port for one in all_of_them]
    assert len(set(ports)) == len(ports)
    assert all(20000 <= port < 32768 for port in ports)
    stands_for = Filter(ruleset(topology)).aliased()
    for one in all_of_them:
        assert stands_for[one.alias] == one.node_address
    owners = {(one.alias, one.mark) for one in all_of_them}
    assert len({alias for alias, _ in owners}) == len(owners)


def _client(region: Region) -> str:
    return region.network.replace(".0/24", ".99")
