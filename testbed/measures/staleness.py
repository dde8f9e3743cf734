"""Staleness: how old what a read returned surely was, by the acknowledged writes that it lacks.

A read at time ``t`` that lacks a write acknowledged at ``a`` shows a state that is at least
``t - a`` old, counted to the read's invocation: what was acknowledged by then should have been
there. A read that lacks nothing is not stale. What a register lacks is told by time, see
``visibility``: what may have been written at the same time is not counted.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

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
class StaleRead:
    """A read, and the write that shows how old its answer surely was.

    Args:
        read: The read.
        missing: The write that was acknowledged first of those that it lacks and that were
            acknowledged before it was invoked; None if it lacks none.
    """

    read: Pair
    missing: Pair | None

    @property
    def staleness_ms(self) -> float:
        """How old its answer was, at least."""
        if self.missing is None:
            return 0.0
        return (self.read.start_ns - (self.missing.end_ns or 0)) / 1e6


def staleness(history: History, reads: Iterable[str] = READS) -> tuple[StaleRead, ...]:
    """How stale each read of each key was, in the order of the invocations.

    Args:
        history: What clients saw: of a set, of lists, or of registers of unique values.
        reads: The functions that read.

    Raises:
        HistoryError: The history cannot be paired, or values have another shape.
    """
    by_key: dict[bytes, tuple[list[Step], list[Step]]] = {}
    steps = steps_of(history, reads)
    for step in steps:
        those = by_key.setdefault(step.key, ([], []))
        if not step.writes:
            those[1].append(step)
        elif step.pair.outcome == "ok":
            those[0].append(step)
    bounds = intervals(steps)
    found: list[StaleRead] = []
    for writes, shown in by_key.values():
        if shown and shown[0].ordered:
            found += _of_collections(writes, shown)
        elif shown:
            found += _of_registers(writes, shown, bounds)
    return tuple(sorted(found, key=lambda one: one.read.start_ns))


def _of_collections(writes: Sequence[Step], reads: Sequence[Step]) -> Iterator[StaleRead]:
    """The first acknowledged element that is not there: at most one more than a read has."""
    acknowledged = sorted(writes, key=lambda step: step.pair.end_ns or 0)
    elements = [(canonical(step.value), step.pair) for step in acknowledged]
    for read in reads:
        held = {canonical(element) for element in read.value}
        pair = next((pair for element, pair in elements if element not in held), None)
        late = pair is None or (pair.end_ns or 0) >= read.pair.start_ns
        yield StaleRead(read.pair, None if late else pair)


def _of_registers(
    writes: Sequence[Step],
    reads: Sequence[Step],
    bounds: dict[tuple[bytes, bytes], tuple[int, int]],
) -> Iterator[StaleRead]:
    """Of the writes invoked after what a read shows was complete, the one acknowledged first."""
    ordered = sorted(writes, key=lambda step: step.pair.start_ns)
    starts = [step.pair.start_ns for step in ordered]
    earliest: list[Pair] = []
    for step in reversed(ordered):
        sooner = not earliest or (step.pair.end_ns or 0) < (earliest[-1].end_ns or 0)
        earliest.append(step.pair if sooner else earliest[-1])
    earliest.reverse()
    for read in reads:
        place = bisect.bisect_right(starts, register_bounds(read, bounds)[1])
        pair = earliest[place] if place < len(earliest) else None
        late = pair is None or (pair.end_ns or 0) >= read.pair.start_ns
        yield StaleRead(read.pair, None if late else pair)
