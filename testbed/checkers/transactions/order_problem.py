"""Levels as graphs: a level holds when some order of the versions leaves its graph acyclic.

After the characterizations of Cerone and Gotsman (JACM 2018) and Biswas and Enea (OOPSLA 2019),
with D for session order (or real time), reads-from and version order, and RW for "read a version
that the other one's replaces":

- serializable: no cycle of D and RW;
- snapshot isolation: no cycle of (D, then at most one RW);
- prefix: no cycle of (session or reads-from, then at most one RW) and version order;
- parallel snapshot isolation: D has no cycle, and none that one RW closes.

The second and third are graphs with two nodes a transaction, its beginning (reads) and its commit
(writes), as in Viper (EuroSys 2023): D leads from a commit to a beginning, RW from a beginning to a
commit, version order under prefix from a commit to a commit. The fourth is the graph of D with
forbidden paths. A node for each version that was read collects its readers, so that the graph is
linear in the history.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.transactions.graph import Edge
from testbed.checkers.transactions.level import named
from testbed.checkers.transactions.resolved import Resolved
from testbed.checkers.transactions.time_order import realtime_edges
from testbed.checkers.transactions.version_chains import Versions

Nodes = NDArray[np.int64]


@dataclass(frozen=True)
class Rules:
    """How a level becomes a graph.

    Args:
        split: Whether a transaction has two nodes, its beginning and its commit.
        tight: Whether lost updates are excluded, so that chains of versions hold together.
        commits_only: Whether version order leads from commit to commit.
        missed_is_edge: Whether RW is an edge; else a forbidden path.
        realtime: Whether real time orders transactions.
    """

    split: bool = False
    tight: bool = True
    commits_only: bool = False
    missed_is_edge: bool = True
    realtime: bool = False


RULES = {
    "prefix": Rules(split=True, tight=False, commits_only=True),
    "parallel-snapshot-isolation": Rules(missed_is_edge=False),
    "snapshot-isolation": Rules(split=True),
    "serializable": Rules(),
}
RULES |= {named("strong-" + level): replace(rules, realtime=True) for level, rules in RULES.items()}


@dataclass(frozen=True)
class Labelled:
    """Edges of the graph, and what they are.

    Args:
        source: Nodes.
        target: Nodes.
        kind: See :class:`Edge`; ``JOIN`` leads out of a node that is no transaction.
    """

    source: Nodes
    target: Nodes
    kind: NDArray[np.int8]

    @staticmethod
    def joined(parts: list[tuple[Nodes, Nodes, Edge | NDArray[np.int8]]]) -> Labelled:
        """Several sets of edges as one."""
        return Labelled(
            np.concatenate([part[0] for part in parts]).astype(np.int64),
            np.concatenate([part[1] for part in parts]).astype(np.int64),
            np.concatenate(
                [np.broadcast_to(np.asarray(part[2], np.int8), len(part[0])) for part in parts]
            ),
        )


@dataclass(frozen=True)
class OrderProblem:
    """The graph of a level and the pairs of chains that may come in either order.

    Args:
        resolved: The history.
        versions: Its versions.
        rules: How the level became a graph.
        nodes: How many nodes.
        edges: What is there in any case.
        forbidden: Rows ``(u, v)``: no path from ``v`` to ``u``.
        key: The key of each chain that is not the initial one.
        first: Its first version.
        last: Its last version.
        readers: For each version the node of its readers, -1 where nobody read it.
    """

    resolved: Resolved
    versions: Versions
    rules: Rules
    nodes: int
    edges: Labelled
    forbidden: Nodes
    key: Nodes
    first: Nodes
    last: Nodes
    readers: Nodes

    def begin(self, rows: Nodes) -> Nodes:
        """The node at which transactions read."""
        return rows * 2 if self.rules.split else rows

    def commit(self, rows: Nodes) -> Nodes:
        """The node at which transactions write."""
        return rows * 2 + 1 if self.rules.split else rows

    def row(self, node: int) -> int:
        """The transaction of a node, -1 for a node that is none."""
        row = node // 2 if self.rules.split else node
        return row if row < len(self.resolved) else -1

    def overwrites(self, before: Nodes, after: Nodes) -> tuple[Nodes, Nodes]:
        """Edges WW from versions to versions that come later; not from the initial state."""
        row = self.versions.row.astype(np.int64)
        into = self.commit if self.rules.commits_only else self.begin
        return self.commit(row[before]), into(row[after])

    def misses(self, before: Nodes, after: Nodes) -> tuple[Nodes, Nodes]:
        """Edges from the readers of versions to the writers of later ones; they must have some."""
        row = self.versions.row.astype(np.int64)
        return self.readers[before], self.commit(row[after])

    def pairs(self) -> int:
        """How many pairs of chains of one key there are."""
        _, counts = np.unique(self.key, return_counts=True)
        return int((counts * (counts - 1) // 2).sum())


def order_problem(resolved: Resolved, versions: Versions, rules: Rules) -> OrderProblem:
    """Build the graph of a level."""
    rows = len(resolved)
    first, last, initial_last = _chains(resolved, versions, tight=rules.tight)
    transactions = rows * 2 if rules.split else rows
    time, nodes = _time(resolved, rules, transactions)
    read = np.unique(versions.read[_collected(versions, rules)])
    readers = np.full(len(versions.row), -1, np.int64)
    readers[read] = nodes + np.arange(len(read))
    problem = OrderProblem(
        resolved, versions, rules, nodes + len(read), Labelled.joined([_none()]),
        np.zeros((0, 2), np.int64), versions.key[first].astype(np.int64), first, last, readers,
    )  # fmt: skip
    parts, missed = _dependencies(problem, initial_last)
    parts += time
    if rules.split:
        every = np.flatnonzero(resolved.committed)
        parts.append((problem.begin(every), problem.commit(every), Edge.JOIN))
    forbidden = np.zeros((0, 2), np.int64)
    if rules.missed_is_edge:
        parts.append((*missed, Edge.JOIN))
    else:
        forbidden = np.stack(missed, axis=1)
    return OrderProblem(
        resolved, versions, rules, problem.nodes, Labelled.joined(parts), forbidden,
        problem.key, first, last, readers,
    )  # fmt: skip


Part = tuple[Nodes, Nodes, Edge | NDArray[np.int8]]


def _none() -> Part:
    empty = np.zeros(0, np.int64)
    return empty, empty, Edge.JOIN


def _chains(resolved: Resolved, versions: Versions, *, tight: bool) -> tuple[Nodes, Nodes, Nodes]:
    """First and last version of each chain that a blind write begins; last of the initial ones."""
    writes = len(resolved.write_op)
    initial = np.arange(writes, len(versions.row), dtype=np.int64)
    if not tight:
        every = np.arange(writes, dtype=np.int64)
        return every, every, initial
    first = np.flatnonzero(versions.replaced[:writes] < 0)
    ends = np.concatenate([first, initial])
    successor = versions.successor
    # Chains double in length with each step of pointer jumping.
    jump = np.where(successor >= 0, successor, np.arange(len(successor)))
    while True:
        further = jump[jump]
        if np.array_equal(further, jump):
            break
        jump = further
    ends = jump[ends]
    return first, ends[: len(first)], ends[len(first) :]


def _time(resolved: Resolved, rules: Rules, transactions: int) -> tuple[list[Part], int]:
    """The order of sessions, and that of real time with its helpers from ``transactions`` on."""
    rows = len(resolved)
    scale = 2 if rules.split else 1
    later = np.flatnonzero(resolved.previous >= 0)
    earlier = resolved.previous[later].astype(np.int64)
    late = scale - 1
    parts: list[Part] = [(earlier * scale + late, later * scale, Edge.PROCESS)]
    if not rules.realtime:
        return parts, transactions
    edges, nodes = realtime_edges(resolved.table, resolved.committed, rows)
    source, target = edges.source.astype(np.int64), edges.target.astype(np.int64)
    shift = transactions - rows
    parts.append(
        (
            np.where(source < rows, source * scale + late, source + shift),
            np.where(target < rows, target * scale, target + shift),
            edges.kind,
        )
    )
    return parts, nodes + shift


def _collected(versions: Versions, rules: Rules) -> NDArray[np.bool_]:
    """Reads that a node of readers collects.

    A reader that replaces the version itself comes, where chains are tight, before whatever comes
    after its own version.
    """
    return ~versions.overwritten if rules.tight else np.ones(len(versions.read), np.bool_)


def _dependencies(
    problem: OrderProblem, initial_last: Nodes
) -> tuple[list[Part], tuple[Nodes, Nodes]]:
    """What is known of the data: edges, and pairs of readers and later writers."""
    resolved, versions = problem.resolved, problem.versions
    reader = np.repeat(np.arange(len(resolved)), np.diff(resolved.read_first))
    source = resolved.read_source.astype(np.int64)
    seen = source >= 0
    collected = _collected(versions, problem.rules)
    parts: list[Part] = [
        (problem.commit(source[seen]), problem.begin(reader[seen]), Edge.WR),
        (
            problem.begin(reader[collected]),
            problem.readers[versions.read[collected]],
            Edge.RW,
        ),
    ]
    # The chain of the initial state comes before all others of its key.
    writes = len(resolved.write_op)
    top = initial_last[problem.key]
    written = top < writes
    parts.append((*problem.overwrites(top[written], problem.first[written]), Edge.WW))
    before, after = [top], [problem.first]
    if problem.rules.tight:
        linked = np.flatnonzero(versions.successor >= 0)
        before.append(linked)
        after.append(versions.successor[linked])
    all_before, all_after = np.concatenate(before), np.concatenate(after)
    read = problem.readers[all_before] >= 0
    missed = problem.misses(all_before[read], all_after[read])
    return parts, missed
