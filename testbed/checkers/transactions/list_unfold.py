"""Transactions over lists taken apart: their single reads and appends, updates and readers.

For the levels that ask at which of its reads a transaction missed what, or what all updates and one
reader show (Adya, "Weak Consistency", MIT 1999: unfolded graphs, PL-2L, PL-MSR and PL-3U).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.transactions.cycles import Core
from testbed.checkers.transactions.graph import Edge
from testbed.checkers.transactions.list_dependencies import Successors
from testbed.checkers.transactions.list_versions import Versions
from testbed.checkers.transactions.shapes import FORM_KINDS
from testbed.checkers.transactions.time_order import realtime_edges
from testbed.history.transaction_table import Access, Outcome, TransactionTable

UNFOLDED_MAX = 60_000
"""Micro-operations that are taken apart one by one: it is only done to what lies on circles."""


@dataclass
class _Graph:
    """Nodes with the transaction that they belong to, -1 for none, and edges."""

    original: list[int] = field(default_factory=list)
    edges: list[tuple[int, int, Edge]] = field(default_factory=list)

    def node(self, row: int = -1) -> int:
        self.original.append(row)
        return len(self.original) - 1

    def add(self, source: int, target: int, kind: Edge) -> None:
        self.edges.append((source, target, kind))

    def collector(self, targets: list[int]) -> int:
        """A helper that leads to all of some nodes."""
        helper = self.node()
        for target in targets:
            self.add(helper, target, Edge.JOIN)
        return helper

    def core(self) -> Core:
        columns = np.array(self.edges, np.int64).reshape(-1, 3)
        return Core(
            np.array(self.original, np.int64),
            columns[:, 0].astype(np.int32),
            columns[:, 1].astype(np.int32),
            columns[:, 2].astype(np.int8),
        )


@dataclass(frozen=True)
class ListUnfolding:
    """Takes some of the transactions of a history apart.

    Args:
        table: The transactions.
        versions: The version orders.
        successors: What overwrites each version.
        committed: For each transaction whether it counts as committed.
        unread: For each of ``successors.unseen`` the one right before it, -1 for what is shown;
            without it they all come after what is shown.
    """

    table: TransactionTable
    versions: Versions
    successors: Successors
    committed: NDArray[np.bool_]
    unread: NDArray[np.int32] | None = None

    def fits(self, inside: NDArray[np.bool_]) -> bool:
        """Whether there are few enough to take them apart."""
        return int(np.diff(self.table.first)[inside].sum()) <= UNFOLDED_MAX

    def by_reader(self, inside: NDArray[np.bool_], form: str) -> Core:
        """Transactions whole, and once more as the steps at which others reach them.

        A way along what depends on a transaction ends at a step of a reader and goes on to its
        later reads; what those missed leads to transactions again. So a circle with one RW is one
        of the graph in which its reader alone is unfolded.
        """
        graph, whole, step = self._steps(inside)
        for row, op, kind in self._arrivals(inside):
            graph.add(whole[row], step[op], kind)
            graph.add(whole[row], whole[self._row(op)], kind)
        self._add_missed(graph, inside, whole, step)
        begin = {row: whole[row] + 1 for row in whole}
        self._add_time(graph, inside, form, whole, whole, begin)
        return graph.core()

    def by_step(self, inside: NDArray[np.bool_], form: str) -> Core:
        """Each transaction as its steps and then its commit.

        What others wrote had been committed before the step that saw or replaced it, and what a
        read missed is committed after it: each read has a snapshot, later ones no older one.
        """
        graph, whole, step = self._steps(inside)
        for row, op, kind in self._arrivals(inside):
            graph.add(whole[row], step[op], kind)
        for row, node in whole.items():
            graph.add(node + 1 + self._size(row), node, Edge.JOIN)
        self._add_missed(graph, inside, whole, step)
        begin = {row: whole[row] + 1 for row in whole}
        self._add_time(graph, inside, form, whole, begin)
        return graph.core()

    def updates_and_readers(self, inside: NDArray[np.bool_], form: str) -> tuple[Core, int]:
        """Updates whole; a transaction that wrote nothing has two nodes, and no way leads through.

        Returns:
            The graph, and the number of its last edges: each from the end of a reader back to its
            beginning, which closes a circle of updates and this one reader.
        """
        graph = _Graph()
        source: dict[int, int] = {}
        target: dict[int, int] = {}
        for row in np.flatnonzero(inside).tolist():
            target[row] = source[row] = graph.node(row)
            if not self._writes(row):
                source[row] = graph.node(row)
        for row, op, kind in self._arrivals(inside):
            graph.add(source[row], target[self._row(op)], kind)
        starts = {op: source[row] for row in source for op in self._ops(row)}
        self._add_missed(graph, inside, target, starts)
        self._add_time(graph, inside, form, source, target)
        readers = [row for row in source if source[row] != target[row]]
        for row in readers:
            graph.add(target[row], source[row], Edge.JOIN)
        return graph.core(), len(readers)

    def _steps(self, inside: NDArray[np.bool_]) -> tuple[_Graph, dict[int, int], dict[int, int]]:
        """A node for each transaction; after it one for its begin and one for each step."""
        graph = _Graph()
        whole: dict[int, int] = {}
        step: dict[int, int] = {}
        for row in np.flatnonzero(inside).tolist():
            whole[row] = graph.node(row)
            nodes = [graph.node(row)]
            for op in self._ops(row):
                step[op] = graph.node(row)
                nodes.append(step[op])
            for one, two in pairwise(nodes):
                graph.add(one, two, Edge.JOIN)
        return graph, whole, step

    def _ops(self, row: int) -> range:
        return range(int(self.table.first[row]), int(self.table.first[row + 1]))

    def _size(self, row: int) -> int:
        return len(self._ops(row))

    def _row(self, op: int) -> int:
        return int(np.searchsorted(self.table.first, op, side="right")) - 1

    def _writes(self, row: int) -> bool:
        return any(self.table.access[op] == Access.APPEND for op in self._ops(row))

    def _arrivals(self, inside: NDArray[np.bool_]) -> Iterator[tuple[int, int, Edge]]:
        """(transaction, micro-operation that saw or replaced what it wrote, WR or WW)."""
        versions, table = self.versions, self.table
        for row in np.flatnonzero(inside).tolist():
            for op in self._ops(row):
                key, place = int(table.key[op]), int(versions.place[op])
                if table.access[op] == Access.APPEND:
                    before = self._replaced(row, op)
                    if before >= 0 and before != row and inside[before]:
                        yield before, op, Edge.WW
                elif place > 0 and table.outcome[row] == Outcome.OK:
                    source = int(versions.writer[versions.base[key] + place - 1])
                    if source >= 0 and source != row and inside[source]:
                        yield source, op, Edge.WR

    def _replaced(self, row: int, op: int) -> int:
        """Who wrote the version before the one that an append completes; -1 for nobody."""
        versions, key = self.versions, int(self.table.key[op])
        if versions.superseded[op]:
            return -1
        if versions.place[op] < -1 and self.unread is not None:
            before = int(self.unread[self.successors.unseen_starts[key] - 2 - versions.place[op]])
            if before >= 0:
                return before
        # What no read shows comes after all that is shown, also what its transaction shows itself.
        place = int(versions.place[op] if versions.place[op] >= 0 else versions.length[key])
        place += int(versions.base[key])
        while place >= versions.base[key]:
            writer = int(versions.writer[place])
            if writer >= 0 and writer != row and self.committed[writer]:
                return writer
            place -= 1
        return -1

    def _add_missed(
        self,
        graph: _Graph,
        inside: NDArray[np.bool_],
        whole: dict[int, int],
        step: dict[int, int],
    ) -> None:
        """RW from each read to who wrote the next version."""
        versions, after, table = self.versions, self.successors, self.table
        collectors: dict[int, int] = {}
        for op, node in step.items():
            key, place = int(table.key[op]), int(versions.place[op])
            row = graph.original[node]
            if table.access[op] != Access.READ or place < 0:
                continue
            follows = int(after.following[versions.base[key] + place])
            if follows >= 0:
                writer = int(versions.writer[follows])
                if writer != row and inside[writer]:
                    graph.add(node, whole[writer], Edge.RW)
                continue
            unseen = after.unseen[after.unseen_starts[key] : after.unseen_starts[key + 1]]
            later = [whole[other] for other in unseen.tolist() if inside[other]]
            if whole[row] not in later:
                if later and key not in collectors:
                    collectors[key] = graph.collector(later)
                later = [collectors[key]] if later else []
            for each in later:
                if each != whole[row]:
                    graph.add(node, each, Edge.RW)

    def _add_time(
        self,
        graph: _Graph,
        inside: NDArray[np.bool_],
        form: str,
        leaves: dict[int, int],
        *enters: dict[int, int],
    ) -> None:
        """The order of sessions and of real time as far as the form has it, by helpers.

        Args:
            graph: Where it is added.
            inside: The transactions.
            form: Of the anomaly looked for.
            leaves: For each transaction the node from which it leads.
            enters: For each transaction the nodes to which it leads.
        """
        kinds = FORM_KINDS[form]
        if Edge.PROCESS in kinds:
            latest: dict[int, int] = {}
            for row in np.flatnonzero(inside).tolist():
                process = int(self.table.process[row])
                before = latest.get(process)
                into = [way[row] for way in enters]
                if self.table.outcome[row] == Outcome.OK:
                    latest[process] = graph.node()
                    graph.add(leaves[row], latest[process], Edge.PROCESS)
                    into.append(latest[process])
                if before is not None:
                    for node in into:
                        graph.add(before, node, Edge.JOIN)
        if Edge.REALTIME in kinds:
            edges, nodes = realtime_edges(self.table, inside, len(inside))
            shift = len(graph.original) - len(inside)
            graph.original += [-1] * (nodes - len(inside))
            for source, target, kind in zip(
                edges.source.tolist(), edges.target.tolist(), edges.kind.tolist(), strict=True
            ):
                real = target < len(inside)
                one = leaves[source] if source < len(inside) else source + shift
                for two in [way[target] for way in enters] if real else [target + shift]:
                    graph.add(one, two, Edge(kind))
