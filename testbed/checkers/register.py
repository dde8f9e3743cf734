"""Each register of a run is linearizable: every operation takes effect between its ends.

Definition: M. Herlihy and J. Wing, Linearizability, ACM TOPLAS 12(3), 1990. The judging is that of
``testbed check --model cas-register``: this hands it the operations of a run, without the reads
at replicas, which may be old.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from testbed.checkers.budget import Budget, OutOfBudgetError
from testbed.checkers.linearizability import cas_register
from testbed.checkers.operation_view import shown
from testbed.checkers.request import Request
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.entry import Entry
from testbed.history.history import History, Pair
from testbed.history.operation import Operation
from testbed.history.operations_of import operations_of
from testbed.history.pairing import Complaints

NAME = "linearizability"
PROMISE = "Each register is linearizable."
TIMEOUT_S = 60.0
FUNCTIONS = ("read", "write", "cas")


def check(
    history: History, *, functions: Iterable[str] = FUNCTIONS, timeout_s: float | None = TIMEOUT_S
) -> Verdict:
    """Judge every key of a history of registers, which hold null before any write.

    Args:
        history: What clients saw; an operation's key says which register. A compare-and-set's
            value is old and new.
        functions: What to judge of ``read``, ``write`` and ``cas``.
        timeout_s: How long it may take: beyond that the answer is unknown.

    Raises:
        HistoryError: The history cannot be paired, or a value has the wrong shape.
    """
    pairs = history.of(functions)
    if not any(pair.f != "write" and pair.outcome == "ok" for pair in pairs):
        text = "no read completed: there was nothing to judge"
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, text)
    entries = _entries(pairs)
    table = operations_of((entry for entry, _ in entries), Complaints(history.source))
    try:
        found = cas_register.check(table, Request(budget=Budget(timeout_s)))
    except OutOfBudgetError as error:
        text = f"given up after {timeout_s:g} s: {error.reached}"
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, text)
    shown_by_line = {entry.line: shown(pair) for entry, pair in entries if entry.type == "invoke"}
    examples = tuple(
        {**one, "operations": [shown_by_line[each["line"]] for each in one["operations"]]}
        for one in found.counterexample
    )
    numbers = {
        "operations": float(len(pairs)),
        "keys": float(len({pair.invocation.key for pair in pairs})),
    }
    return replace(found, name=NAME, promise=PROMISE, counterexample=examples, numbers=numbers)


def _entries(pairs: Iterable[Pair]) -> list[tuple[Entry, Pair]]:
    """Invocations and completions in the order of time, each with its operation.

    Operations whose ends touch were concurrent, so that at one moment invocations come first.
    """
    lines: list[tuple[tuple[int, int], Operation, Pair]] = []
    completed: dict[int | str, int] = {}
    for pair in pairs:
        asked, answer = pair.invocation, pair.completion
        # A process does one thing after the other, also within one moment.
        rank = 2 if completed.get(asked.process) == asked.time else 0
        lines.append(((asked.time, rank), asked, pair))
        if answer is not None:
            lines.append(((answer.time, max(rank, 1)), answer, pair))
            completed[asked.process] = answer.time
    lines.sort(key=lambda line: line[0])
    return [(_entry(line, place), pair) for place, (_, line, pair) in enumerate(lines, start=1)]


def _entry(line: Operation, place: int) -> Entry:
    return Entry(
        place if line.index is None else line.index,
        line.process,
        line.type,
        line.f,
        line.value,
        line.key,
        line.time,
        line.error,
    )
