"""Judges keys whose values are texts that grow: appends and reads."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from testbed.checkers.brief import brief
from testbed.checkers.budget import Budget
from testbed.checkers.linearizability.calls import NEVER, Calls
from testbed.checkers.linearizability.judge import Promise, Stuck, judge_keys, nothing
from testbed.checkers.linearizability.sequential import Call, search
from testbed.checkers.linearizability.text_chain import (
    TextCall,
    TextFinding,
    incompatible,
    out_of_time,
    taken_apart,
    without_effect,
)
from testbed.checkers.operation_shapes import refuse, require_functions
from testbed.checkers.request import Request, RequestError
from testbed.checkers.row_view import row_text, shown_row
from testbed.checkers.verdict import Verdict
from testbed.history.operation_table import Kind, OperationTable, Tag

PROMISE = Promise(
    "kv-append",
    "Each key behaves as if appends to its text and reads of it took effect one at a time, each "
    "between its invocation and its completion.",
)


def check(history: OperationTable, request: Request) -> Verdict:
    """Judge keys with ``append`` and ``read`` of texts; null is the empty one.

    Args:
        history: The operations.
        request: ``init`` is each key's text at the beginning.

    Raises:
        HistoryError: An operation is of another kind, or its value is no text.
        RequestError: ``init`` is no text.
        OutOfBudgetError: It took too long.
    """
    require_functions(history, ("append", "read"))
    if not isinstance(request.init, str | None):
        raise RequestError(["expected a text as the initial value"])
    _require_texts(history)
    if not (history.kind == Kind.OK).any():
        return nothing(PROMISE)
    initial = request.init or ""

    def decide(calls: Calls) -> Stuck | None:
        appends, reads = _texts(history, calls)
        found = incompatible(reads, initial)
        if found is not None or not reads:
            return None if found is None else _stuck(history, found)
        longest = max(reads, key=lambda read: len(read.text))
        appends = without_effect(appends, longest.text)
        chain = taken_apart(longest.text, initial, appends)
        if isinstance(chain, TextFinding):
            return _stuck(history, dataclasses.replace(chain, rows=(longest.start,)))
        if chain is None:
            return _searched(appends, reads, initial, request.budget)
        found = out_of_time(chain, reads, appends, initial)
        return None if found is None else _stuck(history, found)

    return judge_keys(history, request, PROMISE, decide)


def _require_texts(history: OperationTable) -> None:
    other = np.flatnonzero(history.tag == Tag.OTHER)
    texts = np.array([isinstance(value, str) for value in history.others], dtype=bool)
    fine = history.tag == Tag.NULL
    fine[other] = texts[history.payload[other]]
    appends = history.f == history.function("append")
    fine[appends & (history.kind == Kind.INVOKE) & (history.tag == Tag.NULL)] = False
    refuse(history, ~fine, "expected a text as the value of '%s'")


def _texts(history: OperationTable, calls: Calls) -> tuple[list[TextCall], list[TextCall]]:
    """Appends that may have taken effect, and reads whose result is known."""
    append = history.function("append")
    appends, reads = [], []
    columns = (calls.f, calls.start, calls.end, calls.outcome)
    for f, start, end, outcome in zip(*(column.tolist() for column in columns), strict=True):
        if outcome == Kind.FAIL:
            continue
        if f == append:
            appends.append(TextCall(start, end, history.value(start)))
        elif end < NEVER:
            reads.append(TextCall(start, end, history.value(end) or ""))
    return appends, reads


def _stuck(history: OperationTable, found: TextFinding) -> Stuck:
    rows = [row for row in dict.fromkeys(found.rows) if row >= 0]
    example: dict[str, Any] = {
        "anomaly": found.anomaly,
        "text": [found.reason, *(row_text(history, row) for row in rows)],
        "operations": [shown_row(history, row) for row in rows],
    }
    return Stuck(valid=False, why=found.reason, example=example)


def _searched(
    appends: list[TextCall], reads: list[TextCall], initial: str, budget: Budget
) -> Stuck | None:
    """Search over the length of the text; beyond the longest read one more stands for all."""
    longest = max((read.text for read in reads), key=len)
    beyond = len(longest) + 1

    def step(length: int, what: tuple[bool, str | int]) -> int | None:
        appends_text, value = what
        if not appends_text:
            return length if length == value else None
        assert isinstance(value, str)
        if length >= len(longest):
            return beyond
        return length + len(value) if longest.startswith(value, length) else None

    members = [Call(one.start, one.end, (True, one.text)) for one in appends]
    members += [Call(one.start, one.end, (False, len(one.text)), observes=True) for one in reads]
    members.sort(key=lambda call: call.row)
    found = search(members, len(initial), step, budget)
    if found.valid:
        return None
    states = tuple(
        brief(longest[:length]) if length < beyond else f"more than {brief(longest)}"
        for length in found.states
    )
    return Stuck(found.valid, found.row, states, found.pending, found.why)
