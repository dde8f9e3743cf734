"""The order of sessions and of real time as edges: linear in the number of transactions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.kernel import kernel
from testbed.checkers.transactions.graph import DependencyGraph, Edge, Edges
from testbed.history.transaction_table import NEVER, Outcome, TransactionTable

_PROCESS = int(Edge.PROCESS)
_REALTIME = int(Edge.REALTIME)
_JOIN = int(Edge.JOIN)


def dependency_graph(
    table: TransactionTable, committed: NDArray[np.bool_], edges: Edges, nodes: int
) -> DependencyGraph:
    """Complete the dependencies of a history with the order of sessions and of real time.

    A transaction that is indeterminate may take effect later than what its client did next: it
    comes after what its session and real time put before it, and before nothing.

    Args:
        table: The transactions.
        committed: For each whether it counts as committed.
        edges: Dependencies WW, WR and RW among committed transactions, and JOIN.
        nodes: All nodes of ``edges``: the transactions and helpers after them.

    Returns:
        The graph; with real time only when the history has it.
    """
    parts = [edges, process_edges(table, committed)]
    if table.timed:
        realtime, nodes = realtime_edges(table, committed, nodes)
        parts.append(realtime)
    return DependencyGraph(len(table), nodes, Edges.joined(parts), table.timed)


def process_edges(table: TransactionTable, committed: NDArray[np.bool_]) -> Edges:
    """The transactions of each process as a chain, in the order of their invocations."""
    run = _process_kernel.for_rows(len(table))
    source, target, count = run(
        table.process, table.outcome == Outcome.OK, committed, len(table.process_names)
    )
    return Edges(source[:count], target[:count], np.full(count, _PROCESS, np.int8))


def realtime_edges(
    table: TransactionTable, committed: NDArray[np.bool_], nodes: int
) -> tuple[Edges, int]:
    """What completed before what was invoked.

    One helper node for each run of completions, the helpers in a chain: a transaction leads to the
    helper of its completion, and the last helper before its invocation leads to it. That is every
    pair of the interval order with a linear number of edges.

    Args:
        table: The transactions, in the order of their invocations.
        committed: For each whether it counts as committed.
        nodes: The first free number of a node.

    Returns:
        The edges and the number of nodes with the helpers.
    """
    rows = np.flatnonzero(committed & (table.outcome == Outcome.OK) & (table.end < NEVER))
    completed = rows[np.argsort(table.end[rows], kind="stable")]
    invoked = np.flatnonzero(committed)
    invoked = invoked[np.argsort(table.start[invoked], kind="stable")]
    run = _realtime_kernel.for_rows(len(table))
    source, target, kind, count, nodes = run(
        completed, table.end[completed], invoked, table.start[invoked], nodes
    )
    return Edges(source[:count], target[:count], kind[:count]), int(nodes)


@kernel
def _process_kernel(process: Any, certain: Any, committed: Any, processes: int) -> Any:
    source = np.empty(len(process), np.int32)
    target = np.empty(len(process), np.int32)
    last = np.full(processes, -1, np.int32)
    count = 0
    for row in range(len(process)):
        if not committed[row]:
            continue
        before = last[process[row]]
        if before >= 0:
            source[count] = before
            target[count] = row
            count += 1
        if certain[row]:
            last[process[row]] = row
    return source, target, count


@kernel
def _realtime_kernel(completed: Any, ends: Any, invoked: Any, starts: Any, nodes: int) -> Any:
    most = 2 * len(completed) + len(invoked) + 1
    source = np.empty(most, np.int32)
    target = np.empty(most, np.int32)
    kind = np.empty(most, np.int8)
    helper = -1
    count = 0
    done = 0
    for at in range(len(invoked)):
        if done < len(completed) and ends[done] < starts[at]:
            if helper >= 0:
                source[count] = helper
                target[count] = nodes
                kind[count] = _JOIN
                count += 1
            helper = nodes
            nodes += 1
        while done < len(completed) and ends[done] < starts[at]:
            source[count] = completed[done]
            target[count] = helper
            kind[count] = _REALTIME
            count += 1
            done += 1
        if helper >= 0:
            source[count] = helper
            target[count] = invoked[at]
            kind[count] = _JOIN
            count += 1
    return source, target, kind, count, nodes
