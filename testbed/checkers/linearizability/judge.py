"""From the calls of each key to one verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from testbed.checkers.brief import brief
from testbed.checkers.linearizability.calls import Calls, by_key, calls_of
from testbed.checkers.request import Request
from testbed.checkers.row_view import invocation_row, row_text, shown_row
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.operation_table import OperationTable

Part = TypeVar("Part")

SHOWN_MAX = 12
"""Pending operations that a counterexample shows."""


@dataclass(frozen=True)
class Promise:
    """What a model promises.

    Args:
        name: The model.
        text: One sentence.
    """

    name: str
    text: str

    def verdict(
        self,
        validity: Validity,
        reason: str,
        counterexample: tuple[Any, ...] = (),
        numbers: dict[str, float] | None = None,
    ) -> Verdict:
        """A verdict on it."""
        return Verdict(self.name, self.text, validity, reason, counterexample, numbers or {})


def nothing(promise: Promise) -> Verdict:
    """The verdict on a history in which nothing can be judged."""
    return promise.verdict(Validity.UNKNOWN, "no operation completed: there is nothing to judge")


@dataclass(frozen=True)
class Stuck:
    """Where the operations of a key could not be put in order any further.

    Args:
        valid: False, or None where the search gave up.
        row: The row of the completion that could not be.
        states: What the object may have been just before, in words.
        pending: Rows of the invocations of what was pending then and might have come before.
        why: Why the search gave up; or, with an example, the reason.
        example: A counterexample that says more than this.
    """

    valid: bool | None
    row: int = -1
    states: tuple[str, ...] = ()
    pending: tuple[int, ...] = ()
    why: str = ""
    example: dict[str, Any] | None = None


def judge_keys(
    history: OperationTable,
    request: Request,
    promise: Promise,
    decide_key: Callable[[Calls], Stuck | None],
    only_keys: Iterable[int] | None = None,
) -> Verdict:
    """Judge each key by itself, and all of them together: linearizability is local.

    Args:
        history: The operations.
        request: For the budget.
        promise: What is judged.
        decide_key: Where the calls of a key are stuck, or None.
        only_keys: Keys to judge; the others are left out.
    """
    wanted = None if only_keys is None else set(only_keys)
    parts = (
        (key, part) for key, part in by_key(calls_of(history)) if wanted is None or key in wanted
    )
    return judge_parts(history, request, promise, parts, decide_key)


def judge_parts(
    history: OperationTable,
    request: Request,
    promise: Promise,
    parts: Iterable[tuple[int, Part]],
    decide: Callable[[Part], Stuck | None],
) -> Verdict:
    """Judge parts of a history that have nothing to do with each other.

    Args:
        history: The operations.
        request: For the budget.
        promise: What is judged.
        parts: Each with the number of its key, -1 without one.
        decide: Where a part is stuck, or None.
    """
    judged = 0
    undecided: tuple[int, Stuck] | None = None
    for key, part in parts:
        stuck = decide(part)
        judged += 1
        request.budget.note(f"{judged:,} independent parts were judged")
        if stuck is None:
            continue
        if stuck.valid is False:
            numbers = {"parts_judged": float(judged)}
            reason, example = explained(history, key, stuck)
            return promise.verdict(Validity.VIOLATION, reason, (example,), numbers)
        undecided = undecided or (key, stuck)
    numbers = {"parts_judged": float(judged)}
    if undecided is not None:
        key, stuck = undecided
        reason = f"{_of(history, key)}{stuck.why}"
        if stuck.row >= 0:
            reason += f"; up to line {int(history.line[stuck.row])} an order exists"
        return promise.verdict(Validity.UNKNOWN, reason, (), numbers)
    reason = "an order of the operations exists that the object allows"
    return promise.verdict(Validity.VALID, reason, (), numbers)


def _of(history: OperationTable, key: int) -> str:
    return "" if key < 0 else f"key {brief(history.keys[key])}: "


def explained(history: OperationTable, key: int, stuck: Stuck) -> tuple[str, dict[str, Any]]:
    """A reason in one sentence and a counterexample: how far an order exists and what blocks it."""
    if stuck.example is not None:
        return _of(history, key) + stuck.why, stuck.example
    blocked = invocation_row(history, stuck.row)
    pending = [row for row in stuck.pending if row != blocked]
    line = int(history.line[stuck.row])
    text = [
        f"up to line {line} an order of the operations exists; no order lets this one complete:",
        f"  {row_text(history, blocked)}",
    ]
    if stuck.states:
        text.append(f"before it the state may have been {' or '.join(stuck.states)}")
    if pending:
        text.append("pending at that moment:")
        text += [f"  {row_text(history, row)}" for row in pending[:SHOWN_MAX]]
        if len(pending) > SHOWN_MAX:
            text.append(f"  and {len(pending) - SHOWN_MAX} more")
    example = {
        "anomaly": "not-linearizable",
        "text": text,
        "operations": [shown_row(history, row) for row in [blocked, *pending[:SHOWN_MAX]]],
        "linearizable_up_to_line": line,
        "states": list(stuck.states),
    }
    reason = (
        f"{_of(history, key)}not linearizable: no order lets {row_text(history, blocked)} complete"
    )
    return reason, example
