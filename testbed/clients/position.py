"""Positions in the logs of a deployment: what a session has seen, and what a node holds.

A deployment has one log of writes (a primary and its standbys) or one for each region (a mesh). A
position is a place in each of them. Places of one log are compared by timeline first: after a
promotion the new primary's log goes on where the old one's was cut off, and bytes that only the
old timeline has count for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

CLUSTER = "the cluster"
"""The name of the only log of a deployment with one primary."""


class Place(NamedTuple):
    """A place in one log.

    Args:
        timeline: Grows with every promotion; 0 where it is not told.
        lsn: Bytes written to the log so far.
    """

    timeline: int
    lsn: int


FAR = 2**63
"""After everything in its timeline: where a write is whose place is not known."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a node is.

    Args:
        held: Everything up to here can be read at the node, by log.
        shown: Nothing from after here was read at the node, by log.
        primary: Whether the node takes writes: then no place in its own log is ahead of it.
        finished: Transactions with lower numbers have all ended here, or cannot have been seen
            anywhere; None where what is held says so. A primary that waits for a standby has
            transactions in its log that it does not show yet, while the standby does.
        begun: No transaction with this number or a higher one was read at the node; 0 where the
            places say it all.
    """

    held: Mapping[str, Place]
    shown: Mapping[str, Place]
    primary: bool
    finished: int | None = None
    begun: int = 0


@dataclass(frozen=True, slots=True)
class Token:
    """What a session carries: up to where it has written or seen.

    Args:
        places: By log.
        begun: It has seen no transaction with this number or a higher one.
    """

    places: Mapping[str, Place] = field(default_factory=dict)
    begun: int = 0

    def after(self, places: Mapping[str, Place], begun: int = 0) -> Token:
        """The token of a session that has come to these places as well."""
        merged = dict(self.places)
        for log, place in places.items():
            merged[log] = max(merged.get(log, place), place)
        return Token(merged, max(self.begun, begun))

    def settled(self, log: str, place: Place) -> Token:
        """The token with the place of a write that was not known before."""
        return Token({**self.places, log: place}, self.begun)

    def behind(self, standing: Standing) -> tuple[str, ...]:
        """What a node lacks of all that the session has written or seen, in words.

        A node on a later timeline with as many bytes has it: a place that was acknowledged is
        before the point where the timelines part, unless the promotion lost it.
        """
        found = []
        for log, place in self.places.items():
            held = standing.held.get(log, Place(-1, -1))
            if held.timeline < place.timeline or held.lsn < place.lsn:
                found.append(f"the log of {log}")
        if standing.finished is not None and standing.finished < self.begun:
            found.append("transactions that wait for a standby")
        return tuple(found)
