"""Values grow in the order of time: rows that say when they were written, or one counter.

Two workloads of Jepsen's tests share the name.

Rows (CockroachDB: each ``add`` inserts the greatest value plus one with the time of its
transaction; a final ``read`` returns all rows in the order of that time). In the final read times
never decrease, values strictly increase, none is there twice, every value whose add was
acknowledged before it began is there, and none whose add surely failed.

A counter (FaunaDB: ``inc`` and ``read`` return a value, or ``[time, value]``). What one process
gets from one operation to its next decreases neither in value nor in time; and of all ``inc`` and
``read-at`` in the order of their times no value is below an earlier one.

Sources: https://jepsen.io/analyses/cockroachdb-beta-20160829 and
https://jepsen.io/analyses/faunadb-2.5.4.
"""

from __future__ import annotations

from testbed.checkers.collections.calls import calls
from testbed.checkers.collections.monotonic_counter import check_counter
from testbed.checkers.collections.monotonic_rows import check_rows
from testbed.checkers.request import Request
from testbed.checkers.verdict import Verdict
from testbed.history.operation_table import OperationTable


def check(history: OperationTable, request: Request) -> Verdict:
    """Judge rows where there is an ``add`` or a read of rows, else a counter: O(n log n).

    Args:
        history: Rows: ``add``, whose completion says ``{"val": .., "sts": ..}``, ``[value, time]``
            or the value; ``read`` with a list of such. Counter: ``inc``, ``read``, ``read-at``,
            whose completions say ``[time, value]`` or the value.
        request: Nothing of it is needed but the budget.

    Raises:
        HistoryError: A value has another shape, or times cannot be compared.
        OutOfBudgetError: It took too long.
    """
    request.budget.note("no read was judged yet")
    if history.function("add") >= 0 or _reads_rows(history):
        return check_rows(history)
    return check_counter(history)


def _reads_rows(history: OperationTable) -> bool:
    """Whether what reads return is a list of rows."""
    reads = calls(history, "read").ok
    first = history.value(int(reads.ended[0])) if len(reads) else None
    return isinstance(first, list) and (not first or isinstance(first[0], list | dict))
