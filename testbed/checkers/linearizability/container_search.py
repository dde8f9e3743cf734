"""Queues and stacks in which a value goes in more than once: the general search."""

from __future__ import annotations

from dataclasses import dataclass

from testbed.checkers.budget import Budget
from testbed.checkers.linearizability.calls import NEVER, Calls
from testbed.checkers.linearizability.judge import Stuck
from testbed.checkers.linearizability.sequential import Call, search
from testbed.checkers.linearizability.values import Numbered
from testbed.history.operation_table import NULL, Kind, OperationTable

What = tuple[str, int | None]
"""``put`` or ``get``; the number of the value, None for an unknown one."""


@dataclass(frozen=True)
class Discipline:
    """In which order things come out.

    Args:
        puts: The function that puts something in.
        end: Where things are taken out: 0 for the first in, -1 for the last in.
        initial: What is within at the beginning, in the order in which it went in.
    """

    puts: str
    end: int
    initial: tuple[int, ...] = ()

    def step(self, state: tuple[int, ...], what: What) -> tuple[int, ...] | None:
        """The state after something was put in or taken out."""
        does, value = what
        if does == "put":
            assert value is not None
            return (*state, value)
        if value == NULL:
            return None if state else state
        if not state:
            return state if value is None else None
        if value is not None and state[self.end] != value:
            return None
        return state[1:] if self.end == 0 else state[:-1]


def searched(
    history: OperationTable,
    values: Numbered,
    calls: Calls,
    budget: Budget,
    discipline: Discipline,
) -> Stuck | None:
    """Where the calls of one key are stuck, or None.

    Raises:
        OutOfBudgetError: The time is over.
    """
    calls = calls.only(calls.outcome != Kind.FAIL)
    puts = history.function(discipline.puts)
    members = []
    for f, start, end in zip(
        calls.f.tolist(), calls.start.tolist(), calls.end.tolist(), strict=True
    ):
        if f == puts:
            what: What = ("put", int(values.rows[start]))
        else:
            what = ("get", int(values.rows[end]) if end < NEVER else None)
        members.append(Call(start, end, what, observes=what == ("get", int(NULL))))
    found = search(members, discipline.initial, discipline.step, budget)
    if found.valid:
        return None
    states = tuple(
        "[" + ", ".join(values.text(value) for value in state) + "]" for state in found.states
    )
    return Stuck(found.valid, found.row, states, found.pending, found.why)
