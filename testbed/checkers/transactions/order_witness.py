"""Why no order of the versions explains a history, in words."""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from typing import Any

import numpy as np

from testbed.checkers.transactions.commit_witness import (
    read_from,
    read_reason,
    session_reason,
    time_reason,
    turns,
)
from testbed.checkers.transactions.cycles import Core
from testbed.checkers.transactions.graph import Edge
from testbed.checkers.transactions.level import named
from testbed.checkers.transactions.narrator import Narrator
from testbed.checkers.transactions.order_problem import OrderProblem
from testbed.checkers.transactions.order_solver import OrderSolver
from testbed.checkers.transactions.reachability import BASE, Pair
from testbed.checkers.transactions.resolved import Resolved
from testbed.checkers.transactions.version_chains import Versions

TRIED = 300
"""Starting points of the search for the smallest cycle."""
REFUTED = {
    "prefix": "prefix-violation",
    "parallel-snapshot-isolation": "G-single",
    "snapshot-isolation": "G-nonadjacent",
    "serializable": "G2-item",
}
REFUTED |= {named("strong-" + level): found + "-realtime" for level, found in REFUTED.items()}
"""What is there for sure when every order fails."""


def lost_update(resolved: Resolved, versions: Versions) -> dict[str, Any]:
    """Two transactions that replaced the same version."""
    assert versions.lost_update is not None
    narrator = Narrator(resolved)
    ops = [int(resolved.read_op[read]) for read in versions.lost_update]
    one, two = (narrator.name(resolved.row_of(op)) for op in ops)
    key = narrator.key(resolved.table.key[ops[0]])
    line = (
        f"{one} and {two} both read {narrator.saw(ops[0])} and both set {key} anew:"
        " one update does not know of the other"
    )
    return narrator.counterexample("lost-update", [line])


def cycle_in(problem: OrderProblem, core: Core, level: str) -> dict[str, Any]:
    """The smallest cycle found in the part of a graph that lies on cycles."""
    steps = _smallest(core)
    return _told(problem, steps, level, {})


def refutation(
    problem: OrderProblem, pairs: list[Pair], solver: OrderSolver, level: str
) -> dict[str, Any]:
    """What is left when every order of the open pairs was ruled out."""
    line = (
        f"every order of {len(pairs):,} pairs of versions that the history leaves open closes a"
        f" cycle ({solver.conflicts:,} cycles ruled all of them out)"
    )
    if solver.core is None:
        return Narrator(problem.resolved).counterexample(REFUTED[level], [line])
    kinds = {
        (source, target): kind
        for source, target, kind in zip(
            problem.edges.source.tolist(),
            problem.edges.target.tolist(),
            problem.edges.kind.tolist(),
            strict=True,
        )
    }
    steps, chosen = [], {}
    for source, target, literal in [*solver.core.path, solver.core.closing]:
        collected = problem.row(source) < 0
        kind = kinds.get((source, target), Edge.JOIN if collected else Edge.WW)
        steps.append((source, target, int(kind)))
        if literal != BASE:
            one, two = pairs[literal >> 1]
            chosen[source, target] = (two, one) if literal & 1 else (one, two)
    return _told(problem, steps, level, chosen) | {"conflicts": solver.conflicts}


def _told(
    problem: OrderProblem,
    steps: list[tuple[int, int, int]],
    level: str,
    chosen: dict[Pair, Pair],
) -> dict[str, Any]:
    narrator = Narrator(problem.resolved)
    hops = _hops(problem, steps, chosen)
    for before, *_ in hops:
        narrator.name(before)
    edges = [
        {
            "from": narrator.name(before),
            "to": narrator.name(after),
            "kind": Edge(kind).name.lower(),
            "why": _reason(problem, narrator, before, after, kind, choice),
        }
        for before, after, kind, choice in hops
    ]
    lines = [f"{edge['from']} -> {edge['to']}: {edge['why']}" for edge in edges]
    anomaly = _anomaly([kind for _, _, kind, _ in hops], level)
    return narrator.counterexample(anomaly, lines, edges)


def _hops(
    problem: OrderProblem, steps: list[tuple[int, int, int]], chosen: dict[Pair, Pair]
) -> list[tuple[int, int, int, Pair | None]]:
    """The cycle as transactions: (row, next row, kind, chains whose order was forced)."""
    start = next(at for at, step in enumerate(steps) if problem.row(step[0]) >= 0)
    hops = []
    kind, choice = int(Edge.JOIN), None
    row = problem.row(steps[start][0])
    for source, target, own in [*steps[start:], *steps[:start]]:
        kind = own if kind == Edge.JOIN else kind
        choice = chosen.get((source, target), choice)
        after = problem.row(target)
        if after < 0:
            continue
        if after != row:
            hops.append((row, after, kind, choice))
        row, kind, choice = after, int(Edge.JOIN), None
    told = [hops[at] for at in turns([hop[2] for hop in hops], (Edge.PROCESS, Edge.REALTIME))]
    ends = [row for row, *_ in [*told[1:], told[0]]]
    return [
        (row, end, kind, choice) for (row, _, kind, choice), end in zip(told, ends, strict=True)
    ]


def _reason(  # noqa: PLR0917 - an edge has two ends, a kind, and who tells of it
    problem: OrderProblem,
    narrator: Narrator,
    before: int,
    after: int,
    kind: int,
    choice: Pair | None,
) -> str:
    if kind == Edge.PROCESS:
        return session_reason(narrator, before, after)
    if kind == Edge.REALTIME:
        return time_reason(narrator, before, after)
    if kind == Edge.WR:
        return read_reason(narrator, before, after, read_from(problem.resolved, before, after))
    forced = "" if choice is None else " (the other order is impossible)"
    if kind == Edge.WW:
        one, two = _common_writes(problem, before, after)
        return (
            f"{narrator.name(before)} set {narrator.saw(one)} before"
            f" {narrator.name(after)} set {narrator.saw(two)}{forced}"
        )
    read, write = _missed(problem, before, after, choice)
    return (
        f"{narrator.name(before)} read {narrator.saw(read)}, before {narrator.name(after)} set"
        f" {narrator.saw(write)}{forced}"
    )


def _common_writes(problem: OrderProblem, before: int, after: int) -> tuple[int, int]:
    resolved = problem.resolved
    one, two = (
        {
            int(resolved.write_key[at]): int(resolved.write_op[at])
            for at in range(resolved.write_first[row], resolved.write_first[row + 1])
        }
        for row in (before, after)
    )
    key = next(key for key in one if key in two)
    return one[key], two[key]


def _missed(problem: OrderProblem, before: int, after: int, choice: Pair | None) -> tuple[int, int]:
    """A read of a transaction and the write of another one that replaces what it saw."""
    resolved, versions = problem.resolved, problem.versions
    writes = {
        int(resolved.write_key[at]): at
        for at in range(resolved.write_first[after], resolved.write_first[after + 1])
    }
    best: tuple[int, int] | None = None
    for at in range(resolved.read_first[before], resolved.read_first[before + 1]):
        write = writes.get(int(resolved.read_key[at]))
        if write is None or resolved.read_source[at] == after:
            continue
        found = int(resolved.read_op[at]), int(resolved.write_op[write])
        direct = versions.successor[versions.read[at]] == write
        chosen = choice is not None and write == problem.first[choice[1]]
        if direct or chosen:
            return found
        best = best or found
    assert best is not None
    return best


def _anomaly(kinds: list[int], level: str) -> str:
    missed = [kind == Edge.RW for kind in kinds]
    form = "-realtime" if Edge.REALTIME in kinds else "-process" if Edge.PROCESS in kinds else ""
    if not any(missed):
        name = "G1c" if Edge.WR in kinds else "G0"
    elif sum(missed) == 1:
        name = "G-single"
    elif any(one and two for one, two in pairwise([*missed, missed[0]])):
        name = "G2-item"
    else:
        name = "prefix-violation" if level.endswith("prefix") else "G-nonadjacent"
    return name + form


def _smallest(core: Core) -> list[tuple[int, int, int]]:
    """A short cycle as (node, next node, kind)."""
    out: list[list[tuple[int, int]]] = [[] for _ in range(core.nodes)]
    for source, target, kind in zip(
        core.source.tolist(), core.target.tolist(), core.kind.tolist(), strict=True
    ):
        out[source].append((target, kind))
    best: list[tuple[int, int, int]] = []
    for start in range(core.nodes):
        if best and start >= TRIED:
            break
        found = _back_to(out, start, len(best) or core.nodes + 1)
        if found and (not best or len(found) < len(best)):
            best = found
    assert best
    names = np.asarray(core.original).tolist()
    return [(names[source], names[target], kind) for source, target, kind in best]


def _back_to(
    out: list[list[tuple[int, int]]], start: int, shorter_than: int
) -> list[tuple[int, int, int]] | None:
    came: dict[int, tuple[int, int]] = {}
    queue = deque([(start, 0)])
    while queue:
        node, depth = queue.popleft()
        if depth + 1 >= shorter_than:
            return None
        for target, kind in out[node]:
            if target not in came:
                came[target] = (node, kind)
                queue.append((target, depth + 1))
        if start in came:
            break
    if start not in came:
        return None
    steps = []
    node = start
    while True:
        earlier, kind = came[node]
        steps.append((earlier, node, kind))
        node = earlier
        if node == start:
            return steps[::-1]
