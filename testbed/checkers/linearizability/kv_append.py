"""Judges keys whose values are texts that grow: appends and reads."""

from __future__ import annotations

from testbed.checkers.linearizability.calls import NEVER, Calls
from testbed.checkers.linearizability.judge import Promise, Stuck, judge_keys, nothing
from testbed.checkers.linearizability.sequential import Call, search
from testbed.checkers.linearizability.shapes import require_functions
from testbed.checkers.request import Request, RequestError
from testbed.checkers.verdict import Verdict
from testbed.history.operation_table import Kind, OperationTable

PROMISE = Promise(
    "kv-append",
    "Each key behaves as if appends and reads of its text took effect one at a time, each "
    "between its invocation and its completion.",
)


def check(history: OperationTable, request: Request) -> Verdict:
    """Judge keys with ``append`` and ``read`` of texts."""
    require_functions(history, ("append", "read"))
    if not isinstance(request.init, str | None):
        raise RequestError(["expected a text as the initial value"])
    if not (history.kind == Kind.OK).any():
        return nothing(PROMISE)
    append = history.function("append")

    def step(state: str, what: tuple[bool, str]) -> str | None:
        appends, text = what
        if appends:
            return state + text
        return state if state == text else None

    def decide(calls: Calls) -> Stuck | None:
        members = []
        for f, start, end, outcome in zip(
            calls.f.tolist(),
            calls.start.tolist(),
            calls.end.tolist(),
            calls.outcome.tolist(),
            strict=True,
        ):
            if outcome == Kind.FAIL or (f != append and end >= NEVER):
                continue
            value = history.value(start if f == append else end) or ""
            members.append(Call(start, end, (f == append, value), f != append))
        found = search(members, request.init or "", step, request.budget)
        if found.valid:
            return None
        return Stuck(
            found.valid, found.row, tuple(map(repr, found.states)), found.pending, found.why
        )

    return judge_keys(history, request, PROMISE, decide)
