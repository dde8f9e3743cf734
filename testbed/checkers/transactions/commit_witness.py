"""Why no commit order explains a history: a cycle, edge by edge, in words."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from testbed.checkers.transactions.anomaly import FORMS
from testbed.checkers.transactions.commit_graph import CommitGraph, Forced, commit_graph
from testbed.checkers.transactions.narrator import Narrator
from testbed.checkers.transactions.predecessors import Predecessors
from testbed.checkers.transactions.resolved import INITIAL, Resolved
from testbed.history.transaction_table import Outcome

Seen: TypeAlias = Callable[[Narrator, int, int, int], tuple[str, str]]
"""(narrator, before, reader, read) to how the reader had seen ``before``, as a clause, and the form
that this gives an anomaly: with the order of a session, of real time, or none."""


def explain_order(
    resolved: Resolved, before: Predecessors, forced: Forced, anomaly: str, seen: Seen
) -> dict[str, Any] | None:
    """A counterexample where the forced edges contradict the others, or None.

    Args:
        resolved: The history.
        before: What comes before what anyway.
        forced: The edges that a level forces.
        anomaly: Name of what a cycle with a forced edge is.
        seen: How a reader had seen a transaction, by the level's rule.
    """
    initial = forced.to_initial()
    if initial:
        return _stale_initial(resolved, forced, initial[0], anomaly, seen)
    graph = commit_graph(resolved, forced, before)
    cycle = graph.smallest_cycle()
    return None if cycle is None else _cycle(graph, cycle, anomaly, seen)


def _stale_initial(
    resolved: Resolved, forced: Forced, edge: int, anomaly: str, seen: Seen
) -> dict[str, Any]:
    narrator = Narrator(resolved)
    why, form = _forced_reason(narrator, forced, edge, seen)
    ends = (int(end[edge]) for end in (forced.before, forced.after))
    first, initial = map(narrator.name, ends)
    edges = [{"from": first, "to": initial, "kind": "forced", "why": why}]
    return narrator.counterexample(anomaly + form, [why], edges)


def turns(kinds: Sequence[object], transitive: Collection[object]) -> list[int]:
    """The places in a circle of reasons at which another reason begins.

    Of several transactions one after the other in one session, or in time, the first and the last
    one tell all: those between may be thousands.
    """
    return [at for at, kind in enumerate(kinds) if kind not in transitive or kinds[at - 1] != kind]


def _cycle(graph: CommitGraph, cycle: list[int], anomaly: str, seen: Seen) -> dict[str, Any]:
    narrator = Narrator(graph.resolved)
    all_kinds = [_kind(graph, *edge) for edge in pairwise([*cycle, cycle[0]])]
    places = turns(all_kinds, ("process", "realtime"))
    rows, kinds = [cycle[at] for at in places], [all_kinds[at] for at in places]
    for row in rows:
        narrator.name(row)
    edges, forms = [], set()
    for (before, after), kind in zip(pairwise([*rows, rows[0]]), kinds, strict=True):
        why, form = _why(graph, narrator, (before, after, kind), seen)
        forms.add(form)
        edges.append(
            {"from": narrator.name(before), "to": narrator.name(after), "kind": kind, "why": why}
        )
    name = anomaly if "forced" in kinds else "G1c"
    lines = [f"{edge['from']} -> {edge['to']}: {edge['why']}" for edge in edges]
    return narrator.counterexample(name + _widest(forms), lines, edges)


def _widest(forms: Iterable[str]) -> str:
    return max(forms, key=FORMS.index)


def _kind(graph: CommitGraph, before: int, after: int) -> str:
    """The plainest reason for an edge: what was read, the session, time, what a level forces."""
    resolved = graph.resolved
    if read_from(resolved, before, after) >= 0:
        return "wr"
    if resolved.previous[after] == before:
        return "process"
    if graph.before.timed and had_ended(resolved, before, after):
        return "realtime"
    return "forced"


def _why(
    graph: CommitGraph, narrator: Narrator, edge: tuple[int, int, str], seen: Seen
) -> tuple[str, str]:
    """The reason for an edge in words, and the form that it gives an anomaly."""
    before, after, kind = edge
    if kind == "wr":
        return read_reason(narrator, before, after, read_from(graph.resolved, before, after)), ""
    if kind == "process":
        return session_reason(narrator, before, after), "-process"
    if kind == "realtime":
        return time_reason(narrator, before, after), "-realtime"
    forced = graph.forced
    edges = np.flatnonzero((forced.before == before) & (forced.after == after))
    return _forced_reason(narrator, forced, int(edges[0]), seen)


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


def had_ended(resolved: Resolved, before: int, after: int) -> bool:
    """Whether a transaction had surely ended before another one began."""
    table = resolved.table
    return bool(table.outcome[before] == Outcome.OK and table.end[before] < table.start[after])


def _same_session(resolved: Resolved, before: int, after: int) -> bool:
    """Whether a transaction comes before another one by its session alone."""
    latest = resolved.previous[after]
    return bool(latest >= 0 and resolved.chain[latest] == resolved.chain[before])


def time_reason(narrator: Narrator, before: int, after: int) -> str:
    """Why a transaction comes before one that began after its end."""
    return f"{narrator.name(before)} had ended before {narrator.name(after)} began"


def _forced_reason(narrator: Narrator, forced: Forced, edge: int, seen: Seen) -> tuple[str, str]:
    resolved, table = narrator.resolved, narrator.table
    before, after, read = (int(array[edge]) for array in (forced.before, forced.after, forced.read))
    op = int(resolved.read_op[read])
    reader = resolved.row_of(op)
    writes = slice(resolved.write_first[before], resolved.write_first[before + 1])
    write = int(resolved.write_op[writes][resolved.write_key[writes] == table.key[op]][0])
    who, writer = narrator.name(reader), narrator.name(before)
    how, form = seen(narrator, before, reader, read)
    source = "the initial" if after == INITIAL else f"{narrator.name(after)}'s"
    return (
        f"{how}; {writer} set {narrator.saw(write)}, yet {who} read {source} {narrator.saw(op)},"
        f" so {writer} would have to come before {narrator.name(after)}"
    ), form


def seen_by_earlier_read(
    narrator: Narrator, before: int, reader: int, read: int
) -> tuple[str, str]:
    """Read committed: an earlier read of the same transaction saw it."""
    resolved = narrator.resolved
    for at in range(resolved.read_first[reader], read):
        if resolved.read_source[at] == before:
            return read_reason(narrator, before, reader, at), ""
    raise AssertionError


def seen_directly(narrator: Narrator, before: int, reader: int, read: int) -> tuple[str, str]:
    """Read atomic: another read saw it, or it stands before in the session, or had ended."""
    resolved = narrator.resolved
    form = _seen_form(resolved, before, reader)
    if not form:
        return read_reason(narrator, before, reader, read_from(resolved, before, reader)), form
    told = session_reason if form == "-process" else time_reason
    return told(narrator, before, reader), form


def _seen_form(resolved: Resolved, before: int, reader: int) -> str:
    if read_from(resolved, before, reader) >= 0:
        return ""
    return "-process" if _same_session(resolved, before, reader) else "-realtime"


def seen_in_past(past: Predecessors) -> Seen:
    """Causal: it happened before, by a path of sessions, reads and where it counts real time."""

    def seen(narrator: Narrator, before: int, reader: int, read: int) -> tuple[str, str]:
        towards = {reader: reader}
        queue = deque([reader])
        while before not in towards:
            node = queue.popleft()
            for source in past.of(node):
                if source not in towards:
                    towards[source] = node
                    queue.append(source)
        rows = [before]
        at = before
        while at != reader:
            at = towards[at]
            if at < past.transactions:
                rows.append(at)
        forms = [_seen_form(narrator.resolved, one, two) for one, two in pairwise(rows)]
        begun = turns(["", *forms], ("-process", "-realtime"))[1:]  # no circle: nothing before it
        told = [*(rows[at - 1] for at in begun), reader]
        steps = [seen_directly(narrator, one, two, read) for one, two in pairwise(told)]
        return ", ".join(step for step, _ in steps), _widest(form for _, form in steps)

    return seen
