"""A region that can reach a quorum is served, and stays so.

Definition. Once the bound after a fault is over, at least the given share of the writes that
are due for the region's clients is acknowledged, until the next fault or the end of the load.
The bound itself is for ``recovery_time`` to judge; this one finds service that comes back and
goes again.

Where one row may be locked for a time, writes of the row that lacks service most in that time are
left out, and no other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from testbed.checkers.expectation import Expectation
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.history import History
from testbed.measures.load import Load, tally

NAME = "service"
PROMISE = "A region that can reach a quorum is served."

DUE_MIN = 10
"""Fewer writes than this say nothing of a share."""


def check(
    history: History,
    expectations: Sequence[Expectation],
    writes: Iterable[str],
    availability_min: float = 0.9,
) -> Verdict:
    """Judge every expectation.

    Args:
        history: What clients saw.
        expectations: Who is expected to be served when.
        writes: The functions whose acknowledgement is service.
        availability_min: The share of due writes that must be acknowledged, 0 to 1.

    Raises:
        HistoryError: The history cannot be paired.
    """
    if not expectations:
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, "no region was expected to be served")
    writes = frozenset(writes)
    locked = [_locked(history, one, writes) for one in expectations]
    judged = [
        (one, _served(history, one, writes, left))
        for one, left in zip(expectations, locked, strict=True)
    ]
    enough = [pair for pair in judged if pair[1].due >= DUE_MIN]
    poor = [pair for pair in enough if (pair[1].availability or 0) < availability_min]
    numbers = {
        "availability_min": min((pair[1].availability or 0 for pair in enough), default=0.0),
        "expectations": float(len(judged)),
        "poorly_served": float(len(poor)),
        "writes_locked": float(sum(map(len, locked))),
    }
    if poor:
        examples = tuple(
            {
                "region": one.region,
                "cause": one.cause,
                "from_ns": found.from_ns,
                "to_ns": found.to_ns,
                "due": found.due,
                "acknowledged": found.ok,
                "refused": found.refused,
                "unknown": found.info,
            }
            for one, found in poor
        )
        reason = f"{_said(*min(poor, key=_share))}, expected {availability_min:.0%}"
        return Verdict(NAME, PROMISE, Validity.VIOLATION, reason, examples, numbers)
    if len(enough) < len(judged):
        one, found = next(pair for pair in judged if pair[1].due < DUE_MIN)
        reason = f"{_said(one, found)}: too few to say"
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, reason, (), numbers)
    reason = f"{_said(*min(judged, key=_share))}, the least of {len(judged)}"
    if numbers["writes_locked"]:
        reason += f"; {numbers['writes_locked']:.0f} of rows that a cut stream had locked left out"
    return Verdict(NAME, PROMISE, Validity.VALID, reason, (), numbers)


def _served(
    history: History, expected: Expectation, writes: frozenset[str], locked: set[int]
) -> Load:
    from_ns = expected.from_ns + int(expected.bound_ms * 1e6)
    pairs = history.of(writes)
    counted = (pair for number, pair in enumerate(pairs) if number not in locked)
    mine = [pair for pair in counted if pair.region == expected.region]
    return tally(mine, from_ns, expected.to_ns)


def _locked(history: History, expected: Expectation, writes: frozenset[str]) -> set[int]:
    """Places of the writes that are left out, among all of these functions."""
    left: set[int] = set()
    for from_ns, to_ns in expected.locked_ns:
        unserved: dict[Any, set[int]] = defaultdict(set)
        for number, pair in enumerate(history.of(writes)):
            within = pair.region == expected.region and from_ns <= pair.due_ns <= to_ns
            if within and not pair.served and number not in left:
                unserved[pair.invocation.key].add(number)
        left |= max(unserved.values(), key=len, default=set())
    return left


def _share(pair: tuple[Expectation, Load]) -> float:
    return pair[1].availability or 0.0


def _said(expected: Expectation, found: Load) -> str:
    return (
        f"{found.served} of {found.due} writes due in {expected.region} were answered once the "
        f"bound after {expected.cause} was over"
    )
