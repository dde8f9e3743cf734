"""Whether an inventory is consistent: one small function a question, each with its problems."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Callable, Iterator

from testbed.topology.draft import Draft, HostDraft, RegionDraft
from testbed.topology.problem import Place, Problem, nearest
from testbed.topology.variable import Value

REGIONS_MAX = 15
WAN = "wan"
_RESERVED = {"all", "localhost", "regions", "ungrouped"}
_FIRST_ADDRESS = 10
_LAST_ADDRESS = 254

Check = Callable[[Draft], Iterator[Problem]]


def network(number: int) -> ipaddress.IPv4Network:
    """The network of a region by its place in the inventory, 1 to 15."""
    return ipaddress.IPv4Network(f"10.77.{number}.0/24")


def count_of_regions(draft: Draft) -> Iterator[Problem]:
    """One to fifteen: a region's number is a nibble of its links' numbers."""
    if not draft.regions:
        yield Problem(draft.hosts_place, "no region", "add one below `regions: children:`")
    for region in draft.regions[REGIONS_MAX:]:
        message = f"{region.name} is region {draft.regions.index(region) + 1} of {REGIONS_MAX}"
        yield Problem(region.place, message, f"keep at most {REGIONS_MAX} regions")


def distinct_regions(draft: Draft) -> Iterator[Problem]:
    """A region's name stands once."""
    seen: dict[str, RegionDraft] = {}
    for region in draft.regions:
        if region.name in seen:
            at = seen[region.name].place.line
            message = f"the region {region.name} stands twice, first in line {at}"
            yield Problem(region.place, message, "rename or remove one")
        seen.setdefault(region.name, region)


def distinct_names(draft: Draft) -> Iterator[Problem]:
    """A name means one thing: a fault's target must not be both a region and a host."""
    taken = dict.fromkeys(_RESERVED, "a name of Ansible's")
    taken[WAN] = "the network between the regions"
    taken |= {group.name: "a group" for group in draft.groups if group.name != WAN}
    for region in draft.regions:
        for name in dict.fromkeys((region.name, region.group)):
            if name in taken:
                yield Problem(region.place, f"{name} is {taken[name]}", "rename the region")
    taken |= {region.name: "a region" for region in draft.regions}
    for host in draft.hosts:
        if host.name in taken:
            yield Problem(host.place, f"{host.name} is {taken[host.name]}", "rename the host")


def hosts_in_one_region(draft: Draft) -> Iterator[Problem]:
    """A host stands in one region, a region has a host."""
    seen: dict[str, HostDraft] = {}
    for host in draft.hosts:
        if host.name in seen:
            other = seen[host.name]
            message = f"{host.name} stands in {host.region} and, line {other.place.line}, in "
            yield Problem(host.place, message + other.region, "keep one of them, or rename one")
        seen.setdefault(host.name, host)
    for region in draft.regions:
        if not region.hosts:
            yield Problem(region.place, f"{region.name} has no host", "add one, or remove it")


def addresses(draft: Draft) -> Iterator[Problem]:
    """Every stated address is one of its region's network, and no other host's."""
    taken: dict[ipaddress.IPv4Address, str] = {}
    for number, region in enumerate(draft.regions[:REGIONS_MAX], start=1):
        inside = network(number)
        low, high = inside[_FIRST_ADDRESS], inside[_LAST_ADDRESS]
        for host in region.hosts:
            if host.address is None:
                continue
            place, text = host.address.place, host.address.text
            try:
                address = ipaddress.IPv4Address(text)
            except ValueError:
                message = f"{host.name}'s address {text or '(empty)'} is no IPv4 address"
                yield Problem(place, message, f"write one from {low} to {high}")
                continue
            if not low <= address <= high:
                message = f"{host.name}'s address {address} is not in {region.name}'s network"
                yield Problem(place, message, f"write one from {low} to {high}")
            if address in taken:
                message = f"{host.name} has the address {address} of {taken[address]}"
                yield Problem(place, message, "give each host its own")
            taken.setdefault(address, host.name)
        room = _LAST_ADDRESS - _FIRST_ADDRESS + 1
        if len(region.hosts) > room:
            message = f"{region.name} has {len(region.hosts)} hosts, more than {room}"
            yield Problem(region.place, message, "spread them over more regions")


def ports(draft: Draft) -> Iterator[Problem]:
    """Every port is one, and stands once."""
    for host in draft.hosts:
        seen: set[int] = set()
        for port in host.wan_ports:
            if not 1 <= port.number <= 65535:
                message = f"{host.name} opens {port.number}, which is no port"
                yield Problem(port.place, message, "write a number from 1 to 65535")
            elif port.number in seen:
                message = f"{host.name} opens port {port.number} twice"
                yield Problem(port.place, message, "keep one of them")
            seen.add(port.number)


def open_ports(draft: Draft) -> Iterator[Problem]:
    """A program that speaks to its like in other regions has its ports open between regions."""
    for group in draft.catalogue.groups.values():
        members = draft.members(group.name)
        for host in members:
            if not any(_together(draft, group.name, host, other) for other in members):
                continue
            opened = {port.number for port in host.wan_ports}
            missing = [str(port) for port in group.wan_ports if port not in opened]
            if missing:
                message = f"other regions cannot reach {group.name} on {host.name}"
                remedy = f"add to its wan_ports: {', '.join(missing)}"
                yield Problem(host.place, message, remedy)


def _together(draft: Draft, group: str, host: HostDraft, other: HostDraft) -> bool:
    """Whether two hosts of a group in different regions speak to each other."""
    if host.region == other.region:
        return False
    if group == "consul":
        return datacenter(draft, host) == datacenter(draft, other)
    if group == "postgres":
        # Patroni's nodes of one cluster do, and those of clusters of which one follows the other.
        mine, theirs = (draft.stated_by(one, "patroni_scope") for one in (host, other))
        followed = {draft.stated_by(one, "standby_cluster_of") for one in (host, other)}
        return mine == theirs or bool(followed & {host.region, other.region})
    return True


def datacenter(draft: Draft, host: HostDraft) -> Value:
    """The Consul datacenter of a host."""
    return draft.stated_by(host, "consul_datacenter")


def known_groups(draft: Draft) -> Iterator[Problem]:
    """Every group is one that the playbooks know."""
    for group in draft.groups:
        if group.name not in draft.catalogue.groups:
            message = f"the playbooks know no group {group.name}"
            yield Problem(group.place, message, nearest(group.name, draft.catalogue.groups))


def members(draft: Draft) -> Iterator[Problem]:
    """Groups name hosts that exist, and every host has something to run."""
    hosts = {host.name for host in draft.hosts}
    grouped: Counter[str] = Counter()
    for group in draft.groups:
        for name, place in group.members.items():
            grouped[name] += 1
            if group.name != WAN and name not in hosts:
                message = f"{group.name} names the host {name}, which stands in no region"
                yield Problem(place, message, nearest(name, hosts))
    for host in draft.hosts:
        if not grouped[host.name]:
            remedy = f"add it to one of: {', '.join(_program_groups(draft))}"
            yield Problem(host.place, f"{host.name} is in no group and runs nothing", remedy)


def _program_groups(draft: Draft) -> list[str]:
    return sorted(name for name in draft.catalogue.groups if name != WAN)


def wan(draft: Draft) -> Iterator[Problem]:
    """The group wan holds the one host wan."""
    groups = [group for group in draft.groups if group.name == WAN]
    if not groups:
        yield Problem(draft.hosts_place, "no group wan", "add `wan: {hosts: {wan: }}` to all")
    for group in groups:
        if WAN not in group.members:
            yield Problem(group.place, "the group wan has no host wan", "add it")
        for name, place in group.members.items():
            if name != WAN:
                message = f"the group wan holds {name}"
                yield Problem(place, message, "keep only the host wan in it")


def links(draft: Draft) -> Iterator[Problem]:
    """Every ordered pair of regions has its link, and no other pair has one."""
    names = list(dict.fromkeys(region.name for region in draft.regions))
    if len(names) > 1 and not draft.links:
        remedy = "state each direction: `links: {SOURCE: {TARGET: {delay_ms: NUMBER}}}`"
        place = draft.links_place or draft.hosts_place
        yield Problem(place, "no link between the regions", remedy)
        return
    stated = {(link.source, link.target): link.place for link in draft.links}
    for link in draft.links:
        for name in dict.fromkeys((link.source, link.target)):
            if name not in names:
                message = f"the link {link.source}->{link.target} names an unknown region, {name}"
                yield Problem(link.place, message, nearest(name, names))
        if link.source == link.target:
            message = f"{link.source} has a link to itself"
            yield Problem(link.place, message, "remove it: a region's own network is direct")
    for source in names:
        for target in names:
            if source != target and (source, target) not in stated:
                place = stated.get((target, source)) or draft.links_place or draft.hosts_place
                message = f"no link {source}->{target}"
                remedy = f"add `{target}: {{delay_ms: NUMBER}}` below `{source}:` in links"
                yield Problem(place, message, remedy)


CHECKS: tuple[Check, ...] = (
    count_of_regions,
    distinct_regions,
    distinct_names,
    hosts_in_one_region,
    addresses,
    ports,
    open_ports,
    known_groups,
    members,
    wan,
    links,
)


def first_place(draft: Draft, *names: str) -> Place:
    """Where some variables were stated: what the command line changed comes first."""
    stated = [draft.places[name] for name in names if name in draft.places]
    changed = [place for place in stated if place.line is None]
    return (*changed, *stated, draft.hosts_place)[0]
