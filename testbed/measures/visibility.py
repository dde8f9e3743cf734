"""Visibility: how long after its acknowledgement a write was seen at each other node.

A read shows what its node held at some moment between invocation and completion. So a write became
visible at a node after the invocation of the last read that lacked it, and before the completion
of the first that showed it; and it was stable from the last read on that lacked it, as Jepsen's
``set-full`` counts the stable latency. What a register shows is compared by time: a value shows
every write that was complete before its own was invoked, and lacks every write that was invoked
after its own was complete; of others it says nothing.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Protocol

from testbed.history.history import History, Pair
from testbed.measures.session_steps import (
    READS,
    Step,
    canonical,
    intervals,
    register_bounds,
    steps_of,
)


@dataclass(frozen=True, slots=True)
class Visibility:
    """One acknowledged write as one other node showed it.

    Args:
        write: The write.
        value: What was written.
        node: The other node.
        first_seen: The read there that completed first of those that show it; None if none does.
        missing_before: The read there, invoked after the acknowledgement and before ``first_seen``
            completed, that was invoked last of those that lack it.
        last_missing: The read there that was invoked last of all that lack it and were invoked
            after the acknowledgement.
        stable: Whether a read there that was invoked after ``last_missing`` shows it.
    """

    write: Pair
    value: Any
    node: str
    first_seen: Pair | None
    missing_before: Pair | None
    last_missing: Pair | None
    stable: bool

    @property
    def origin(self) -> str:
        """The node that acknowledged it."""
        return str(self.write.node)

    @property
    def acknowledged_ns(self) -> int:
        """When it was acknowledged."""
        return self.write.end_ns or 0

    @property
    def first_ms_min(self) -> float:
        """At least so long after the acknowledgement it was first visible."""
        missing = self.last_missing if self.first_seen is None else self.missing_before
        return self._since_ms(None if missing is None else missing.start_ns)

    @property
    def first_ms_max(self) -> float | None:
        """At most so long after it; None if it was never seen there."""
        return None if self.first_seen is None else self._since_ms(self.first_seen.end_ns)

    @property
    def stable_ms(self) -> float | None:
        """How long after it a read still lacked it; 0 if none did; None if it is not stable."""
        if not self.stable:
            return None
        return self._since_ms(None if self.last_missing is None else self.last_missing.start_ns)

    def _since_ms(self, time_ns: int | None) -> float:
        return 0.0 if time_ns is None else max(0, time_ns - self.acknowledged_ns) / 1e6


def visibilities(history: History, reads: Iterable[str] = READS) -> tuple[Visibility, ...]:
    """Every acknowledged write at every node that was read, but for its own.

    Args:
        history: What clients saw: of a set, of lists, or of registers of unique values.
        reads: The functions that read; their completions name the node.

    Raises:
        HistoryError: The history cannot be paired, or values have another shape.
    """
    steps = steps_of(history, reads)
    writes = [step for step in steps if step.writes and step.pair.outcome == "ok"]
    at: dict[tuple[bytes, str], list[Step]] = {}
    for step in steps:
        if not step.writes and step.pair.node is not None:
            at.setdefault((step.key, step.pair.node), []).append(step)
    bounds = intervals(steps)
    of_key: dict[bytes, list[Step]] = {}
    for step in writes:
        of_key.setdefault(step.key, []).append(step)
    found: list[Visibility] = []
    for (key, node), those in at.items():
        there = sorted(those, key=lambda step: step.pair.start_ns)
        shown = _Collections(there) if there[0].ordered else _Registers(there, bounds)
        found += [
            _visibility(write, node, there, shown)
            for write in of_key.get(key, ())
            if write.pair.node != node
        ]
    return tuple(sorted(found, key=lambda one: (one.acknowledged_ns, one.node)))


class _Shown(Protocol):
    """What the reads of one key at one node show, in the order of their invocations."""

    def first(self, write: Step) -> int | None:
        """The read that completed first of those that show a write."""

    def last(self, write: Step) -> int | None:
        """The read that was invoked last of those that show it."""

    def last_without(self, write: Step, before: int) -> int | None:
        """The last of the first so many reads that lacks it."""


class _Collections:
    """Sets and lists: a read says of each write whether it is there."""

    def __init__(self, reads: Sequence[Step]) -> None:
        self._held = [frozenset(canonical(element) for element in step.value) for step in reads]
        self._first: dict[bytes, int] = {}
        self._last: dict[bytes, int] = {}
        for place in _by_end(reads):
            for element in self._held[place]:
                self._first.setdefault(element, place)
        for place, elements in enumerate(self._held):
            self._last.update(dict.fromkeys(elements, place))

    def first(self, write: Step) -> int | None:
        return self._first.get(canonical(write.value))

    def last(self, write: Step) -> int | None:
        return self._last.get(canonical(write.value))

    def last_without(self, write: Step, before: int) -> int | None:
        # What is passed on the way has the element: over all writes no more than there are items.
        element = canonical(write.value)
        return next(
            (place for place in range(before - 1, -1, -1) if element not in self._held[place]), None
        )


class _Registers:
    """Registers: what a read shows is compared by the times of the writes."""

    def __init__(
        self, reads: Sequence[Step], bounds: dict[tuple[bytes, bytes], tuple[int, int]]
    ) -> None:
        self._low, self._high = zip(*(register_bounds(step, bounds) for step in reads), strict=True)
        self._by_end = _by_end(reads)
        self._rank = {place: rank for rank, place in enumerate(self._by_end)}
        self._newest_by_end = list(accumulate((self._low[one] for one in self._by_end), max))
        self._newest_after = list(accumulate(reversed(self._low), max))[::-1]
        self._oldest_after = list(accumulate(reversed(self._high), min))[::-1]
        self._exact: dict[bytes, tuple[int, int]] = {}
        for place in self._by_end:
            value = canonical(reads[place].value)
            first, last = self._exact.get(value, (place, place))
            self._exact[value] = (first, max(last, place))

    def first(self, write: Step) -> int | None:
        same = self._exact.get(canonical(write.value))
        place = bisect.bisect_right(self._newest_by_end, write.pair.end_ns or 0)
        if place < len(self._by_end):
            newer = self._by_end[place]
            if same is None or self._rank[same[0]] > place:
                return newer
        return None if same is None else same[0]

    def last(self, write: Step) -> int | None:
        ends = write.pair.end_ns or 0
        newer = bisect.bisect_left(self._newest_after, -ends, key=lambda low: -low) - 1
        same = self._exact.get(canonical(write.value), (-1, -1))
        last = max(newer, same[1])
        return last if last >= 0 else None

    def last_without(self, write: Step, before: int) -> int | None:
        start = write.pair.start_ns
        place = bisect.bisect_left(self._oldest_after, start) - 1
        if place >= before:
            place = next((one for one in range(before - 1, -1, -1) if self._high[one] < start), -1)
        return place if place >= 0 else None


def _by_end(reads: Sequence[Step]) -> list[int]:
    return sorted(range(len(reads)), key=lambda place: reads[place].pair.end_ns or 0)


def _visibility(write: Step, node: str, reads: Sequence[Step], shown: _Shown) -> Visibility:
    """One write at one node; reads that began before its acknowledgement cannot miss it."""
    first, last = shown.first(write), shown.last(write)
    without = shown.last_without(write, len(reads))
    before = None
    if first is not None:
        ended = reads[first].pair.end_ns or 0
        count = bisect.bisect_left(reads, ended, key=lambda step: step.pair.start_ns)
        before = shown.last_without(write, count)
    acknowledged = write.pair.end_ns or 0
    missing, missing_before = (
        None if place is None or reads[place].pair.start_ns <= acknowledged else reads[place].pair
        for place in (without, before)
    )
    return Visibility(
        write=write.pair,
        value=write.value,
        node=node,
        first_seen=None if first is None else reads[first].pair,
        missing_before=missing_before,
        last_missing=missing,
        stable=last is not None
        and (missing is None or reads[last].pair.start_ns > missing.start_ns),
    )
