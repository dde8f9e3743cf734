"""Targets of faults: how they are written, what is wrong with one, what they are at a moment."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from faults.parameter import nearest
from faults.program import PROGRAMS
from testbed.clients.system import data_nodes
from testbed.topology.model import Node, Topology

ROLES: Mapping[str, Callable[[Topology], tuple[Node, ...]]] = {
    "primary": data_nodes,
    "dcs-leader": lambda topology: topology.members("consul"),
}
"""Each role and the nodes that may hold it."""

Resolve = Callable[[str], Awaitable[str]]
"""Maps a name or a role to one name of the topology, as ``Context.resolve`` does."""


class TargetKind(enum.Enum):
    """What a kind of fault breaks; the value says how its target is written."""

    REGION = "region, or region-of:ROLE"
    LINK = "REGION->REGION; either may be region-of:ROLE"
    NODE = "node, or role:ROLE"
    PROGRAM = "NODE/PROGRAM; NODE may be role:ROLE"
    LEADER = "role:dcs-leader"


@dataclass(frozen=True, slots=True)
class LinkTarget:
    """A directed link at a moment: two different regions."""

    source: str
    target: str

    @property
    def name(self) -> str:
        """``source->target``."""
        return f"{self.source}->{self.target}"


@dataclass(frozen=True, slots=True)
class ProgramTarget:
    """A program of a node at a moment."""

    node: str
    program: str

    @property
    def name(self) -> str:
        """``node/program``."""
        return f"{self.node}/{self.program}"


def target_problems(kind: TargetKind, target: str, topology: Topology) -> list[str]:
    """What is wrong with a target before anything runs, a sentence each.

    Args:
        kind: What the fault needs.
        target: As the plan has it.
        topology: Names and groups.
    """
    if not isinstance(target, str) or not target:
        return [f"target must be a text ({kind.value}), not {target!r}"]
    if kind is TargetKind.LINK:
        return _link_problems(target, topology)
    if kind is TargetKind.PROGRAM:
        return _program_problems(target, topology)
    if kind is TargetKind.LEADER:
        wrong = [] if target == kind.value else [f"target must be '{kind.value}', not '{target}'"]
        return wrong + _role_problems("dcs-leader", topology)
    return _place_problems(kind, target, topology)


async def resolve_link(target: str, resolve: Resolve) -> LinkTarget | None:
    """The link that a target means now; None when both its ends are one region now."""
    source, _, destination = target.partition("->")
    ends = LinkTarget(await resolve(source), await resolve(destination))
    return None if ends.source == ends.target else ends


async def resolve_program(target: str, resolve: Resolve) -> ProgramTarget:
    """The program that a target means now."""
    node, _, program = target.rpartition("/")
    return ProgramTarget(await resolve(node), program)


def _link_problems(target: str, topology: Topology) -> list[str]:
    ends = target.split("->")
    if len(ends) != 2:
        return [f"'{target}' is no link: write {TargetKind.LINK.value}"]
    found = [p for end in ends for p in _place_problems(TargetKind.REGION, end, topology)]
    if not found and ends[0] == ends[1]:
        return [f"link '{target}' leads from a region to itself"]
    regions = {region.name for region in topology.regions}
    if not found and set(ends) <= regions:
        links = [link.name for link in topology.links]
        if target not in links:
            return [f"the topology has no link '{target}'; it has: {', '.join(links)}"]
    return found


def _program_problems(target: str, topology: Topology) -> list[str]:
    node, slash, program = target.rpartition("/")
    if not slash:
        return [f"'{target}' names no program: write {TargetKind.PROGRAM.value}"]
    found = _place_problems(TargetKind.NODE, node, topology)
    if program not in PROGRAMS:
        known = ", ".join(PROGRAMS)
        return [*found, f"unknown program '{program}'{nearest(program, PROGRAMS)}; known: {known}"]
    if found:
        return found
    groups = PROGRAMS[program].groups
    named = "' or '".join(groups)
    _, _, role = node.rpartition("role:")
    candidates = ROLES[role](topology) if node.startswith("role:") else (topology.node(node),)
    return [
        f"node '{one.name}' does not run {program} (it is not in group '{named}')"
        + (f", and it may hold the role '{role}'" if node.startswith("role:") else "")
        for one in candidates
        if one.groups.isdisjoint(groups)
    ]


def _place_problems(kind: TargetKind, name: str, topology: Topology) -> list[str]:
    """A region or a node, by name or by role."""
    nodes = [node.name for node in topology.nodes]
    regions = [region.name for region in topology.regions]
    prefix, other = ("region-of", "role") if kind is TargetKind.REGION else ("role", "region-of")
    known, others = (regions, nodes) if kind is TargetKind.REGION else (nodes, regions)
    word = "region" if kind is TargetKind.REGION else "node"
    before, colon, role = name.partition(":")
    if colon and before == prefix:
        return _role_problems(role, topology)
    if colon and before == other:
        return [f"'{name}' is no {word}: write {prefix}:{role}"]
    if name in known:
        return []
    if name in others:
        return [f"'{name}' is no {word}; {word}s: {', '.join(known)}"]
    return [f"unknown {word} '{name}'{nearest(name, known)}; {word}s: {', '.join(known)}"]


def _role_problems(role: str, topology: Topology) -> list[str]:
    if role not in ROLES:
        return [f"unknown role '{role}'{nearest(role, ROLES)}; roles: {', '.join(ROLES)}"]
    if not ROLES[role](topology):
        return [f"nobody can hold the role '{role}': no node of this deployment may"]
    return []
