"""Dual-primary windows: when two primaries acknowledged writes, and how many each of them did."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from testbed.history.history import History, Pair
from testbed.measures.tenure import Overlap, Tenure, acknowledged_writes, overlaps, tenures, term_of


@dataclass(frozen=True, slots=True)
class DualPrimaryWindow:
    """Two primaries at the same time.

    Args:
        overlap: The two tenures, and from when to when both were primary at least.
        old_writes: What the old one acknowledged after the new one had surely begun: a return to
            one primary loses these, or the other's.
        new_writes: What the new one acknowledged until the old one's last such write.
    """

    overlap: Overlap
    old_writes: tuple[Pair, ...]
    new_writes: tuple[Pair, ...]


def dual_primary_windows(history: History, writes: Iterable[str]) -> tuple[DualPrimaryWindow, ...]:
    """Every dual-primary window of a history, in the order of time.

    Args:
        history: What clients saw; an acknowledgement says its node, and best its term. Those that
            say no term are left out where any says one.
        writes: The functions that only a primary acknowledges.

    Raises:
        HistoryError: The history cannot be paired.
    """
    acknowledged = acknowledged_writes(history, writes)
    if any(term_of(pair) is not None for pair in acknowledged):
        acknowledged = tuple(pair for pair in acknowledged if term_of(pair) is not None)
    found = sorted(overlaps(tenures(acknowledged)), key=lambda overlap: overlap.from_ns)
    return tuple(
        DualPrimaryWindow(
            overlap,
            old_writes=_within(acknowledged, overlap.old, overlap),
            new_writes=_within(acknowledged, overlap.new, overlap),
        )
        for overlap in found
    )


def _within(acknowledged: Iterable[Pair], tenure: Tenure, overlap: Overlap) -> tuple[Pair, ...]:
    """What a tenure acknowledged at a moment that may lie within the window."""
    return tuple(
        pair
        for pair in acknowledged
        if (pair.node, term_of(pair)) == (tenure.node, tenure.term)
        and (pair.end_ns or 0) >= overlap.from_ns
        and pair.start_ns <= overlap.to_ns
    )
