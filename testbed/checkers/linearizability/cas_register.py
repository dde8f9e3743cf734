"""Judges registers with compare-and-set."""

from __future__ import annotations

from testbed.checkers.linearizability.cas_judge import judge_registers
from testbed.checkers.linearizability.cas_values import CasReader
from testbed.checkers.linearizability.judge import Promise, nothing
from testbed.checkers.linearizability.values import numbered
from testbed.checkers.operation_shapes import require_functions
from testbed.checkers.request import Request
from testbed.checkers.verdict import Verdict
from testbed.history.operation_table import Kind, OperationTable

PROMISE = Promise(
    "cas-register",
    "Each register behaves as if its reads, writes and compare-and-sets took effect one at a "
    "time, each between its invocation and its completion.",
)


def check(history: OperationTable, request: Request) -> Verdict:
    """Judge registers with ``read``, ``write`` and ``cas`` of ``[old, new]``, one a key.

    A compare-and-set that failed says nothing: it may have failed for another reason.

    Args:
        history: The operations.
        request: ``init`` is each register's value at the beginning.

    Raises:
        HistoryError: An operation is of another kind, or its value has another shape.
        OutOfBudgetError: It took too long.
    """
    require_functions(history, ("read", "write", "cas"))
    values = numbered(history, request.init, pairs_of="cas")
    reader = CasReader(history, values)
    if not (history.kind == Kind.OK).any():
        return nothing(PROMISE)
    return judge_registers(history, request, PROMISE, reader.read, values.text)
