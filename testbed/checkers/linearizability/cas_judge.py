"""Judges a register's operations by the layers of its search, each key by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from testbed.checkers.budget import Budget
from testbed.checkers.linearizability.calls import NEVER, Calls
from testbed.checkers.linearizability.cas_arrays import CAS, DIFFERS, READ
from testbed.checkers.linearizability.cas_problem import CasOperations, problem_of
from testbed.checkers.linearizability.cas_search import decide
from testbed.checkers.linearizability.judge import Promise, Stuck, judge_keys
from testbed.checkers.linearizability.sequential import Call, search
from testbed.checkers.request import Request
from testbed.checkers.verdict import Verdict
from testbed.history.operation_table import OperationTable


def judge_registers(
    history: OperationTable,
    request: Request,
    promise: Promise,
    read: Callable[[Calls], CasOperations],
    named: Callable[[int], str],
    *,
    only_keys: Iterable[int] | None = None,
) -> Verdict:
    """Judge what behaves as a register.

    Args:
        history: The operations.
        request: For the budget.
        promise: What is judged.
        read: A key's calls as operations of a register.
        named: What to call a value, of its name in the operations.
        only_keys: Keys to judge; the others are left out.
    """

    def decide_key(calls: Calls) -> Stuck | None:
        return _stuck(read(calls).simplified(), request.budget, named)

    return judge_keys(history, request, promise, decide_key, only_keys)


def _stuck(operations: CasOperations, budget: Budget, named: Callable[[int], str]) -> Stuck | None:
    def states(values: Iterable[int]) -> tuple[str, ...]:
        return tuple(named(int(operations.names[value])) for value in values)

    problem = problem_of(operations)
    if problem is None:
        general = search(general_calls(operations), operations.initial, step, budget)
        if general.valid:
            return None
        possible = states(general.states)
        return Stuck(general.valid, general.row, possible, general.pending, general.why)
    found = decide(problem, budget)
    if found.valid:
        return None
    row = int(operations.end[problem.tables.events[found.event] >> 1])
    why = f"undecided with {found.room:,} configurations kept"
    pending = operations.start[(operations.start < row) & (operations.end > row)]
    return Stuck(found.valid, row, states(found.values), tuple(pending.tolist()), why)


def general_calls(operations: CasOperations) -> list[Call]:
    """For the general search, which has no limit on what is pending."""
    columns = (operations.start, operations.end, operations.code, operations.first)
    rows = zip(*(column.tolist() for column in (*columns, operations.second)), strict=True)
    return [
        Call(
            start,
            end if end < NEVER else int(NEVER),
            (code, first, second),
            code in (READ, DIFFERS),
        )
        for start, end, code, first, second in rows
    ]


def step(state: int, what: tuple[int, int, int]) -> int | None:
    """The register's value after an operation, None where it is not allowed."""
    code, first, second = what
    if code == READ:
        return state if state == first else None
    if code == DIFFERS:
        return state if state != first else None
    if code == CAS:
        return second if state == first else None
    return first
