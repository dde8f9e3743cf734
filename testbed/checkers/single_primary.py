"""At most one primary acknowledges writes at a time.

Definition. An acknowledged write shows that its node acted as primary at some moment between
the write's invocation and its completion. The writes that one node acknowledged under one term
are a tenure. The promise holds if moments can be chosen so that the tenures lie one after the
other, in the order of their terms. It is broken exactly when for two of them
some write of each was complete before some write of the other was invoked, or when a write of
the lower term was invoked after one of the higher term was complete. This is the test for
clusters of a register's values: P. Gibbons and E. Korach, Testing shared memories, SIAM J.
Comput. 26(4), 1997.

The term matters: A, then B, then A again is a broken promise under A's old term, and a
switchover and back under a new one. Where only some acknowledgements say no term (connections
that were open before their node was promoted), each is taken to be of the term that its node
acknowledged under closest in time; what then overlaps proves nothing, and the answer is unknown.
Where none says a term, a return of A is broken only if it is quicker than any pair of promotions
can be; a slower one cannot be told apart, and the answer is unknown as well.
"""

from __future__ import annotations

import bisect
import dataclasses
from collections.abc import Collection, Iterable
from functools import partial
from typing import Any

from testbed.checkers.operation_view import moment_s, shown
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.history import History, Pair
from testbed.measures.tenure import Overlap, acknowledged_writes, overlaps, tenures, term_of

NAME = "single-primary"
PROMISE = "At most one primary acknowledges writes at a time."

RETURN_MS_MIN = 500.0
"""Two promotions one after the other take longer than this: each has to restart or promote a
server and to change the lock in a quorum of regions."""


def check(
    history: History,
    writes: Iterable[str],
    return_ms_min: float = RETURN_MS_MIN,
    nodes: Collection[str] | None = None,
) -> Verdict:
    """Judge the acknowledged writes of a history.

    Args:
        history: What clients saw; an acknowledgement says its node, and best its term.
        writes: The functions that only a primary acknowledges.
        return_ms_min: Without terms: a node that is primary again sooner than this after another
            one was never stopped being it.
        nodes: Of one cluster, where there are several with a primary each; None for all.

    Raises:
        HistoryError: The history's operations cannot be paired.
    """
    writes = frozenset(writes)
    acknowledged = acknowledged_writes(history, writes)
    nameless = len(history.of(writes, "ok")) - len(acknowledged)
    if nodes is not None:
        acknowledged = tuple(pair for pair in acknowledged if pair.node in nodes)
    if not acknowledged:
        return _verdict(Validity.UNKNOWN, "no acknowledged write says which node acknowledged it")
    numbers = {
        "acknowledged_writes": float(len(acknowledged)),
        "primaries": float(len({pair.node for pair in acknowledged})),
        "writes_without_node": float(nameless),
    }
    if any(term_of(pair) is not None for pair in acknowledged):
        verdict = _by_terms(acknowledged, numbers)
    else:
        verdict = _by_returns(acknowledged, return_ms_min, numbers)
    if verdict.validity is Validity.VALID and nameless:
        reason = f"{nameless} acknowledged writes do not say which node acknowledged them"
        return _verdict(Validity.UNKNOWN, reason, numbers=numbers)
    return verdict


def _by_terms(acknowledged: tuple[Pair, ...], numbers: dict[str, float]) -> Verdict:
    said = tuple(pair for pair in acknowledged if term_of(pair) is not None)
    found = tenures(said)
    numbers |= {"tenures": float(len(found)), "writes_without_term": len(acknowledged) - len(said)}
    met = sorted(overlaps(found), key=lambda overlap: overlap.from_ns)
    if met:
        numbers["dual_primary_ms"] = max(overlap.duration_ms for overlap in met)
        examples = [_explained(overlap) for overlap in met[:10]]
        return _verdict(Validity.VIOLATION, _said(met[0]), examples, numbers)
    guessed = overlaps(tenures(_with_terms(acknowledged, said)))
    if guessed:
        reason = (
            f"{len(acknowledged) - len(said)} acknowledgements do not say their term, and by that "
            f"of their node's closest one {_said(guessed[0])}"
        )
        return _verdict(Validity.UNKNOWN, reason, [_explained(guessed[0])], numbers)
    reason = f"{len(found)} tenures lie one after the other: " + ", then ".join(
        tenure.name for tenure in found[:8]
    )
    return _verdict(Validity.VALID, reason, numbers=numbers)


def _said(overlap: Overlap) -> str:
    return (
        f"{overlap.old.name} went on acknowledging writes after {overlap.new.name} had begun to, "
        f"for at least {overlap.duration_ms:.0f} ms from {moment_s(overlap.from_ns)} on"
    )


def _with_terms(acknowledged: tuple[Pair, ...], said: tuple[Pair, ...]) -> list[Pair]:
    """Every write with a term: its own, or its node's closest; none where its node said none."""
    by_node: dict[str | None, list[Pair]] = {}
    for pair in said:
        by_node.setdefault(pair.node, []).append(pair)
    completed = []
    for pair in acknowledged:
        own = by_node.get(pair.node, [])
        if term_of(pair) is None and own and pair.completion is not None:
            place = bisect.bisect(own, pair.start_ns, key=lambda other: other.start_ns)
            near = min(own[max(0, place - 1) : place + 1], key=partial(_distance_ns, pair))
            completion = dataclasses.replace(pair.completion, term=term_of(near))
            completed.append(Pair(pair.invocation, completion))
        else:
            completed.append(pair)
    return completed


def _distance_ns(one: Pair, other: Pair) -> int:
    return abs(one.start_ns - other.start_ns)


def _explained(overlap: Overlap) -> dict[str, Any]:
    return {
        "old": overlap.old.name,
        "new": overlap.new.name,
        "from_ns": overlap.from_ns,
        "to_ns": overlap.to_ns,
        "new_had_begun": shown(overlap.new.begun),
        "old_was_ongoing": shown(overlap.old.ongoing),
        "old_had_begun": shown(overlap.old.begun),
        "new_was_ongoing": shown(overlap.new.ongoing),
    }


def _by_returns(
    acknowledged: tuple[Pair, ...], return_ms_min: float, numbers: dict[str, float]
) -> Verdict:
    returns = _returns(acknowledged)
    if not returns:
        reason = "no node acknowledged writes again after another one had"
        return _verdict(Validity.VALID, reason, numbers=numbers)
    before, between, again = min(returns, key=_took_ns)
    took_ms = _took_ns((before, between, again)) / 1e6
    numbers["return_ms_min"] = took_ms
    example = [shown(before), shown(between), shown(again)]
    what = f"{before.node} acknowledged writes before and after {between.node} did"
    if took_ms < return_ms_min:
        reason = f"{what}, all within {took_ms:.0f} ms: too quick for two promotions"
        return _verdict(Validity.VIOLATION, reason, example, numbers)
    reason = (
        f"{what}, within {took_ms:.0f} ms at the least: without terms that may be two primaries "
        "or a promotion and back. Let the client record the term of each acknowledgement"
    )
    return _verdict(Validity.UNKNOWN, reason, example, numbers)


def _took_ns(back: tuple[Pair, Pair, Pair]) -> int:
    """The longest that the role may have been away: a node's two writes at their outer ends."""
    assert back[2].end_ns is not None
    return back[2].end_ns - back[0].start_ns


def _returns(acknowledged: tuple[Pair, ...]) -> list[tuple[Pair, Pair, Pair]]:
    """For each write and other node: that node's closest writes that surely lie around it."""
    by_node: dict[str, list[Pair]] = {}
    for pair in acknowledged:
        by_node.setdefault(str(pair.node), []).append(pair)
    found = []
    for node, own in by_node.items():
        before, after = _Before(own), _After(own)
        for pair in acknowledged:
            if pair.node == node:
                continue
            earlier, later = before.latest(pair.start_ns), after.earliest(pair.end_ns or 0)
            if earlier is not None and later is not None:
                found.append((earlier, pair, later))
    return found


class _Before:
    """Among the writes complete before a time, the one that was invoked last."""

    def __init__(self, pairs: list[Pair]) -> None:
        ordered = sorted(pairs, key=lambda pair: pair.end_ns or 0)
        self._ends = [pair.end_ns or 0 for pair in ordered]
        self._best: list[Pair] = []
        for pair in ordered:
            best = self._best[-1] if self._best else pair
            self._best.append(max(best, pair, key=lambda one: one.start_ns))

    def latest(self, before_ns: int) -> Pair | None:
        place = bisect.bisect_left(self._ends, before_ns)
        return self._best[place - 1] if place else None


class _After:
    """Among the writes invoked after a time, the one that completed first."""

    def __init__(self, pairs: list[Pair]) -> None:
        ordered = sorted(pairs, key=lambda pair: -pair.start_ns)
        self._starts = [-pair.start_ns for pair in ordered]
        self._best: list[Pair] = []
        for pair in ordered:
            best = self._best[-1] if self._best else pair
            self._best.append(min(best, pair, key=lambda one: one.end_ns or 0))

    def earliest(self, after_ns: int) -> Pair | None:
        place = bisect.bisect_left(self._starts, -after_ns)
        return self._best[place - 1] if place else None


def _verdict(
    validity: Validity,
    reason: str,
    counterexample: Iterable[Any] = (),
    numbers: dict[str, float] | None = None,
) -> Verdict:
    return Verdict(NAME, PROMISE, validity, reason, tuple(counterexample), dict(numbers or {}))
