"""Judges registers with compare-and-set in which a failed one is informative, as in etcd."""

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
    "etcd-cas-register",
    "Each register behaves as if its reads, writes and compare-and-sets took effect one at a "
    "time, each between its invocation and its completion; a compare-and-set that failed found "
    "another value.",
)


def check(history: OperationTable, request: Request) -> Verdict:
    """Judge registers with ``read``, ``write`` and ``cas`` of ``[old, new]``, one a key.

    A compare-and-set that failed found another value at some moment between its invocation and
    its completion, as in Porcupine's model of etcd; other failures say nothing.

    Args:
        history: The operations.
        request: ``init`` is each register's value at the beginning; a register that does not
            exist is null, and no ``old`` is equal to that.

    Raises:
        HistoryError: An operation is of another kind, or its value has another shape.
        OutOfBudgetError: It took too long.
    """
    require_functions(history, ("read", "write", "cas"))
    values = numbered(history, request.init, pairs_of="cas")
    reader = CasReader(history, values, failed_differs=True)
    informative = (history.kind == Kind.FAIL) & (history.f == history.function("cas"))
    if not ((history.kind == Kind.OK) | informative).any():
        return nothing(PROMISE)
    return judge_registers(history, request, PROMISE, reader.read, values.text)
