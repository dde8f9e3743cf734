"""Which isolation levels a history of unique-value registers satisfies, weakest first.

The levels are those of Biswas and Enea (OOPSLA 2019), in which the order of sessions is part of
every level: so ``serializable`` is here what is elsewhere called strong session serializable, and a
history passes under ``read-committed`` only if sessions agree with what was read. Every level asks
whether some order of commits exists; none is assumed. On reads of single keys some levels coincide:
monotonic atomic view with read committed, repeatable read (PL-2.99) with serializable, consistent
view (PL-2+) with parallel snapshot isolation (Cerone and Gotsman, JACM 2018).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import numpy as np

from testbed.checkers.budget import Budget
from testbed.checkers.transactions import commit_witness, order_search
from testbed.checkers.transactions.causal import forced_by_past
from testbed.checkers.transactions.commit_graph import Forced
from testbed.checkers.transactions.contradictions import contradictions
from testbed.checkers.transactions.level import base_of, named
from testbed.checkers.transactions.narrator import Narrator
from testbed.checkers.transactions.order_problem import RULES
from testbed.checkers.transactions.order_search import Answer
from testbed.checkers.transactions.predecessors import Predecessors, predecessors_of
from testbed.checkers.transactions.read_atomic import (
    forced_by_sources,
    forced_by_time,
)
from testbed.checkers.transactions.read_committed import forced_by_reads
from testbed.checkers.transactions.resolved import BESIDES, MISREADS, THIN_AIR, WRITE, Resolved
from testbed.checkers.verdict import Levels

_WITHOUT_TIME: dict[str, tuple[str, ...]] = {
    "read-uncommitted": (),
    "item-cut-isolation": (),
    "read-committed": ("read-uncommitted",),
    "monotonic-atomic-view": ("read-committed",),
    "read-atomic": ("monotonic-atomic-view", "item-cut-isolation"),
    "causal": ("read-atomic",),
    "prefix": ("causal",),
    "parallel-snapshot-isolation": ("causal",),
    "snapshot-isolation": ("prefix", "parallel-snapshot-isolation"),
    "serializable": ("snapshot-isolation",),
}
_GARBAGE = {THIN_AIR, THIN_AIR + BESIDES}
_UNTIMED = {"strong-causal-cerone": "causal"}


def strong(level: str) -> str:
    """What a level is called that respects real time as well."""
    if level == "item-cut-isolation":
        return level
    return named("strong-" + {"causal": "causal-cerone"}.get(level, level))


BELOW: Mapping[str, tuple[str, ...]] = _WITHOUT_TIME | {
    strong(level): (*map(strong, lower), level)
    for level, lower in _WITHOUT_TIME.items()
    if strong(level) != level
}
"""Levels that are decided, each with those that it includes."""

SAME = {
    "causal-cerone": "causal",
    "consistent-view": "parallel-snapshot-isolation",
    "repeatable-read": "serializable",
    "strong-consistent-view": "strong-parallel-snapshot-isolation",
    "strong-repeatable-read": "strict-serializable",
}
"""Levels that coincide with another one on reads of single keys."""

_BETWEEN = {
    "monotonic-view": ("read-committed", "parallel-snapshot-isolation"),
    "cursor-stability": ("read-committed", "parallel-snapshot-isolation"),
    "update-atomic": ("read-atomic", "parallel-snapshot-isolation"),
    "forward-consistent-view": ("parallel-snapshot-isolation", "snapshot-isolation"),
    "monotonic-snapshot-read": ("read-committed", "snapshot-isolation"),
    "update-serializable": ("parallel-snapshot-isolation", "serializable"),
}
BETWEEN = _BETWEEN | {
    "strong-" + level: (strong(lower), strong(upper)) for level, (lower, upper) in _BETWEEN.items()
}
"""Levels that are not decided themselves: violated where the first is, valid where the second is
valid, else unknown."""

SEARCHED = frozenset(RULES)
"""Levels that may need a search."""

QUICK_CHAINS = 64
"""With so few chains causality costs hardly more than what it includes."""

TIMED = frozenset(strong(level) for level in _WITHOUT_TIME) - frozenset(_WITHOUT_TIME)


def decided_name(level: str) -> str:
    """How a level is called here: the order of sessions, which all have, is not named."""
    base, form = base_of(level)
    spelled = "strong-" + base if form == "strong-" else base
    return SAME.get(spelled, named(spelled))


@cache
def included_in(level: str) -> frozenset[str]:
    """A level of :data:`BELOW` and all that it includes."""
    return frozenset({level}).union(*(included_in(lower) for lower in BELOW[level]))


_OF_CAUSAL = included_in("causal")


def without_time(level: str) -> str:
    """A level of :data:`TIMED` without the order of real time."""
    return _UNTIMED.get(level, base_of(level)[0])


@dataclass
class LevelJudge:
    """Decides levels one by one, and remembers.

    Args:
        resolved: The history.
        budget: What it may cost.
        misreads: Whether single reads that no level allows count; else only what the order of
            versions and transactions shows.
    """

    resolved: Resolved
    budget: Budget
    misreads: bool = True
    decided: dict[str, Answer] = field(default_factory=dict)

    def decide(self, level: str, effort: int | None = None) -> Answer:
        """Whether a level holds, as it is called here; weaker levels are decided first.

        Args:
            level: See :func:`decided_name`.
            effort: How many conflicts a search may meet; None for as many as the budget allows.

        Raises:
            OutOfBudgetError: It took too long.
        """
        if level in BETWEEN:
            return self._between(level, effort)
        if level not in self.decided or self.decided[level].holds is None:
            self.decided[level] = self._decide(level, effort)
        return self.decided[level]

    def circle(self, *, realtime: bool) -> dict[str, Any] | None:
        """A circle of what was read from what, sessions, and real time if wanted."""
        before = self._realtime if realtime else self._before
        return commit_witness.explain_order(
            self.resolved, before, Forced.none(), "G1c", commit_witness.seen_directly
        )

    def levels(self) -> Levels:
        """The weakest levels found violated and the strongest found to hold."""
        violated = {level for level, found in self.decided.items() if found.holds is False}
        held = {level for level, found in self.decided.items() if found.holds}
        held = held.union(*(included_in(level) for level in held))
        return Levels(
            tuple(v for v in BELOW if v in violated and not (included_in(v) - {v}) & violated),
            tuple(
                a for a in BELOW if a in held and not any(a in included_in(b) - {b} for b in held)
            ),
        )

    @cached_property
    def _causal_at_once(self) -> bool:
        """Whether the history is surely causal, told without deciding what that includes first.

        What is forced on it includes what the weaker levels force: it sees what it read from.
        """
        if self.resolved.chains > QUICK_CHAINS or not self.misreads or self._misread(set(MISREADS)):
            return False
        return self._causal(self._before, timed=False) is None

    @cached_property
    def _before(self) -> Predecessors:
        return predecessors_of(self.resolved, realtime=False)

    @cached_property
    def _realtime(self) -> Predecessors:
        return predecessors_of(self.resolved, realtime=True)

    def _decide(self, level: str, effort: int | None) -> Answer:
        known = self._known(level)
        if known is not None:
            return known
        if level in _OF_CAUSAL and self._causal_at_once:
            self.decided["causal"] = Answer(holds=True)
            return self.decided["causal"]
        if level in TIMED and not self.resolved.table.timed:
            below = self.decide(without_time(level), effort)
            reason = "the history carries no times, so what really came first is not known"
            return below if below.holds is False else Answer(None, None, reason)
        for lower in ("causal",) if level in SEARCHED else BELOW[level]:
            below = self.decide(lower, effort)
            if below.holds is False:
                return below
        if level in SEARCHED:
            return order_search.search(self.resolved, level, self.budget, effort)
        counterexample = self._decide_simple(level)
        return Answer(counterexample is None, counterexample)

    def _known(self, level: str) -> Answer | None:
        """What follows from the levels that were decided before, the weakest violated one first."""
        if any(
            found.holds and level in included_in(higher) for higher, found in self.decided.items()
        ):
            return Answer(holds=True)
        lower = (each for each in BELOW if each in included_in(level) and each in self.decided)
        found = (self.decided[each] for each in lower)
        return next((each for each in found if each.holds is False), None)

    def _decide_simple(self, level: str) -> dict[str, Any] | None:
        timed = level in TIMED
        before = self._realtime if timed else self._before
        rules: dict[str, Callable[[Predecessors, bool], dict[str, Any] | None]] = {
            "read-uncommitted": lambda _before, _timed: self._misread(_GARBAGE),
            "item-cut-isolation": lambda _before, _timed: self._cut(),
            "read-committed": self._read_committed,
            "monotonic-atomic-view": lambda _before, _timed: None,
            "read-atomic": self._read_atomic,
            "causal": self._causal,
        }
        return rules[without_time(level) if timed else level](before, timed)

    def _between(self, level: str, effort: int | None) -> Answer:
        weaker, stronger = BETWEEN[level]
        below = self.decide(weaker, effort)
        if below.holds is False:
            return below
        above = self.decide(stronger, effort)
        if above.holds:
            return above
        return Answer(
            None, None, f"{level} is not decided itself: {weaker} holds, {stronger} does not"
            if above.holds is False else above.reason,
        )  # fmt: skip

    def _misread(self, kinds: set[int]) -> dict[str, Any] | None:
        resolved = self.resolved
        found = np.flatnonzero(np.isin(resolved.source, list(kinds)))
        if not self.misreads or not len(found):
            return None
        op = int(found[0])
        narrator = Narrator(resolved)
        lines = narrator.misread(op)
        return narrator.counterexample(MISREADS[int(resolved.source[op])], lines)

    def _cut(self) -> dict[str, Any] | None:
        resolved = self.resolved
        earlier, later = contradictions(resolved)
        if not len(later) or not self.misreads:
            return None
        before, op = int(earlier[0]), int(later[0])
        narrator = Narrator(resolved)
        reader = narrator.name(resolved.row_of(op))
        line = (
            f"{reader} read {narrator.saw(op)} after it had itself set {narrator.saw(before)}"
            if resolved.table.access[before] == WRITE
            else f"{reader} read {narrator.saw(before)} and later {narrator.saw(op)},"
            " without a write of its own in between"
        )
        return narrator.counterexample("internal", [line])

    def _read_committed(self, before: Predecessors, timed: bool) -> dict[str, Any] | None:
        return self._misread(set(MISREADS)) or commit_witness.explain_order(
            self.resolved,
            before,
            forced_by_reads(self.resolved),
            "observed-transaction-vanishes",
            commit_witness.seen_by_earlier_read,
        )

    def _read_atomic(self, before: Predecessors, timed: bool) -> dict[str, Any] | None:
        forced = forced_by_sources(self.resolved)
        if timed:
            forced = forced.joined(forced_by_time(self.resolved))
        return commit_witness.explain_order(
            self.resolved, before, forced, "fractured-read", commit_witness.seen_directly
        )

    def _causal(self, before: Predecessors, timed: bool) -> dict[str, Any] | None:
        forced = forced_by_past(self.resolved, before, self.budget) or Forced.none()
        return commit_witness.explain_order(
            self.resolved, before, forced, "causal-violation", commit_witness.seen_in_past(before)
        )
