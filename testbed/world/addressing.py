"""Addresses of the wan: what each directed link and each of its listeners is called.

A link from region number a to region number b carries the mark ``a * 16 + b``. Each node of b has
one alias a link, ``10.78.MARK.x`` with x the last octet of its address: Toxiproxy connects to the
alias, so that even its own second leg can be told apart by link.
"""

from __future__ import annotations

from dataclasses import dataclass

from testbed.topology.model import Link, Topology

FIRST_LISTENER_PORT = 20000
"""Below the kernel's range of ephemeral ports, so that a source port names a listener."""


@dataclass(frozen=True, slots=True)
class Listener:
    """One Toxiproxy listener: connections that a link's source opens to one port of one node.

    Args:
        name: Toxiproxy's name of it.
        source: Region that opens the connections.
        target: Region of the node.
        mark: The link's mark.
        port: Where Toxiproxy listens, on ``gateway``.
        gateway: The wan's address in the source region.
        alias: What Toxiproxy connects to.
        node_address: What the alias stands for.
        node_port: The port that the source region believes it connects to.
    """

    name: str
    source: str
    target: str
    mark: int
    port: int
    gateway: str
    alias: str
    node_address: str
    node_port: int


def mark(topology: Topology, source: str, target: str) -> int:
    """The mark that every packet of a directed link carries inside the wan, 1 to 255.

    Raises:
        KeyError: No such region.
    """
    return topology.region(source).number * 16 + topology.region(target).number


def marks(topology: Topology) -> dict[int, Link]:
    """Every link by its mark."""
    return {mark(topology, link.source, link.target): link for link in topology.links}


def listeners(topology: Topology) -> tuple[Listener, ...]:
    """Every listener of the wan, in the order of links, nodes and ports."""
    found: list[Listener] = []
    for link in topology.links:
        number = mark(topology, link.source, link.target)
        for node in topology.nodes:
            if node.region != link.target:
                continue
            for port in node.wan_ports:
                found.append(
                    Listener(
                        name=f"{link.source}.{link.target}.{node.name}.{port}",
                        source=link.source,
                        target=link.target,
                        mark=number,
                        port=FIRST_LISTENER_PORT + len(found),
                        gateway=topology.region(link.source).gateway,
                        alias=f"10.78.{number}.{node.address.rpartition('.')[2]}",
                        node_address=node.address,
                        node_port=port,
                    )
                )
    return tuple(found)
