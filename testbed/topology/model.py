"""Regions, links, nodes and deployments: frozen data with no behaviour of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from testbed.topology.placement import Policy


@dataclass(frozen=True, slots=True)
class Region:
    """A place with nodes.

    Args:
        name: As in the inventory, for example ``eu-west``.
        jurisdiction: The legal area that the region belongs to, for example ``EU``.
        number: 1 to 15, the region's place in the inventory; its network is ``10.77.NUMBER.0/24``.
    """

    name: str
    jurisdiction: str
    number: int

    @property
    def network(self) -> str:
        """The region's network in CIDR form."""
        return f"10.77.{self.number}.0/24"

    @property
    def gateway(self) -> str:
        """The wan's own address inside the region; clients of the region speak from it."""
        return f"10.77.{self.number}.1"


@dataclass(frozen=True, slots=True)
class Link:
    """A directed pair of regions and what a byte meets on the way.

    Args:
        source: Name of the region that sends.
        target: Name of the region that receives.
        delay_ms: One-way delay in milliseconds.
        jitter_ms: Uniform jitter around the delay, in milliseconds.
        bandwidth_kbytes_s: Limit in kilobytes a second, or None for none.
    """

    source: str
    target: str
    delay_ms: float
    jitter_ms: float = 0.0
    bandwidth_kbytes_s: int | None = None

    @property
    def name(self) -> str:
        """``source->target``, how reports and plans spell a link."""
        return f"{self.source}->{self.target}"


@dataclass(frozen=True, slots=True)
class Node:
    """One emulated host.

    Args:
        name: Unique in the deployment, for example ``eu-west-db1``.
        region: Name of the region that it stands in.
        address: IPv4 address inside the region's network.
        groups: The inventory groups that it belongs to (``consul``, ``postgres``, ``haproxy``).
        wan_ports: TCP ports that other regions may reach; every one gets its listeners in the wan.
    """

    name: str
    region: str
    address: str
    groups: frozenset[str]
    wan_ports: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Topology:
    """Regions, links and nodes of one deployment, in the inventory's order."""

    regions: tuple[Region, ...]
    links: tuple[Link, ...]
    nodes: tuple[Node, ...]

    def region(self, name: str) -> Region:
        """The region of that name.

        Raises:
            KeyError: No region has that name.
        """
        for region in self.regions:
            if region.name == name:
                return region
        raise KeyError(name)

    def node(self, name: str) -> Node:
        """The node of that name.

        Raises:
            KeyError: No node has that name.
        """
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    def link(self, source: str, target: str) -> Link:
        """The directed link between two regions.

        Raises:
            KeyError: The topology has no such link.
        """
        for link in self.links:
            if (link.source, link.target) == (source, target):
                return link
        raise KeyError(f"{source}->{target}")

    def members(self, group: str, region: str | None = None) -> tuple[Node, ...]:
        """The nodes of an inventory group, in one region or in all."""
        return tuple(
            node for node in self.nodes if group in node.groups and region in (None, node.region)
        )


@dataclass(frozen=True, slots=True, repr=False)
class Deployment:
    """A topology with the variables and the playbook that provision it.

    Args:
        name: Folder name below ``inventory/``, for example ``active-passive``.
        folder: The inventory folder itself.
        topology: What to build.
        variables: Every variable of the whole deployment with its value after ``--set``; lists are
            tuples.
        region_variables: By region: the variables that each region states for itself
            (``consul_datacenter``, ``standby_cluster_of``).
        policy: Which data may be where; None where the deployment does not say.
    """

    name: str
    folder: Path
    topology: Topology
    variables: Mapping[str, Any]
    region_variables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    policy: Policy | None = None

    def __repr__(self) -> str:
        # pytest prints what a failing test was given: all of it would hide the rest.
        return f"Deployment({self.name!r}, {len(self.topology.nodes)} nodes)"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        """Hypothesis prints a falsifying example by this, as IPython does a value."""
        printer.text(repr(self))
