"""Queues and stacks whose every value goes in once: four times for each value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from testbed.checkers.brief import brief
from testbed.checkers.linearizability.calls import NEVER, Calls
from testbed.checkers.linearizability.judge import SHOWN_MAX, Stuck
from testbed.checkers.linearizability.values import Numbered, numbered
from testbed.checkers.operation_shapes import refuse, require_functions
from testbed.checkers.request import Request, RequestError
from testbed.checkers.row_view import row_text, shown_row
from testbed.history.operation_table import NULL, Integers, Kind, OperationTable


@dataclass(frozen=True)
class Container:
    """What went in and out of one queue or stack.

    Args:
        value: The number of each value that went in; not those that nobody can have seen: put in
            by an indeterminate operation and never taken out.
        in_start: When each was being put in.
        in_end: ``NEVER`` if that is indeterminate.
        out_start: When each was being taken out; ``NEVER`` if it was not.
        out_end: The same.
        empty_start: When it was found empty.
        empty_end: The same.
        loose: When something began to take something out, with an unknown result; in order.
    """

    value: Integers
    in_start: Integers
    in_end: Integers
    out_start: Integers
    out_end: Integers
    empty_start: Integers
    empty_end: Integers
    loose: Integers

    @property
    def filled(self) -> Integers:
        """When each value has certainly been put in."""
        return np.minimum(self.in_end, self.out_end)

    @property
    def emptied(self) -> Integers:
        """From when on each value may have been taken out."""
        return np.maximum(self.in_start, self.out_start)

    def only(self, chosen: Integers) -> Container:
        """Some of the values alone."""
        return Container(
            self.value[chosen],
            self.in_start[chosen],
            self.in_end[chosen],
            self.out_start[chosen],
            self.out_end[chosen],
            self.empty_start[:0],
            self.empty_end[:0],
            self.loose,
        )


def rows_of(container: Container, values: Iterable[int]) -> list[int]:
    """Rows of what put some values in and took them out; of a few values at most."""
    few = list(values)[:SHOWN_MAX]
    ins = [int(container.in_start[value]) for value in few]
    outs = [int(container.out_start[v]) for v in few if container.out_end[v] < NEVER]
    return ins + outs


def contents(
    history: OperationTable, request: Request, put: str, take: str
) -> tuple[Numbered, list[int]]:
    """The values of a history, and what is within at the beginning.

    Args:
        history: Of one function that puts in and one that takes out.
        request: ``init`` is a list.
        put: The former.
        take: The latter.

    Raises:
        RequestError: ``init`` is no list.
        HistoryError: An operation is of another kind, or puts null in.
    """
    require_functions(history, (put, take))
    values = numbered(history, None)
    initial = initial_values(request.init, values)
    puts = (history.f == history.function(put)) & (history.kind == Kind.INVOKE)
    refuse(history, puts & (values.rows == NULL), f"expected a value to {put}, not null")
    return values, initial


def container_of(
    history: OperationTable, values: Numbered, calls: Calls, puts: str, initial: list[int]
) -> Container | Stuck | None:
    """Put together what went in and out; what is wrong whatever the order; None for repetitions.

    Args:
        history: The operations.
        values: Their values.
        calls: Those of one key.
        puts: The function that puts something in.
        initial: What is within at the beginning, in the order in which it went in.
    """
    calls = calls.only(calls.outcome != Kind.FAIL)
    entering = calls.f == history.function(puts)
    ins = _after(initial, calls.only(entering))
    outs = calls.only(~entering & (calls.outcome == Kind.OK))
    loose = calls.start[~entering & (calls.outcome == Kind.INFO)]
    taken = values.rows[outs.end]
    empties = outs.only(taken == NULL)
    outs, taken = outs.only(taken != NULL), taken[taken != NULL]
    put = np.concatenate([np.array(initial, np.int64), values.rows[ins.start[len(initial) :]]])
    order = np.argsort(put, kind="stable")
    sorted_put = put[order]
    if (sorted_put[1:] == sorted_put[:-1]).any():
        return None
    source = _sources(taken, order, sorted_put)
    misfit = _misfit(history, outs, taken, ins, source)
    if misfit is not None:
        return misfit
    out_start = np.full(len(ins), NEVER)
    out_end = np.full(len(ins), NEVER)
    out_start[source], out_end[source] = outs.start, outs.end
    seen = (ins.end < NEVER) | (out_end < NEVER)
    return Container(
        put[seen],
        ins.start[seen],
        ins.end[seen],
        out_start[seen],
        out_end[seen],
        empties.start,
        empties.end,
        np.sort(loose),
    )


def _after(initial: list[int], calls: Calls) -> Calls:
    """Calls that put something in, and before the first row some for what is within at first."""
    count = len(initial)
    if not count:
        return calls
    start = 2 * np.arange(-count, 0)
    return Calls(
        f=np.concatenate([np.full(count, -1), calls.f]),
        key=np.concatenate([np.full(count, -1), calls.key]),
        start=np.concatenate([start, calls.start]),
        end=np.concatenate([start + 1, calls.end]),
        outcome=np.concatenate([np.full(count, int(Kind.OK)), calls.outcome]),
    )


def initial_values(init: Any, values: Numbered) -> list[int]:
    """The numbers of what is within at the beginning.

    Raises:
        RequestError: It is no list, or has null in it.
    """
    if init is None:
        return []
    if not isinstance(init, list) or None in init:
        raise RequestError(["expected a list of values, not null, as the initial value"])
    return [values.number(value) for value in init]


def _sources(taken: Integers, order: Integers, sorted_put: Integers) -> Integers:
    """For each value that came out the index of what put it in, -1 without one."""
    if not len(order):
        return np.full(len(taken), -1, dtype=np.int64)
    place = np.minimum(np.searchsorted(sorted_put, taken), len(order) - 1)
    return np.where(sorted_put[place] == taken, order[place], -1)


def _misfit(
    history: OperationTable, outs: Calls, taken: Integers, ins: Calls, source: Integers
) -> Stuck | None:
    """What no order explains: a value that never went in, came out twice, or came out too early."""
    by_value = np.argsort(taken, kind="stable")
    again = np.flatnonzero(taken[by_value][1:] == taken[by_value][:-1])
    if len(again):
        rows = outs.start[by_value[again[0] : again[0] + 2]].tolist()
        return stuck(history, rows, "duplicate", "%s was taken out twice")
    if (source < 0).any():
        row = int(outs.start[source < 0][0])
        return stuck(history, [row], "unexpected-value", "%s was taken out but never put in")
    early = np.flatnonzero(outs.end < ins.start[source])
    if len(early):
        rows = [int(outs.start[early[0]]), int(ins.start[source][early[0]])]
        return stuck(history, rows, "future-value", "%s was taken out before it was put in")
    return None


def stuck(history: OperationTable, rows: list[int], anomaly: str, text: str) -> Stuck:
    """A violation that some operations show.

    Args:
        history: The operations.
        rows: Rows of their invocations; the first one's value takes the place of ``%s``.
        anomaly: Its name.
        text: One sentence.
    """
    if "%s" in text:
        first = next(row for row in rows if row >= 0)
        text %= brief(shown_row(history, first)["value"])
    rows = [row for row in rows if row >= 0]
    lines = [text, *(row_text(history, row) for row in rows)]
    example: dict[str, Any] = {
        "anomaly": anomaly,
        "text": lines,
        "operations": [shown_row(history, row) for row in rows],
    }
    return Stuck(valid=False, why=text, example=example)
