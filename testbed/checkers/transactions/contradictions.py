"""Reads of unique-value registers that contradict what their own transaction read or wrote before.

What a read saw may be wrong besides, be it that nobody wrote it or that its writer failed: here is
asked only whether a transaction agrees with itself.
"""

from __future__ import annotations

# A kernel takes its arrays one by one and is one loop: calls and objects would cost its speed.
# ruff: noqa: PLR0917
import numpy as np
from numpy.typing import NDArray

from testbed.checkers.kernel import kernel
from testbed.checkers.transactions.resolved import NOT_READ, OK, OWN, WRITE, Resolved, Rows
from testbed.history.operation_table import Integers, Small


def contradictions(resolved: Resolved) -> tuple[Integers, Integers]:
    """Micro-operations that contradict each other: one of a key and, after it, a read of the key.

    The earlier one is the transaction's last write of the key, or its first read if it has not
    written it by then.
    """
    table = resolved.table
    keys = max(len(table.keys), 1)
    earlier, later = (np.empty(len(table.key), np.int64) for _ in range(2))
    found = find_contradictions.for_rows(len(table.key))(
        table.first, table.access, table.key, table.value, table.outcome,
        resolved.source, np.full(keys, -1, np.int64), earlier, later,
    )  # fmt: skip
    return earlier[:found].copy(), later[:found].copy()


@kernel
def find_contradictions(
    first: Integers,
    access: Small,
    key: Rows,
    value: Rows,
    outcome: Small,
    source: Rows,
    known: NDArray[np.int64],
    earlier: Integers,
    later: Integers,
) -> int:
    """Walk each transaction; ``known`` is for each key the micro-operation that told of it."""
    found = 0
    for row in range(len(outcome)):
        if outcome[row] != OK:
            continue
        for op in range(first[row], first[row + 1]):
            told = known[key[op]]
            if access[op] == WRITE:
                known[key[op]] = op
            elif source[op] == NOT_READ:
                continue
            elif told < first[row]:
                known[key[op]] = op
            else:
                own = access[told] == WRITE
                if (own and source[op] != OWN) or (not own and value[op] != value[told]):
                    earlier[found] = told
                    later[found] = op
                    found += 1
    return found
