"""Tenures: who acknowledged writes as primary, from when to when, as clients saw it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

from testbed.history.history import History, Pair


@dataclass(frozen=True, slots=True)
class Tenure:
    """The writes that one node acknowledged under one term, and what times they prove.

    An acknowledged write proves that its node was primary at some moment between invocation and
    completion, no more. So a tenure surely had begun at the first completion (``begun``) and
    surely had not ended at the last invocation (``ongoing``).

    Args:
        node: Who acknowledged.
        term: Under which term; None where the history does not say.
        begun: The write that completed first.
        ongoing: The write that was invoked last.
        acknowledged: How many writes there are.
    """

    node: str
    term: int | None
    begun: Pair
    ongoing: Pair
    acknowledged: int

    @property
    def begun_ns(self) -> int:
        """When it surely had begun."""
        assert self.begun.end_ns is not None
        return self.begun.end_ns

    @property
    def ongoing_ns(self) -> int:
        """When it surely had not ended."""
        return self.ongoing.start_ns

    @property
    def name(self) -> str:
        """Node and term for people."""
        return self.node if self.term is None else f"{self.node} (term {self.term})"


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two tenures that cannot have been one after the other.

    Args:
        old: The tenure that should have ended.
        new: The tenure that began meanwhile.
        from_ns: When at the latest both were primary.
        to_ns: Until when they were at least; ``from_ns`` where it may have been for a moment.
    """

    old: Tenure
    new: Tenure
    from_ns: int
    to_ns: int

    @property
    def duration_ms(self) -> float:
        """How long both were primary, at least; 0 for what may have been a moment."""
        return (self.to_ns - self.from_ns) / 1e6


def acknowledged_writes(history: History, writes: Iterable[str]) -> tuple[Pair, ...]:
    """The acknowledged writes of which the node is known, in the order of their invocations."""
    return tuple(pair for pair in history.of(writes, "ok") if pair.node is not None)


def term_of(pair: Pair) -> int | None:
    """The term that an acknowledgement says."""
    return None if pair.completion is None else pair.completion.term


def tenures(acknowledged: Iterable[Pair]) -> tuple[Tenure, ...]:
    """The tenures that acknowledged writes show, by the time that each had begun."""
    found: dict[tuple[str, int | None], list[Pair]] = {}
    for pair in acknowledged:
        assert pair.node is not None
        found.setdefault((pair.node, term_of(pair)), []).append(pair)
    made = (
        Tenure(
            node,
            term,
            begun=min(pairs, key=lambda pair: pair.end_ns or 0),
            ongoing=max(pairs, key=lambda pair: pair.start_ns),
            acknowledged=len(pairs),
        )
        for (node, term), pairs in found.items()
    )
    return tuple(sorted(made, key=lambda tenure: tenure.begun_ns))


def overlaps(found: tuple[Tenure, ...]) -> tuple[Overlap, ...]:
    """Every pair of tenures that cannot have been one after the other.

    One of them had begun before the other ended, and the other before the first ended. Terms
    order tenures as well: a lower one had to end before a higher one began. Of more than two
    tenures no more needs to be looked at: were they in a circle, two of them would overlap (the
    argument of Gibbons and Korach for the clusters of a register's values).
    """
    return tuple(
        _overlap(*_ordered(one, other))
        for one, other in combinations(found, 2)
        if _meet(one, other)
    )


def _by_term(one: Tenure, other: Tenure) -> bool:
    """Whether terms say which of the two was first."""
    return one.term is not None and other.term is not None and one.term != other.term


def _ordered(one: Tenure, other: Tenure) -> tuple[Tenure, Tenure]:
    if _by_term(one, other) and (one.term or 0) > (other.term or 0):
        return other, one
    return one, other


def _meet(one: Tenure, other: Tenure) -> bool:
    old, new = _ordered(one, other)
    late = new.begun_ns < old.ongoing_ns
    return late and (_by_term(old, new) or old.begun_ns < new.ongoing_ns)


def _overlap(old: Tenure, new: Tenure) -> Overlap:
    # By terms the old one was primary before the new one began, whatever it acknowledged.
    from_ns = new.begun_ns if _by_term(old, new) else max(old.begun_ns, new.begun_ns)
    return Overlap(old, new, from_ns, max(from_ns, min(old.ongoing_ns, new.ongoing_ns)))
