"""Judges queues: first in, first out."""

from __future__ import annotations

from testbed.checkers.linearizability.calls import Calls
from testbed.checkers.linearizability.container import (
    Container,
    container_of,
    contents,
    rows_of,
    stuck,
)
from testbed.checkers.linearizability.container_search import Discipline, searched
from testbed.checkers.linearizability.judge import Promise, Stuck, judge_keys, nothing
from testbed.checkers.linearizability.queue_order import Misorder, misorder
from testbed.checkers.request import Request
from testbed.checkers.verdict import Verdict
from testbed.history.operation_table import Kind, OperationTable

PROMISE = Promise(
    "queue",
    "The queue behaves as if values were enqueued and dequeued one at a time, each between "
    "invocation and completion, and come out in the order in which they went in.",
)


def check(history: OperationTable, request: Request) -> Verdict:
    """Judge queues with ``enqueue`` and ``dequeue``, one a key.

    A dequeue of null found the queue empty; one that failed did nothing.

    Args:
        history: The operations.
        request: ``init`` is a list of what is in the queue at the beginning.

    Raises:
        RequestError: ``init`` is no list.
        HistoryError: An operation is of another kind, or enqueues null.
        OutOfBudgetError: It took too long.
    """
    values, initial = contents(history, request, "enqueue", "dequeue")
    if not (history.kind == Kind.OK).any():
        return nothing(PROMISE)

    def decide(calls: Calls) -> Stuck | None:
        queue = container_of(history, values, calls, "enqueue", initial)
        if queue is None:
            return searched(
                history, values, calls, request.budget, Discipline("enqueue", 0, tuple(initial))
            )
        if isinstance(queue, Stuck):
            return queue
        found = misorder(queue)
        return None if found is None else _explained(history, queue, found)

    return judge_keys(history, request, PROMISE, decide)


def _explained(history: OperationTable, queue: Container, found: Misorder) -> Stuck:
    rows = rows_of(queue, found.values)
    if found.kind == "order":
        text = "%s went in first but did not come out first"
        return stuck(history, rows, "order", text)
    if found.kind == "empty":
        rows = [int(queue.empty_start[found.empty]), *rows]
        return stuck(history, rows, "not-empty", "it was found empty while something was within")
    text = "%s was never taken out, and no operation of unknown outcome can have taken it in time"
    return stuck(history, rows, "lost", text)
