"""Lag by what clients saw: from a write to the first read elsewhere that shows it.

A write was made at its node after the client's request could reach it, and before its answer left;
a read shows what its node held at a moment between the same two. The least that the way takes is
known, which narrows both. A write shows by its own value, or by that of a later write of the same
node to the same row: a stream keeps the order of its origin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from testbed.history.history import History, Pair
from testbed.measures.lag_sample import LagSample
from testbed.measures.session_steps import canonical

Way = Callable[[str | None, str | None], int]
"""The least that a byte takes from a client's region to a node, or back: ns."""


Shown = tuple[bytes, Any, Pair]
"""A row, what a read showed of it, and the read."""


def shown_by(history: History, watches: Iterable[str]) -> list[Shown]:
    """What reads of several rows showed, row by row.

    Args:
        history: What clients saw.
        watches: The functions that read them: their value is an object, value by key.

    Raises:
        HistoryError: The history cannot be paired.
    """
    return [
        (key.encode(), value, pair)
        for pair in history.of(watches, "ok")
        for key, value in pair.value.items()
    ]


def history_lags(
    writes: Sequence[Pair], shown: Iterable[Shown], there: Way, back: Way, *, stable: bool = False
) -> tuple[LagSample, ...]:
    """Every acknowledged write of a row, at every other node that was read.

    Args:
        writes: What was acknowledged, each of one row; no value is written twice.
        shown: What reads showed.
        there: From a client's region to a node.
        back: From a node to a client's region.
        stable: When no read lacks it any more, rather than when the first one shows it.
    """
    rows: dict[tuple[bytes, str], list[Pair]] = {}
    of_value: dict[tuple[bytes, bytes], Pair] = {}
    for pair in writes:
        if pair.node is not None:
            key = canonical(pair.invocation.key)
            rows.setdefault((key, pair.node), []).append(pair)
            of_value[key, canonical(pair.invocation.value)] = pair
    at: dict[tuple[bytes, str], list[tuple[Pair, Any]]] = {}
    for key, value, pair in shown:
        if pair.node is not None:
            at.setdefault((key, pair.node), []).append((pair, value))
    found: list[LagSample] = []
    for (key, origin), those in rows.items():
        for (read_key, node), pairs in at.items():
            if read_key == key and node != origin:
                seen = _Shown(key, origin, pairs, of_value)
                found += [_sample(write, node, seen, there, back, stable=stable) for write in those]
    return tuple(sorted(found, key=lambda one: one.made_from_ns))


class _Shown:
    """The reads of one row at one node that show a write of one origin, or nothing yet."""

    def __init__(
        self,
        key: bytes,
        origin: str,
        pairs: Sequence[tuple[Pair, Any]],
        of_value: dict[tuple[bytes, bytes], Pair],
    ) -> None:
        told: list[tuple[Pair, Pair | None]] = []
        for pair, value in pairs:
            write = of_value.get((key, canonical(value)))
            if value is None or (write is not None and write.node == origin):
                told.append((pair, write))
        self.by_end = sorted(told, key=lambda one: one[0].end_ns or 0)

    def first(self, write: Pair, after_ns: int) -> Pair | None:
        """The read that ended first, begun after a time, that shows a write or one after it."""
        for pair, shown in self.by_end:
            if pair.start_ns <= after_ns or shown is None:
                continue
            if shown is write or shown.start_ns > (write.end_ns or 0):
                return pair
        return None

    def lacking(self, write: Pair, before_ns: int) -> Pair | None:
        """The read begun last, before a time, of those that show something older."""
        older = (
            pair
            for pair, shown in self.by_end
            if pair.start_ns < before_ns and (shown is None or (shown.end_ns or 0) < write.start_ns)
        )
        return max(older, key=lambda pair: pair.start_ns, default=None)


def _sample(
    write: Pair, node: str, seen: _Shown, there: Way, back: Way, *, stable: bool
) -> LagSample:
    made_from = write.start_ns + there(write.region, write.node)
    made_to = max(made_from, (write.end_ns or 0) - back(write.node, write.region))
    if stable:
        lacking = seen.lacking(write, 2**63)
        first = seen.first(write, -1 if lacking is None else lacking.start_ns)
    else:
        first = seen.first(write, -1)
        lacking = seen.lacking(write, 2**63 if first is None else first.end_ns or 0)
    seen_from = made_from
    if lacking is not None:
        seen_from = max(seen_from, lacking.start_ns + there(lacking.region, node))
    return LagSample(
        str(write.node),
        node,
        made_from,
        made_to,
        seen_from,
        None if first is None else (first.end_ns or 0) - back(node, first.region),
    )
