"""An inventory as it was written: every name and value with its place, nothing judged yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from testbed.topology.catalogue import Catalogue
from testbed.topology.problem import Place
from testbed.topology.source import Item, Scalar
from testbed.topology.variable import Value


@dataclass(frozen=True, slots=True)
class PortDraft:
    """A port that other regions may reach."""

    number: int
    place: Place


@dataclass(frozen=True, slots=True)
class HostDraft:
    """A host below a region's group."""

    name: str
    region: str
    place: Place
    address: Scalar | None
    wan_ports: tuple[PortDraft, ...]


@dataclass(frozen=True, slots=True)
class RegionDraft:
    """A region's group; ``variables`` holds what the catalogue lets a region state."""

    name: str
    group: str
    place: Place
    jurisdiction: str
    hosts: tuple[HostDraft, ...]
    variables: Mapping[str, Item]


@dataclass(frozen=True, slots=True)
class GroupDraft:
    """A group of hosts that run the same program, with the place of each member."""

    name: str
    place: Place
    members: Mapping[str, Place]


@dataclass(frozen=True, slots=True)
class LinkDraft:
    """A directed link; its numbers are already read."""

    source: str
    target: str
    place: Place
    delay_ms: float
    jitter_ms: float
    bandwidth_kbytes_s: int | None


@dataclass(frozen=True, slots=True)
class Draft:
    """All of an inventory.

    Args:
        hosts_place: Where the regions begin, for problems of the whole.
        links_place: Where the links begin; None when there are none at all.
        regions: In the order of the file.
        groups: In the order of the file.
        links: In the order of the file.
        catalogue: What the playbooks know.
        values: The deployment's variables, read.
        places: Where each variable of the deployment was stated.
        regional: The variables of each region, read, by region and name.
    """

    hosts_place: Place
    links_place: Place | None
    regions: tuple[RegionDraft, ...]
    groups: tuple[GroupDraft, ...]
    links: tuple[LinkDraft, ...]
    catalogue: Catalogue
    values: Mapping[str, Value] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)
    regional: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)

    @property
    def hosts(self) -> tuple[HostDraft, ...]:
        """The hosts of all regions."""
        return tuple(host for region in self.regions for host in region.hosts)

    def stated_by(self, host: HostDraft, variable: str) -> Value:
        """What a host's region states for a variable, by itself or for all."""
        return self.regional.get(host.region, {}).get(variable)

    def members(self, group: str) -> tuple[HostDraft, ...]:
        """The hosts of a group that stand in a region."""
        names = {name for each in self.groups if each.name == group for name in each.members}
        return tuple(host for host in self.hosts if host.name in names)
