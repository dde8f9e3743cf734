"""Judges stacks: last in, first out."""

from __future__ import annotations

import dataclasses

import numpy as np

from testbed.checkers.budget import Budget
from testbed.checkers.linearizability.calls import NEVER, Calls
from testbed.checkers.linearizability.container import (
    Container,
    container_of,
    contents,
    rows_of,
    stuck,
)
from testbed.checkers.linearizability.container_search import Discipline, searched
from testbed.checkers.linearizability.judge import Promise, Stuck, judge_keys, nothing
from testbed.checkers.linearizability.queue_order import never_empty, within_all_the_while
from testbed.checkers.linearizability.stack_peel import core
from testbed.checkers.request import Request
from testbed.checkers.verdict import Verdict
from testbed.history.operation_table import Integers, Kind, OperationTable

PROMISE = Promise(
    "stack",
    "The stack behaves as if values were pushed and popped one at a time, each between "
    "invocation and completion, and the last one in comes out first.",
)


def check(history: OperationTable, request: Request) -> Verdict:
    """Judge stacks with ``push`` and ``pop``, one a key.

    A pop of null found the stack empty; one that failed did nothing.

    Args:
        history: The operations.
        request: ``init`` is a list of what is on the stack at the beginning, the top last.

    Raises:
        RequestError: ``init`` is no list.
        HistoryError: An operation is of another kind, or pushes null.
        OutOfBudgetError: It took too long.
    """
    values, initial = contents(history, request, "push", "pop")
    if not (history.kind == Kind.OK).any():
        return nothing(PROMISE)

    def decide(calls: Calls) -> Stuck | None:
        stack = container_of(history, values, calls, "push", initial)
        if isinstance(stack, Stuck):
            return stack
        if stack is not None:
            wrong = _wrong(history, loosely(stack), request.budget)
            if wrong is not None or not len(stack.loose):
                return wrong
            if any(_wrong(history, one, request.budget) is None for one in _guesses(stack)):
                return None
        return searched(
            history, values, calls, request.budget, Discipline("push", -1, tuple(initial))
        )

    return judge_keys(history, request, PROMISE, decide)


def loosely(stack: Container) -> Container:
    """As if each loose pop could have taken any number of values: nothing is allowed less."""
    if not len(stack.loose):
        return stack
    stays = stack.out_end == NEVER
    return _with_out(stack, np.where(stays, stack.loose[0], stack.out_start))


def _with_out(stack: Container, out_start: Integers) -> Container:
    return dataclasses.replace(stack, out_start=out_start)


def _guesses(stack: Container) -> list[Container]:
    """Ways in which loose pops may have taken values."""
    stays = np.flatnonzero(stack.out_end == NEVER)
    guesses = []
    for by in (-stack.in_start, stack.in_start):
        out = stack.out_start.copy()
        left = stays[np.argsort(by[stays], kind="stable")].tolist()
        for moment in stack.loose.tolist():
            chosen = next((value for value in left if stack.in_start[value] < moment), None)
            if chosen is not None:
                left.remove(chosen)
                out[chosen] = moment
        guesses.append(_with_out(stack, out))
    return guesses


def _wrong(history: OperationTable, stack: Container, budget: Budget) -> Stuck | None:
    everything = np.arange(len(stack.value))
    empty = never_empty(stack, everything, everything[:0])
    if empty is not None:
        found = within_all_the_while(stack, empty)
        rows = [int(stack.empty_start[empty]), *rows_of(stack, found)]
        return stuck(history, rows, "not-empty", "it was found empty while something was within")
    left = core(stack, budget)
    if not len(left):
        return None
    text = "of these values none can lie below the others while it is on the stack"
    return stuck(history, rows_of(stack, left.tolist()), "order", text)
