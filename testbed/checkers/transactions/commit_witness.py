"""Why no commit order explains a history: a cycle, edge by edge, in words."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from testbed.checkers.transactions.commit_graph import CommitGraph, Forced, commit_graph
from testbed.checkers.transactions.narrator import Narrator
from testbed.checkers.transactions.resolve import INITIAL, Resolved

Seen: TypeAlias = Callable[[Narrator, int, int, int], str]
"""(narrator, before, reader, read) to how the reader had seen ``before``, as a clause."""


def explain_order(
    resolved: Resolved, forced: Forced, anomaly: str, seen: Seen
) -> dict[str, Any] | None:
    """A counterexample where the forced edges contradict the others, or None.

    Args:
        resolved: The history.
        forced: The edges that a level forces.
        anomaly: Name of what a cycle with a forced edge is.
        seen: How a reader had seen a transaction, by the level's rule.
    """
    initial = forced.to_initial()
    if initial:
        return _stale_initial(resolved, forced, initial[0], anomaly, seen)
    graph = commit_graph(resolved, forced)
    cycle = graph.smallest_cycle()
    return None if cycle is None else _cycle(graph, cycle, anomaly, seen)


def _stale_initial(
    resolved: Resolved, forced: Forced, edge: int, anomaly: str, seen: Seen
) -> dict[str, Any]:
    narrator = Narrator(resolved)
    reason = _forced_reason(narrator, forced, edge, seen)
    return narrator.counterexample(anomaly, [reason])


def _cycle(graph: CommitGraph, cycle: list[int], anomaly: str, seen: Seen) -> dict[str, Any]:
    narrator = Narrator(graph.resolved)
    for row in cycle:
        narrator.name(row)
    edges, kinds = [], set()
    for before, after in pairwise([*cycle, cycle[0]]):
        kind, reason = _edge(graph, narrator, before, after, seen)
        kinds.add(kind)
        edges.append(
            {
                "from": narrator.name(before),
                "to": narrator.name(after),
                "kind": kind,
                "reason": reason,
            }
        )
    if "forced" not in kinds:
        anomaly = "G1c-process" if "session" in kinds else "G1c"
    lines = [f"{edge['from']} -> {edge['to']}: {edge['reason']}" for edge in edges]
    return narrator.counterexample(anomaly, lines, edges)


def _edge(
    graph: CommitGraph, narrator: Narrator, before: int, after: int, seen: Seen
) -> tuple[str, str]:
    """The plainest reason for an edge: what was read, the session, what the level forces."""
    resolved = graph.resolved
    read = read_from(resolved, before, after)
    if read >= 0:
        return "read", read_reason(narrator, before, after, read)
    if resolved.previous[after] == before:
        return "session", session_reason(narrator, before, after)
    forced = graph.forced
    edges = np.flatnonzero((forced.before == before) & (forced.after == after))
    return "forced", _forced_reason(narrator, forced, int(edges[0]), seen)


def read_from(resolved: Resolved, before: int, after: int) -> int:
    """A read of a transaction from another (index into the reads), -1 for none."""
    for at in range(resolved.read_first[after], resolved.read_first[after + 1]):
        if resolved.read_source[at] == before:
            return at
    return -1


def read_reason(narrator: Narrator, before: int, after: int, read: int) -> str:
    """Why a transaction comes before one that read from it."""
    what = narrator.saw(int(narrator.resolved.read_op[read]))
    return f"{narrator.name(after)} read {what}, which {narrator.name(before)} wrote"


def session_reason(narrator: Narrator, before: int, after: int) -> str:
    """Why a transaction comes before the next of its session."""
    table = narrator.table
    process = table.process_names[table.process[before]]
    return f"process {process} did {narrator.name(before)} before {narrator.name(after)}"


def _forced_reason(narrator: Narrator, forced: Forced, edge: int, seen: Seen) -> str:
    resolved, table = narrator.resolved, narrator.table
    before, after, read = (int(array[edge]) for array in (forced.before, forced.after, forced.read))
    op = int(resolved.read_op[read])
    reader = resolved.row_of(op)
    writes = slice(resolved.write_first[before], resolved.write_first[before + 1])
    write = int(resolved.write_op[writes][resolved.write_key[writes] == table.key[op]][0])
    who, writer = narrator.name(reader), narrator.name(before)
    how = seen(narrator, before, reader, read)
    source = "the initial" if after == INITIAL else f"{narrator.name(after)}'s"
    return (
        f"{how}; {writer} set {narrator.saw(write)}, yet {who} read {source} {narrator.saw(op)},"
        f" so {writer} would have to come before {narrator.name(after)}"
    )


def seen_by_earlier_read(narrator: Narrator, before: int, reader: int, read: int) -> str:
    """Read committed: an earlier read of the same transaction saw it."""
    resolved = narrator.resolved
    for at in range(resolved.read_first[reader], read):
        if resolved.read_source[at] == before:
            return read_reason(narrator, before, reader, at)
    raise AssertionError


def seen_directly(narrator: Narrator, before: int, reader: int, read: int) -> str:
    """Read atomic: another read saw it, or it stands before in the session."""
    other = read_from(narrator.resolved, before, reader)
    if other >= 0:
        return read_reason(narrator, before, reader, other)
    return session_reason(narrator, before, reader)


def seen_in_past(narrator: Narrator, before: int, reader: int, read: int) -> str:
    """Causal: it happened before, by a path of sessions and reads."""
    resolved = narrator.resolved
    towards = {reader: reader}
    queue = deque([reader])
    while before not in towards:
        row = queue.popleft()
        sources = [int(each) for each in resolved.read_source[_reads(resolved, row)]]
        for source in [int(resolved.previous[row]), *sources]:
            if source >= 0 and source not in towards:
                towards[source] = row
                queue.append(source)
    steps = []
    at = before
    while at != reader:
        other = read_from(resolved, at, towards[at])
        steps.append(
            read_reason(narrator, at, towards[at], other)
            if other >= 0
            else session_reason(narrator, at, towards[at])
        )
        at = towards[at]
    return ", ".join(steps)


def _reads(resolved: Resolved, row: int) -> slice:
    return slice(int(resolved.read_first[row]), int(resolved.read_first[row + 1]))
