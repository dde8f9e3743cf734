"""What was recorded of replication beside a run: each node's places in the logs, and heartbeats."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any


@dataclass(frozen=True, slots=True)
class Look:
    """What one node said of itself once.

    Args:
        before_ns: It was asked then.
        after_ns: It had answered then.
        primary: Whether it takes writes.
        timeline: Of its log; 0 where it is not told.
        lsn: What a primary has written, what a standby has replayed.
        streams: What it has applied of each other log of a mesh, by the stream's name.
        settled: Whether what it has applied is visible as well.
        beats: The newest heartbeat that it shows, by the node of its origin.
    """

    before_ns: int
    after_ns: int
    primary: bool
    timeline: int
    lsn: int
    streams: Mapping[str, int]
    settled: bool
    beats: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Beat:
    """A heartbeat row: made between two times; its number is the first."""

    start_ns: int
    end_ns: int


@dataclass(frozen=True)
class Recording:
    """All that was recorded, by node, in order.

    Args:
        looks: What each node said of itself.
        beats: The heartbeats that each node acknowledged.
        reported_ms: The server's own lag of each receiver, by sender and receiver's name.
    """

    looks: Mapping[str, tuple[Look, ...]]
    beats: Mapping[str, tuple[Beat, ...]]
    reported_ms: Mapping[tuple[str, str], tuple[float, ...]] = field(default_factory=dict)

    @property
    def nodes(self) -> tuple[str, ...]:
        """Every node that answered."""
        return tuple(self.looks)

    def track(self, origin: str, node: str, stream: str | None, timeline: int) -> Track:
        """How a node came along in an origin's log.

        Args:
            origin: Whose log.
            node: The node that follows it.
            stream: The name of the stream that it applies in a mesh; None for a standby, which
                counts only while it is on the origin's timeline.
            timeline: The origin's.
        """
        looks = self.looks.get(node, ())
        if stream is None:
            of_log = tuple((look, look.lsn) for look in looks if look.timeline == timeline)
        else:
            of_log = tuple((look, look.streams[stream]) for look in looks if stream in look.streams)
        return Track(of_log)


@dataclass(frozen=True)
class Track:
    """A node's places in one log, which only grow; each with the look that showed it."""

    places: tuple[tuple[Look, int], ...]

    @cached_property
    def _lsns(self) -> list[int]:
        highest, found = 0, []
        for _, lsn in self.places:
            highest = max(highest, lsn)
            found.append(highest)
        return found

    def without(self, lsn: int) -> int | None:
        """The last time at which the node had less than this; None if it was never seen so."""
        place = bisect_left(self._lsns, lsn)
        return self.places[place - 1][0].before_ns if place else None

    def having(self, lsn: int) -> int | None:
        """The first time at which the node surely showed all up to this; None if it never did."""
        for place in range(bisect_left(self._lsns, lsn), len(self.places)):
            if self.places[place][0].settled:
                return self.places[place][0].after_ns
        return None


def recording(rows: Iterable[Mapping[str, Any]]) -> Recording:
    """What was recorded, from the lines of its file.

    Raises:
        KeyError: A line lacks what its kind has.
    """
    looks: dict[str, list[Look]] = {}
    beats: dict[str, list[Beat]] = {}
    reported: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        if "beat" in row:
            beats.setdefault(row["node"], []).append(Beat(row["beat"], row["end"]))
        elif "reported" in row:
            for name, lag_ms in row["reported"].items():
                reported.setdefault((row["node"], name), []).append(lag_ms)
        else:
            looks.setdefault(row["node"], []).append(_look(row))
    return Recording(
        {node: tuple(those) for node, those in sorted(looks.items())},
        {node: tuple(those) for node, those in sorted(beats.items())},
        {link: tuple(those) for link, those in sorted(reported.items())},
    )


def _look(row: Mapping[str, Any]) -> Look:
    return Look(
        before_ns=row["before"],
        after_ns=row["after"],
        primary=row["primary"],
        timeline=row.get("timeline") or 0,
        lsn=row["held"] or 0,
        streams={name: lsn for name, lsn in row.get("streams", {}).items() if lsn is not None},
        settled=row.get("settled", True),
        beats=row["beats"],
    )
