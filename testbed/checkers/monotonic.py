"""Reads at replicas never run backwards within one connection.

A connection is a run of complete reads of one process at one node: another node, or an operation
that did not complete well, may mean a new connection and begins another run. The guarantee is
``monotonic reads`` of D. Terry and others, Session guarantees for weakly consistent replicated
data, PDIS 1994.

For the counts of a grow-only set: a count is never below an earlier one. For registers: a read
never returns a value whose write was complete before the write of an earlier-read value was even
invoked, nor a register's initial value after another; as those writes went through one
linearizable register, the second one is newer.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from itertools import pairwise
from typing import Any

from testbed.checkers.operation_view import shown
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.history import History, Pair
from testbed.history.problem import HistoryError, Problem

NAME = "monotonic-reads"
PROMISE = "Reads at a replica never run backwards within one connection."

Step = tuple[Pair, Pair]


def check_counts(history: History, counts: Iterable[str] = ("count",)) -> Verdict:
    """Judge the counts of a grow-only set.

    Args:
        history: What clients saw.
        counts: The functions that count.

    Raises:
        HistoryError: The history cannot be paired, or a count is no whole number.
    """
    sessions = list(_sessions(history, frozenset(counts)))
    problems = [
        Problem(pair.invocation.index or 0, 0, "expected a whole number as the value of a count")
        for session in sessions
        for pair in session
        if type(pair.value) is not int
    ]
    if problems:
        raise HistoryError(history.source, problems)
    backwards = [
        (before, after)
        for session in sessions
        for before, after in _steps(session)
        if after.value < before.value
    ]
    return _verdict(sessions, backwards)


def check_versions(
    history: History,
    reads: Iterable[str] = ("read-replica",),
    *,
    write: str = "write",
    cas: str = "cas",
) -> Verdict:
    """Judge the reads of registers whose written values are unique.

    Args:
        history: What clients saw; every operation has a key.
        reads: The functions that read.
        write: The function that writes its value.
        cas: The function whose value is old and new.

    Raises:
        HistoryError: The history cannot be paired.
    """
    written: dict[tuple[Any, Any], Pair] = {}
    for pair in history.of({write, cas}):
        value = pair.invocation.value[1] if pair.f == cas else pair.invocation.value
        written[pair.invocation.key, value] = pair
    sessions = list(_sessions(history, frozenset(reads)))
    backwards: list[Step] = []
    for session in sessions:
        by_key: dict[Hashable, list[Pair]] = {}
        for pair in session:
            by_key.setdefault(pair.invocation.key, []).append(pair)
        for reads_of_key in by_key.values():
            backwards += _backwards(reads_of_key, written)
    return _verdict(sessions, backwards)


def _backwards(reads: list[Pair], written: dict[tuple[Any, Any], Pair]) -> Iterator[Step]:
    """The reads whose write surely came before that of an earlier read.

    The write that was invoked last is the one to compare with: what is complete before any
    earlier-read write's invocation is complete before that one's.
    """
    newest: tuple[int, Pair] | None = None
    for pair in reads:
        write = written.get((pair.invocation.key, pair.value))
        start_ns, end_ns = _times(pair, write)
        if newest is not None and end_ns is not None and end_ns < newest[0]:
            yield newest[1], pair
        if newest is None or start_ns > newest[0]:
            newest = (start_ns, pair)


def _times(read: Pair, write: Pair | None) -> tuple[int, int | None]:
    """When the write of a read's value was invoked, and surely complete."""
    if write is None:
        # The initial value is older than everything; of any other nothing is known.
        return (-1, -1) if read.value is None else (-1, None)
    return write.start_ns, write.end_ns if write.outcome == "ok" else None


def _sessions(history: History, reads: frozenset[str]) -> Iterator[list[Pair]]:
    """Runs of complete reads of one process at one node, in order."""
    by_process: dict[int | str, list[Pair]] = {}
    for pair in history.pairs():
        by_process.setdefault(pair.invocation.process, []).append(pair)
    for pairs in by_process.values():
        session: list[Pair] = []
        for pair in pairs:
            if session and (pair.outcome != "ok" or pair.node != session[-1].node):
                yield session
                session = []
            if pair.outcome == "ok" and pair.f in reads:
                session.append(pair)
        if session:
            yield session


def _steps(session: list[Pair]) -> Iterator[Step]:
    """Each read after the greatest before it."""
    greatest = session[0]
    for pair in session[1:]:
        yield greatest, pair
        if pair.value > greatest.value:
            greatest = pair


def _verdict(sessions: list[list[Pair]], backwards: list[Step]) -> Verdict:
    compared = sum(len(list(pairwise(session))) for session in sessions)
    numbers = {
        "reads": float(sum(len(session) for session in sessions)),
        "connections": float(len(sessions)),
        "backwards": float(len(backwards)),
    }
    if backwards:
        before, after = backwards[0]
        reason = (
            f"{len(backwards)} reads ran backwards; the first: process {after.invocation.process} "
            f"read {after.value} at {after.node} after {before.value}"
        )
        examples = tuple([shown(before), shown(after)] for before, after in backwards[:20])
        return Verdict(NAME, PROMISE, Validity.VIOLATION, reason, examples, numbers)
    if not compared:
        reason = "no connection read twice at a replica: there was nothing to compare"
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, reason, (), numbers)
    reason = f"{compared} reads on {len(sessions)} connections came in order"
    return Verdict(NAME, PROMISE, Validity.VALID, reason, (), numbers)
