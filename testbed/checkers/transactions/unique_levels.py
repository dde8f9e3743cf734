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
from typing import Any

import numpy as np

from testbed.checkers.budget import Budget
from testbed.checkers.transactions import commit_witness, order_search
from testbed.checkers.transactions.causal import forced_by_past
from testbed.checkers.transactions.commit_graph import Forced
from testbed.checkers.transactions.level import base_of
from testbed.checkers.transactions.narrator import Narrator
from testbed.checkers.transactions.order_search import Answer
from testbed.checkers.transactions.read_atomic import forced_by_sources, unrepeatable
from testbed.checkers.transactions.read_committed import forced_by_reads
from testbed.checkers.transactions.resolve import INTERNAL, MISREADS, THIN_AIR, Resolved
from testbed.checkers.verdict import Levels

BELOW: Mapping[str, tuple[str, ...]] = {
    "read-uncommitted": (),
    "item-cut-isolation": (),
    "read-committed": ("read-uncommitted",),
    "monotonic-atomic-view": ("read-committed",),
    "read-atomic": ("monotonic-atomic-view", "item-cut-isolation"),
    "causal": ("read-atomic",),
    "prefix": ("causal",),
    "parallel-snapshot-isolation": ("causal",),
    "snapshot-isolation": ("prefix", "parallel-snapshot-isolation"),
    "strong-snapshot-isolation": ("snapshot-isolation",),
    "serializable": ("snapshot-isolation",),
    "strict-serializable": ("serializable", "strong-snapshot-isolation"),
}
"""Levels that are decided, each with those that it includes."""

SAME = {
    "causal-cerone": "causal",
    "consistent-view": "parallel-snapshot-isolation",
    "repeatable-read": "serializable",
}
"""Levels that coincide with another one on reads of single keys."""

BETWEEN = {
    "monotonic-view": ("read-committed", "parallel-snapshot-isolation"),
    "cursor-stability": ("read-committed", "parallel-snapshot-isolation"),
    "update-atomic": ("read-atomic", "parallel-snapshot-isolation"),
    "forward-consistent-view": ("parallel-snapshot-isolation", "snapshot-isolation"),
    "monotonic-snapshot-read": ("read-committed", "snapshot-isolation"),
    "update-serializable": ("parallel-snapshot-isolation", "serializable"),
}
"""Levels that are not decided themselves: violated where the first is, valid where the second is
valid, else unknown."""

SEARCHED = frozenset(BELOW) - {
    "read-uncommitted",
    "item-cut-isolation",
    "read-committed",
    "monotonic-atomic-view",
    "read-atomic",
    "causal",
}
"""Levels that may need a search."""

TIMED = frozenset({"strong-snapshot-isolation", "strict-serializable"})


def decided_name(level: str) -> str | None:
    """How a level is called here, without the order of sessions, which all have; None if not."""
    base, form = base_of(level)
    base = SAME.get(base, base)
    if form == "strong-":
        strong = {"serializable": "strict-serializable"}.get(base, form + base)
        return strong if strong in TIMED else None
    return base if base in BELOW or base in BETWEEN else None


def included_in(level: str) -> frozenset[str]:
    """A level of :data:`BELOW` and all that it includes."""
    return frozenset({level}).union(*(included_in(lower) for lower in BELOW[level]))


@dataclass
class LevelJudge:
    """Decides levels one by one, and remembers.

    Args:
        resolved: The history.
        budget: What it may cost.
    """

    resolved: Resolved
    budget: Budget
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

    def _decide(self, level: str, effort: int | None) -> Answer:
        if any(found.holds and level in included_in(higher)
               for higher, found in self.decided.items()):  # fmt: skip
            return Answer(holds=True)
        if level in SEARCHED:
            below = self.decide("causal")
            return below if below.holds is False else self._search(level, effort)
        undecided = None
        for lower in BELOW[level]:
            below = self.decide(lower, effort)
            if below.holds is False:
                return below
            undecided = below if below.holds is None else undecided
        found = self._decide_simple(level)
        return undecided if found.holds and undecided else found

    def _decide_simple(self, level: str) -> Answer:
        rules: dict[str, Callable[[], dict[str, Any] | None]] = {
            "read-uncommitted": lambda: self._misread({THIN_AIR}),
            "item-cut-isolation": self._cut,
            "read-committed": self._read_committed,
            "monotonic-atomic-view": lambda: None,
            "read-atomic": self._read_atomic,
            "causal": self._causal,
        }
        counterexample = rules[level]()
        return Answer(counterexample is None, counterexample)

    def _search(self, level: str, effort: int | None) -> Answer:
        resolved = self.resolved
        if level in TIMED and not resolved.table.timed:
            untimed = {"strict-serializable": "serializable"}.get(level, level[len("strong-") :])
            below = self.decide(untimed, effort)
            reason = "the history carries no times, so what really came first is not known"
            return below if below.holds is False else Answer(None, None, reason)
        if any(self.decided[lower].holds is False
               for lower in included_in(level) & self.decided.keys()):  # fmt: skip
            return next(self.decided[lower] for lower in BELOW
                        if lower in included_in(level) & self.decided.keys()
                        and self.decided[lower].holds is False)  # fmt: skip
        return order_search.search(resolved, level, self.budget, effort)

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
        if not len(found):
            return None
        op = int(found[0])
        narrator = Narrator(resolved)
        lines = narrator.misread(op)
        return narrator.counterexample(MISREADS[int(resolved.source[op])], lines)

    def _cut(self) -> dict[str, Any] | None:
        resolved = self.resolved
        found = unrepeatable(resolved)
        if not len(found):
            return self._misread({INTERNAL})
        later = int(found[0])
        op = int(resolved.read_op[later])
        row = resolved.row_of(op)
        key = resolved.read_key[later]
        earlier = next(
            int(resolved.read_op[at])
            for at in range(resolved.read_first[row], later)
            if resolved.read_key[at] == key
        )
        narrator = Narrator(resolved)
        line = (
            f"{narrator.name(row)} read {narrator.saw(earlier)} and later {narrator.saw(op)},"
            " without a write of its own in between"
        )
        return narrator.counterexample("internal", [line])

    def _read_committed(self) -> dict[str, Any] | None:
        return self._misread(set(MISREADS)) or commit_witness.explain_order(
            self.resolved,
            forced_by_reads(self.resolved),
            "observed-transaction-vanishes",
            commit_witness.seen_by_earlier_read,
        )

    def _read_atomic(self) -> dict[str, Any] | None:
        return commit_witness.explain_order(
            self.resolved,
            forced_by_sources(self.resolved),
            "fractured-read",
            commit_witness.seen_directly,
        )

    def _causal(self) -> dict[str, Any] | None:
        forced = forced_by_past(self.resolved, self.budget) or Forced.none()
        return commit_witness.explain_order(
            self.resolved, forced, "causal-violation", commit_witness.seen_in_past
        )
