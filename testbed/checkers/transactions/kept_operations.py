"""What of a history counts: the reads of others and the last writes of committed transactions.

They are collected transaction by transaction, and the transactions are placed in their sessions.
"""

from __future__ import annotations

# A kernel takes its arrays one by one and is one loop: calls and objects would cost its speed.
# ruff: noqa: PLR0917
import numpy as np

from testbed.checkers.kernel import kernel
from testbed.checkers.transactions.resolved import INITIAL, OK, OWN, WRITE, Flags, Resolved, Rows
from testbed.history.operation_table import Integers, Small
from testbed.history.transaction_table import TransactionTable


def collect(table: TransactionTable, source: Rows, committed: Flags) -> Resolved:
    """Collect them.

    Args:
        table: The history.
        source: As of :class:`Resolved`.
        committed: Likewise.
    """
    rows, ops = len(table), len(table.key)
    read_first = np.zeros(rows + 1, np.int32)
    write_first = np.zeros(rows + 1, np.int32)
    count_kept.for_rows(ops)(
        table.first, table.access, source, table.outcome, committed, read_first, write_first
    )
    np.cumsum(read_first, out=read_first)
    np.cumsum(write_first, out=write_first)
    read_op = np.empty(int(read_first[-1]), np.int32)
    write_op = np.empty(int(write_first[-1]), np.int32)
    keep.for_rows(ops)(
        table.first, table.access, source, table.outcome, committed, read_op, write_op
    )
    previous = np.full(rows, -1, np.int32)
    chain = np.zeros(rows, np.int32)
    position = np.zeros(rows, np.int32)
    processes = int(table.process.max()) + 1 if rows else 0
    last = np.full(processes, -1, np.int32)
    chains = walk_sessions.for_rows(ops)(
        table.process, table.outcome, committed, last, previous, chain, position
    )
    return Resolved(
        table, committed, source, previous, chain, position, int(chains),
        read_first, table.key[read_op], source[read_op], read_op,
        write_first, table.key[write_op], write_op,
    )  # fmt: skip


@kernel
def count_kept(
    first: Integers,
    access: Small,
    source: Rows,
    outcome: Small,
    committed: Flags,
    read_first: Rows,
    write_first: Rows,
) -> int:
    """Count the reads of others and the last writes of each committed transaction."""
    for row in range(len(outcome)):
        if committed[row]:
            for op in range(first[row], first[row + 1]):
                if access[op] == WRITE:
                    write_first[row + 1] += source[op] == OWN
                elif source[op] >= INITIAL:
                    read_first[row + 1] += 1
    return 0


@kernel
def keep(
    first: Integers,
    access: Small,
    source: Rows,
    outcome: Small,
    committed: Flags,
    read_op: Rows,
    write_op: Rows,
) -> int:
    """Collect what :func:`count_kept` counted."""
    reads = 0
    writes = 0
    for row in range(len(outcome)):
        if committed[row]:
            for op in range(first[row], first[row + 1]):
                if access[op] == WRITE:
                    if source[op] == OWN:
                        write_op[writes] = op
                        writes += 1
                elif source[op] >= INITIAL:
                    read_op[reads] = op
                    reads += 1
    return reads


@kernel
def walk_sessions(
    process: Rows,
    outcome: Small,
    committed: Flags,
    last: Rows,
    previous: Rows,
    chain: Rows,
    position: Rows,
) -> int:
    """Place the committed transactions in their sessions; returns the number of chains."""
    chains = len(last)
    for row in range(len(process)):
        if not committed[row]:
            continue
        before = last[process[row]]
        previous[row] = before
        if outcome[row] == OK:
            chain[row] = process[row]
            if before >= 0:
                position[row] = position[before] + 1
            last[process[row]] = row
        else:
            chain[row] = chains
            chains += 1
    return chains
