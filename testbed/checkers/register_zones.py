"""Linearizability of one register whose written values are unique, in O(n log n).

Each value has a cluster: the write that leaves it and the reads that find it. A compare-and-set
leaves one value and finds another, so it ties the two clusters together, the found one right
before the left one: clusters become chains, and in any linearization a chain stands in one
piece. The initial value heads the first chain.

For a set of operations let ``e`` be the earliest return and ``l`` the latest invocation. One
set surely begins before another where the ``e`` of the one is before the ``l`` of the other. A
register is linearizable exactly when

- every value that is found was left by somebody, by one compare-and-set chain at most;
- no read returned before the write of its value was invoked;
- within a chain no cluster surely begins before one that stands before it;
- of no two chains each surely begins before the other.

The last is the test of P. Gibbons and E. Korach, Testing shared memories, SIAM J. Comput. 26(4),
1997, for chains instead of clusters: where ``e < l`` (a forward zone) the zones of two chains may
not overlap, and no other zone may lie inside one. An operation of unknown outcome returns never;
``register_steps`` has left out those that nobody saw.
"""

from __future__ import annotations

import bisect
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from testbed.checkers.register_step import NEVER_NS, RegisterStep


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Why no linearization exists.

    Args:
        reason: One sentence.
        steps: The operations that it speaks of.
    """

    reason: str
    steps: tuple[RegisterStep, ...]


@dataclass(slots=True)
class _Zone:
    """Earliest return and latest invocation of some steps; the initial value's write is at -1."""

    first: RegisterStep | None = None
    last: RegisterStep | None = None
    e_ns: int = NEVER_NS
    l_ns: int = -1

    def take(self, step: RegisterStep) -> None:
        if step.end_ns < self.e_ns:
            self.first, self.e_ns = step, step.end_ns
        if step.start_ns > self.l_ns:
            self.last, self.l_ns = step, step.start_ns

    def merge(self, other: _Zone) -> None:
        if other.e_ns < self.e_ns:
            self.first, self.e_ns = other.first, other.e_ns
        if other.l_ns > self.l_ns:
            self.last, self.l_ns = other.last, other.l_ns


def has_unique_values(steps: Iterable[RegisterStep], initial: Hashable = None) -> bool:
    """Whether no value is left twice, nor the initial one again."""
    seen = {initial}
    for step in steps:
        if step.kind != "read":
            if step.leaves in seen:
                return False
            seen.add(step.leaves)
    return True


def contradiction(steps: Sequence[RegisterStep], initial: Hashable = None) -> Contradiction | None:
    """Why the steps of one register cannot be linearized; None if they can.

    Args:
        steps: As ``register_steps`` gives them, with unique values.
        initial: The value before any write.
    """
    writer = {step.leaves: step for step in steps if step.kind != "read"}
    next_of: dict[Hashable, RegisterStep] = {}
    for step in steps:
        if step.kind == "write":
            continue
        if step.expects != initial and step.expects not in writer:
            return Contradiction(f"nobody wrote {step.expects!r}, which was found", (step,))
        source = writer.get(step.expects)
        if source is not None and step.end_ns < source.start_ns:
            text = f"{step.expects!r} was found before its write was invoked"
            return Contradiction(text, (step, source))
        if step.kind == "cas":
            if step.expects in next_of:
                text = f"{step.expects!r} was replaced twice by compare-and-set"
                return Contradiction(text, (next_of[step.expects], step))
            next_of[step.expects] = step
    return _ordered(_clusters(steps, initial), writer, next_of, initial)


def _clusters(steps: Sequence[RegisterStep], initial: Hashable) -> dict[Hashable, _Zone]:
    clusters = {initial: _Zone(e_ns=-1)}
    for step in steps:
        value = step.expects if step.kind == "read" else step.leaves
        clusters.setdefault(value, _Zone()).take(step)
    return clusters


def _ordered(
    clusters: dict[Hashable, _Zone],
    writer: dict[Hashable, RegisterStep],
    next_of: dict[Hashable, RegisterStep],
    initial: Hashable,
) -> Contradiction | None:
    heads = [initial, *(value for value, step in writer.items() if step.kind == "write")]
    chains: list[_Zone] = []
    placed: set[Hashable] = set()
    for head in heads:
        chain = _Zone()
        value = head
        while True:
            cluster = clusters[value]
            placed.add(value)
            if cluster.e_ns < chain.l_ns:
                return _early(cluster, chain)
            chain.merge(cluster)
            if value not in next_of:
                break
            value = next_of[value].leaves
        chains.append(chain)
    if len(placed) < len(clusters):
        circle = tuple(step for step in next_of.values() if step.leaves not in placed)
        text = "compare-and-sets expect each other's values in a circle"
        return Contradiction(text, circle)
    return _apart(chains)


def _early(cluster: _Zone, chain: _Zone) -> Contradiction:
    text = "a later value of a chain of compare-and-sets returned before an earlier one was found"
    return Contradiction(text, _witnesses(cluster.first, chain.last))


def _apart(chains: list[_Zone]) -> Contradiction | None:
    forward = sorted((zone for zone in chains if zone.e_ns < zone.l_ns), key=lambda zone: zone.e_ns)
    for before, after in pairwise(forward):
        if after.e_ns < before.l_ns:
            return _interleaved(before, after)
    starts = [zone.e_ns for zone in forward]
    for zone in chains:
        if zone.e_ns >= zone.l_ns:
            # Of the disjoint forward zones only the last that begins before it can hold it.
            place = bisect.bisect_left(starts, zone.l_ns) - 1
            if place >= 0 and zone.e_ns < forward[place].l_ns:
                return _interleaved(forward[place], zone)
    return None


def _interleaved(one: _Zone, other: _Zone) -> Contradiction:
    text = (
        "each of two values surely came before the other: an operation on the one returned before "
        "one on the other was invoked, and the other way round"
    )
    # One operation of a value may stand for both of its ends.
    other_last, one_last = other.last, one.last
    if other.first is not None and other.first.start_ns > one.e_ns:
        other_last = other.first
    elif one.first is not None and one.first.start_ns > other.e_ns:
        one_last = one.first
    return Contradiction(text, _witnesses(one.first, other_last, other.first, one_last))


def _witnesses(*steps: RegisterStep | None) -> tuple[RegisterStep, ...]:
    """The steps that there are, each once; the initial value has no write."""
    return tuple(dict.fromkeys(step for step in steps if step is not None))
