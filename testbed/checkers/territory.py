"""The law and the map: where each class of data may be, and when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from testbed.history.policy_change import PolicyChange, Reach
from testbed.history.residency import AtRest, Canary, Finding

SETTLED_NS = 2_000_000_000
"""For how long after a change of the policy what was sent before may be on its way."""


@dataclass(frozen=True, slots=True)
class Territory:
    """The law and the map: what is judged against.

    Args:
        allowed: The jurisdictions of each data class; None for one that may be anywhere.
        nodes: The jurisdiction of every node.
        links: The jurisdictions of sender and receiver of every directed link between two
            regions, ``source->target``.
        changes: Versions of the policy that were in force for a while.
        written_ns: When each canary was sent, by token; one that is not there, before all of them.
    """

    allowed: Mapping[str, frozenset[str] | None]
    nodes: Mapping[str, str]
    links: Mapping[str, tuple[str, str]]
    changes: tuple[PolicyChange, ...] = ()
    written_ns: Mapping[str, int] = field(default_factory=dict)

    def forbids(self, data_class: str, place: str) -> bool:
        """Whether a node or a link lies, or ends, outside the jurisdictions of a class.

        Raises:
            KeyError: The class or the place is unknown.
        """
        return self._outside(self.allowed[data_class], place)

    def _outside(self, allowed: Iterable[str] | None, place: str) -> bool:
        ends = (self.nodes[place],) if place in self.nodes else self.links[place]
        return allowed is not None and not set(allowed).issuperset(ends)

    def forbade(self, canary: Canary, finding: Finding) -> bool:
        """Whether a finding was forbidden by every version of the policy that counts for it.

        What crosses a border is judged by the version of that moment. What lies somewhere, or goes
        from one region of a jurisdiction to another one, may have come there before: by all
        versions since it was written.

        Raises:
            KeyError: The class or the place is unknown.
        """
        place, time_ns = place_of(finding), finding.time_ns
        crosses = crosses_border(self, place)
        since_ns = time_ns if crosses else self.written_ns.get(canary.token, 0)
        counting = [
            change
            for change in self.changes
            if canary.data_class in change.reach
            and change.begun_ns <= time_ns
            and change.may_hold(max(since_ns, change.begun_ns), SETTLED_NS)
        ]
        allowed: list[Iterable[str] | None] = [_reach(change, canary) for change in counting]
        if not (crosses and any(change.holds(time_ns, SETTLED_NS) for change in counting)):
            allowed.append(self.allowed[canary.data_class])
        return all(self._outside(one, place) for one in allowed)

    def once_allowed(self, canary: Canary, finding: Finding) -> bool:
        """Whether a finding was allowed by some version that had been in force by then."""
        place, time_ns = place_of(finding), finding.time_ns
        before = [
            _reach(change, canary)
            for change in self.changes
            if change.begun_ns <= time_ns and canary.data_class in change.reach
        ]
        every = [self.allowed[canary.data_class], *before]
        return any(not self._outside(one, place) for one in every)

    def forbidden(self, classes: Iterable[str]) -> tuple[str, ...]:
        """The places that are forbidden to one of some classes, in the map's order."""
        known = [name for name in dict.fromkeys(classes) if name in self.allowed]
        return tuple(
            place
            for place in (*self.nodes, *self.links)
            if any(self.forbids(name, place) for name in known)
        )


def _reach(change: PolicyChange, canary: Canary) -> Reach:
    """Where a canary may be by another version; nowhere, if it is at home in no jurisdiction."""
    return change.reach[canary.data_class].get(canary.jurisdiction, ())


def crosses_border(territory: Territory, place: str) -> bool:
    """Whether a place is a link from one jurisdiction to another."""
    return len(set(territory.links.get(place, ()))) > 1


def place_of(finding: Finding) -> str:
    """The node or the link of a finding."""
    where = finding.where
    return where.node if isinstance(where, AtRest) else where.link
