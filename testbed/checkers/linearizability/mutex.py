"""Judges locks: a register that is held or free, which each operation compares and sets."""

from __future__ import annotations

import numpy as np

from testbed.checkers.linearizability.calls import Calls
from testbed.checkers.linearizability.cas_arrays import CAS
from testbed.checkers.linearizability.cas_judge import judge_registers
from testbed.checkers.linearizability.cas_problem import CasOperations
from testbed.checkers.linearizability.judge import Promise, nothing
from testbed.checkers.operation_shapes import require_functions
from testbed.checkers.request import Request, RequestError
from testbed.checkers.verdict import Verdict
from testbed.history.operation_table import Kind, OperationTable

PROMISE = Promise(
    "mutex",
    "The lock is acquired only while it is free and released only while it is held, each at one "
    "moment between invocation and completion.",
)


def check(history: OperationTable, request: Request) -> Verdict:
    """Judge locks with ``acquire`` and ``release``, one a key; who holds it does not matter.

    Args:
        history: The operations; their values are not looked at.
        request: ``init`` is whether the lock is held at the beginning.

    Raises:
        HistoryError: An operation is of another kind.
        RequestError: ``init`` is neither true nor false.
        OutOfBudgetError: It took too long.
    """
    require_functions(history, ("acquire", "release"))
    if not isinstance(request.init, bool | None):  # 1 is neither, though it equals true
        raise RequestError(["expected true or false as the initial state of a lock"])
    if not (history.kind == Kind.OK).any():
        return nothing(PROMISE)
    acquire = history.function("acquire")

    def read(calls: Calls) -> CasOperations:
        calls = calls.only(calls.outcome != Kind.FAIL)
        first = (calls.f != acquire).astype(np.int64)
        return CasOperations(
            code=np.full(len(calls), CAS),
            first=first,
            second=1 - first,
            start=calls.start,
            end=calls.end,
            initial=int(bool(request.init)),
            names=np.arange(2),
        )

    return judge_registers(history, request, PROMISE, read, ("free", "held").__getitem__)
