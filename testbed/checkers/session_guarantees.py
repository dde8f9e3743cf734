"""The four session guarantees: what one client sees of its own past.

Definitions (D. Terry and others, Session guarantees for weakly consistent replicated data, PDIS
1994), for sessions that read and write lists, sets or registers of unique values:

* read your writes: a read sees every write that was acknowledged in its session before it;
* monotonic reads: a read sees every write that an earlier read of its session saw;
* monotonic writes: whoever sees a write sees what its session had written before it, as older;
* writes follow reads: whoever sees a write sees what its session had seen before it, as older.

What can be told depends on the data. A list shows all its writes in order; a set shows all, without
order; a register shows only the last one. So versions of a register are compared by time: one is
older than another if its write was complete before the other's was invoked, and the initial value
is older than all; and the two guarantees of writes are broken only where one node shows the later
of two writes and then the earlier one. What has no key is one object; each key is judged alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from testbed.checkers.brief import brief
from testbed.checkers.operation_view import shown
from testbed.checkers.session_nodes import node_regressions, origins
from testbed.checkers.session_order import regressions
from testbed.checkers.session_sets import set_regressions
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.history import History, Pair
from testbed.measures.session_steps import READS, Bounded, Step, bounded, steps_of

PROMISES = {
    "read-your-writes": "A client that wrote something sees it, or what came later.",
    "monotonic-reads": "What a client saw once it goes on seeing, or what came later.",
    "monotonic-writes": "The writes of a client take effect in their order everywhere.",
    "writes-follow-reads": "A write is seen nowhere without what its client had seen before it.",
}
NAMES = tuple(PROMISES)
EXAMPLES_MAX = 20

Found = tuple[str, Pair, Pair, str]
"""The guarantee, the earlier operation, the later one, and why they contradict each other."""


def check(history: History, reads: Iterable[str] = READS) -> tuple[Verdict, ...]:
    """Judge all four guarantees: O(operations + items of all reads), a sort where nodes are told.

    Args:
        history: What clients saw: ``add`` and reads of lists; or ``append``, ``write``, ``cas``,
            ``txn``, and reads.
        reads: The functions that read.

    Returns:
        Four verdicts, in the order of ``NAMES``.

    Raises:
        HistoryError: The history cannot be paired, or values have another shape.
    """
    steps = steps_of(history, reads)
    found = list(_of_sets(steps) if history.of({"add"}) else _of_steps(steps))
    return tuple(_verdict(name, steps, [one for one in found if one[0] == name]) for name in NAMES)


def _of_sets(steps: list[Step]) -> Iterator[Found]:
    for name, before, after, element in set_regressions(steps):
        yield name, before, after, f"{element} is missing"


def _of_steps(steps: list[Step]) -> Iterator[Found]:
    bounds = bounded(steps)
    yield from _of_order(bounds)
    yield from _of_sets([one for one in steps if one.ordered and one.key in bounds.disordered])
    for name, before, after in node_regressions(steps, origins(steps)):
        why = f"{before.pair.node} had shown {_plain(before.value)}, which was written later"
        yield name, before.pair, after.pair, why


def _of_order(bounds: Bounded) -> Iterator[Found]:
    groups: dict[tuple[int | str, bytes], int] = {}
    group = [
        groups.setdefault((step.pair.invocation.process, step.key), len(groups))
        for step in bounds.steps
    ]
    run = regressions.for_rows(len(group))
    found = run(
        np.array(group, dtype=np.int64),
        np.array([step.writes for step in bounds.steps], dtype=np.bool_),
        np.array(bounds.low, dtype=np.int64),
        np.array(bounds.high, dtype=np.int64),
        len(groups),
    )
    for name, row in zip(NAMES, found, strict=True):
        for place in np.flatnonzero(row >= 0).tolist():
            before, after = bounds.steps[int(row[place])], bounds.steps[place]
            if after.writes and not after.ordered:
                # In time a session's writes follow all before them, but for a read of the future.
                continue
            yield name, before.pair, after.pair, _why(before, after)


def _why(before: Step, after: Step) -> str:
    did = "wrote" if before.writes else "saw"
    if not after.ordered:
        return (
            f"{_plain(after.value)} is older than {_plain(before.value)}, which the session {did}"
        )
    return f"the list is shorter than what the session {did}, or in another order"


def _verdict(name: str, steps: list[Step], found: list[Found]) -> Verdict:
    promise = PROMISES[name]
    reads = sum(not step.writes for step in steps)
    numbers = {
        "sessions": float(len({step.pair.invocation.process for step in steps})),
        "reads": float(reads),
        "writes": float(len(steps) - reads),
        "violations": float(len(found)),
    }
    if found:
        _, _, after, why = found[0]
        reason = (
            f"{len(found)} violation{'s' * (len(found) != 1)}; the first by process "
            f"{after.invocation.process} at {after.node}: {why}"
        )
        examples: list[Any] = [
            {
                "anomaly": name,
                "text": [f"{why}:", *(f"  {_line(pair)}" for pair in (before, after))],
                "operations": [shown(before), shown(after)],
            }
            for _, before, after, why in found[:EXAMPLES_MAX]
        ]
        return Verdict(name, promise, Validity.VIOLATION, reason, tuple(examples), numbers)
    compared = _compared(name, steps)
    if not compared:
        reason = "no session did what the guarantee speaks of: there was nothing to compare"
        return Verdict(name, promise, Validity.UNKNOWN, reason, (), numbers)
    reason = f"{compared} operations came after what they must not contradict, and none does"
    return Verdict(name, promise, Validity.VALID, reason, (), numbers)


def _line(pair: Pair) -> str:
    end = "unknown" if pair.end_ns is None else f"{pair.end_ns / 1e9:.3f} s"
    value = pair.invocation.value
    if pair.completion is not None and pair.f not in ("write", "append", "add", "cas"):
        value = pair.completion.value
    at = "" if pair.node is None else f" at {pair.node}"
    return (
        f"process {pair.invocation.process} {pair.f} {_plain(value)}{at} "
        f"({pair.start_ns / 1e9:.3f} s to {end})"
    )


def _plain(value: Any) -> str:
    return brief(value)


def _compared(name: str, steps: list[Step]) -> int:
    """How many operations follow, in their session and on their key, what they could contradict."""
    first, second = {
        "read-your-writes": (True, False),
        "monotonic-reads": (False, False),
        "monotonic-writes": (True, True),
        "writes-follow-reads": (False, True),
    }[name]
    seen: set[tuple[int | str, bytes, bool]] = set()
    compared = 0
    visible = _visible(steps)
    for step in steps:
        mine = (step.pair.invocation.process, step.key)
        shows = not step.writes or step.key in visible
        compared += shows and step.writes is second and (*mine, first) in seen
        seen.add((*mine, step.writes))
    return compared


def _visible(steps: list[Step]) -> set[bytes]:
    """The keys whose reads show an order of writes: of registers what one node shows twice."""
    at_node: set[tuple[bytes, str]] = set()
    visible: set[bytes] = set()
    for step in steps:
        if not step.writes:
            place = (step.key, str(step.pair.node))
            if step.ordered or (step.pair.node is not None and place in at_node):
                visible.add(step.key)
            at_node.add(place)
    return visible
