"""The form of ``hosts.yml``: regions with their hosts, and the groups of programs."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from testbed.topology.draft import GroupDraft, HostDraft, PortDraft, RegionDraft
from testbed.topology.problem import Place, Problem, nearest
from testbed.topology.source import Item, Listing, Scalar, Table

_NAME = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")
_HOST_FIELDS = ("address", "wan_ports")
_REGION_FIELDS = ("region", "jurisdiction")
# Ansible's own variables say how a real host is reached; they are Ansible's to check.
_ANSIBLE = "ansible_"


@dataclass(frozen=True, slots=True)
class Layout:
    """What ``hosts.yml`` says."""

    place: Place
    regions: tuple[RegionDraft, ...]
    groups: tuple[GroupDraft, ...]


class LayoutReader:
    """Reads ``hosts.yml`` and reports what does not have its form.

    Args:
        regional: Names of the variables that a region may state.
        problems: Gets every problem.
    """

    def __init__(self, regional: Collection[str], problems: list[Problem]) -> None:
        self._regional = tuple(regional)
        self._problems = problems

    def read(self, root: Item) -> Layout:
        """The regions and groups of a whole file."""
        every = self._fields(root, ("all",), "the inventory").get("all")
        place = root.place if every is None else every.place
        parts = self._fields(every, ("children",), "the group all") if every is not None else {}
        children = self._table(parts["children"], "children") if "children" in parts else None
        if children is None or "regions" not in children.entries:
            self._add(place, "no group regions", "add `regions:` below `all: children:`")
        regions: tuple[RegionDraft, ...] = ()
        groups: list[GroupDraft] = []
        entries = children.entries if children is not None else {}
        for name, item in entries.items():
            assert children is not None
            if name == "regions":
                place = children.keys[name]
                regions = self._regions(item)
            else:
                groups.append(self._group(name, children.keys[name], item))
        return Layout(place, regions, tuple(groups))

    def _regions(self, item: Item) -> tuple[RegionDraft, ...]:
        parts = self._fields(item, ("children",), "the group regions")
        if "children" not in parts:
            return ()
        table = self._table(parts["children"], "the regions")
        if table is None:
            return ()
        return tuple(
            self._region(group, table.keys[group], each) for group, each in table.entries.items()
        )

    def _region(self, group: str, place: Place, item: Item) -> RegionDraft:
        parts = self._fields(item, ("vars", "hosts"), f"the region's group {group}")
        known = (*_REGION_FIELDS, *self._regional)
        stated = self._variables(parts["vars"], known, group) if "vars" in parts else {}
        name = self._text(stated.get("region"))
        expected = group.replace("_", "-")
        if name is None:
            self._add(place, f"{group} has no region", f"add `region: {expected}` to its vars")
            name = expected
        at = stated["region"].place if "region" in stated else place
        self._check_name(name, at, "region")
        wanted = name.replace("-", "_")
        if group != wanted:
            message = f"the group {group} is called otherwise than its region {name}"
            self._add(at, message, f"call the group {wanted}, or the region {expected}")
        jurisdiction = stated.get("jurisdiction")
        if jurisdiction is None:
            self._add(
                place, f"{name} has no jurisdiction", "add one, for example `jurisdiction: EU`"
            )
        hosts = self._table(parts["hosts"], "the hosts") if "hosts" in parts else None
        return RegionDraft(
            name=name,
            group=group,
            place=place,
            jurisdiction=self._word(jurisdiction, "jurisdiction") if jurisdiction else "",
            hosts=self._hosts(name, hosts),
            variables={key: stated[key] for key in self._regional if key in stated},
        )

    def _hosts(self, region: str, table: Table | None) -> tuple[HostDraft, ...]:
        if table is None:
            return ()
        return tuple(
            self._host(name, region, table.keys[name], item) for name, item in table.entries.items()
        )

    def _host(self, name: str, region: str, place: Place, item: Item) -> HostDraft:
        self._check_name(name, place, "host")
        empty = isinstance(item, Scalar) and item.value is None
        stated = {} if empty else self._variables(item, _HOST_FIELDS, f"the host {name}")
        address = stated.get("address")
        if address is not None and not isinstance(address, Scalar):
            self._add(address.place, f"{name}'s address is no single value", "write one address")
            address = None
        ports = self._ports(name, stated["wan_ports"]) if "wan_ports" in stated else ()
        return HostDraft(name, region, place, address, ports)

    def _ports(self, host: str, item: Item) -> tuple[PortDraft, ...]:
        if not isinstance(item, Listing):
            self._add(item.place, f"{host}'s wan_ports are no list", "write [PORT, PORT]")
            return ()
        ports: list[PortDraft] = []
        for each in item.items:
            value = each.value if isinstance(each, Scalar) else None
            if isinstance(value, int) and not isinstance(value, bool):
                ports.append(PortDraft(value, each.place))
            else:
                shown = each.text if isinstance(each, Scalar) else "no single value"
                self._add(each.place, f"{shown} is no port", "write a number from 1 to 65535")
        return tuple(ports)

    def _group(self, name: str, place: Place, item: Item) -> GroupDraft:
        parts = self._fields(item, ("hosts",), f"the group {name}")
        table = self._table(parts["hosts"], f"{name}'s hosts") if "hosts" in parts else None
        members = table.keys if table is not None else {}
        for host, stated in (table.entries if table is not None else {}).items():
            nothing = isinstance(stated, Scalar) and stated.value is None
            if not nothing and not (isinstance(stated, Table) and not stated.entries):
                remedy = f"move it to {host} below its region"
                self._add(stated.place, f"{name} says something about {host}", remedy)
        return GroupDraft(name, place, members)

    def _variables(self, item: Item, known: Iterable[str], what: str) -> dict[str, Item]:
        """The known variables of a region or host; Ansible's own are let through."""
        if isinstance(item, Table):
            item = Table(
                item.place,
                {key: each for key, each in item.entries.items() if not key.startswith(_ANSIBLE)},
                {key: at for key, at in item.keys.items() if not key.startswith(_ANSIBLE)},
            )
        return self._fields(item, known, what)

    def _fields(self, item: Item, known: Iterable[str], what: str) -> dict[str, Item]:
        """The known fields of a mapping; the others are problems."""
        table = self._table(item, what)
        if table is None:
            return {}
        names = tuple(known)
        for key, place in table.keys.items():
            if key not in names:
                self._add(place, f"unknown field {key} in {what}", _advice(key, names))
        return {key: each for key, each in table.entries.items() if key in names}

    def _table(self, item: Item, what: str) -> Table | None:
        if isinstance(item, Table):
            return item
        empty = isinstance(item, Scalar) and item.value is None
        message = f"{what}: empty" if empty else f"{what}: no mapping"
        self._add(item.place, message, "write one NAME: a line below it, indented")
        return None

    def _text(self, item: Item | None) -> str | None:
        return None if item is None else self._word(item, "region")

    def _word(self, item: Item, what: str) -> str:
        """A text; YAML's own reading of an unquoted word is a problem (``NO`` is a boolean)."""
        if isinstance(item, Scalar) and isinstance(item.value, str) and item.value.strip():
            return item.value
        if isinstance(item, Scalar) and item.value is not None and item.text.strip():
            kind = type(item.value).__name__
            message = f"YAML reads the {what} {item.text} as {kind}, not as text"
            self._add(item.place, message, f'write "{item.text}" in quotes')
            return item.text
        self._add(item.place, f"the {what} is no text", "write a name")
        return ""

    def _check_name(self, name: str, place: Place, what: str) -> None:
        if name and (not _NAME.fullmatch(name) or len(name) > 63):
            remedy = "use up to 63 lower-case letters, digits and dashes, a letter first"
            self._add(place, f"{name} is no name for a {what}", remedy)

    def _add(self, place: Place, message: str, remedy: str) -> None:
        self._problems.append(Problem(place, message, remedy))


def _advice(key: str, known: tuple[str, ...]) -> str:
    """Where a misplaced but well-meant field belongs."""
    if key == "vars":
        return "variables of the deployment belong in group_vars/all.yml"
    if key == "hosts":
        return "hosts stand below their region's group"
    if key == "children":
        return "list the hosts themselves"
    return nearest(key, known)
