"""Judges several registers that transactions read and write together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from testbed.checkers.brief import brief
from testbed.checkers.linearizability.calls import NEVER, Calls, calls_of
from testbed.checkers.linearizability.judge import Promise, Stuck, judge_parts, nothing
from testbed.checkers.linearizability.sequential import Call, search
from testbed.checkers.linearizability.values import Numbered, numbered
from testbed.checkers.operation_shapes import refuse, require_functions
from testbed.checkers.request import Request, RequestError
from testbed.checkers.verdict import Verdict
from testbed.history.interning import canonical
from testbed.history.operation_table import NULL, Kind, OperationTable

PROMISE = Promise(
    "multi-register",
    "The registers behave as if transactions over several of them took effect one at a time, "
    "each between its invocation and its completion.",
)

_ACCESS = {"read": "r", "r": "r", "write": "w", "w": "w"}

Step = tuple[str, int, int | None]
"""``r`` or ``w``, the register, the number of the value or None for an unknown one."""


def check(history: OperationTable, request: Request) -> Verdict:
    """Judge registers with ``txn`` of ``["read" or "r", k, v]`` and ``["write" or "w", k, v]``.

    Registers that no transaction joins are judged apart.

    Args:
        history: The operations.
        request: ``init`` maps registers to their values at the beginning.

    Raises:
        HistoryError: An operation is of another kind, or its value has another shape.
        RequestError: ``init`` is no object.
        OutOfBudgetError: It took too long.
    """
    require_functions(history, ("txn",))
    if not isinstance(request.init, dict | None):
        raise RequestError(["expected an object of registers and their values as the initial one"])
    calls = calls_of(history)
    reader = _Reader.of(history, request.init or {})
    calls, steps = reader.read(calls)
    if not (history.kind == Kind.OK).any():
        return nothing(PROMISE)

    def decide(joined: tuple[Calls, list[list[Step]]]) -> Stuck | None:
        part, members = joined
        touched = sorted({register for every in members for _, register, _ in every})
        place = {register: number for number, register in enumerate(touched)}
        initial = tuple(reader.initial(register) for register in touched)
        found = search(_calls(part, members, place), initial, _step, request.budget)
        if found.valid:
            return None
        states = tuple(reader.state_text(touched, state) for state in found.states)
        return Stuck(found.valid, found.row, states, found.pending, found.why)

    parts = [
        (-1, (calls.only(chosen), [steps[index] for index in chosen.tolist()]))
        for chosen in _joined(steps)
    ]
    return judge_parts(history, request, PROMISE, parts, decide)


@dataclass
class _Reader:
    """Reads transactions."""

    history: OperationTable
    values: Numbered
    registers: dict[bytes, int]
    names: list[Any]
    init: dict[bytes, int]
    nullable: set[int]

    @classmethod
    def of(cls, history: OperationTable, init: dict[str, Any]) -> _Reader:
        values = numbered(history, None)
        first = {canonical(name): values.number(value) for name, value in init.items()}
        return cls(history, values, {}, [], first, set())

    def initial(self, register: int) -> int:
        """Its first value; JSON's names are texts, so what is no text is named by its own JSON."""
        name = self.names[register]
        text = name if isinstance(name, str) else canonical(name).decode()
        return self.init.get(canonical(text), int(NULL))

    def state_text(self, touched: list[int], state: tuple[int, ...]) -> str:
        pairs = zip(touched, state, strict=True)
        text = (f"{brief(self.names[one])}: {self.values.text(value)}" for one, value in pairs)
        return "{" + ", ".join(text) + "}"

    def read(self, calls: Calls) -> tuple[Calls, list[list[Step]]]:
        """What took part, with its steps."""
        wrong = np.zeros(len(self.history), dtype=bool)
        calls = calls.only(calls.outcome != Kind.FAIL)
        every = []
        for start, end in zip(calls.start.tolist(), calls.end.tolist(), strict=True):
            row = end if end < NEVER else start
            steps = self._steps(self.history.value(row))
            if steps is None:
                wrong[row] = True
            every.append(steps or [])
        refuse(self.history, wrong, 'expected a list of ["r" or "w", key, value] as the value')
        self.nullable |= {
            register
            for steps in every
            for access, register, value in steps
            if access == "w" and value == NULL
        }
        known = [
            self._known(steps, certain=bool(end < NEVER))
            for steps, end in zip(every, calls.end.tolist(), strict=True)
        ]
        useful = np.array([bool(steps) for steps in known], dtype=bool)
        return calls.only(useful), [steps for steps in known if steps]

    def _steps(self, value: Any) -> list[Step] | None:
        if not isinstance(value, list):
            return None
        steps: list[Step] = []
        for step in value:
            if not isinstance(step, list) or len(step) != 3 or step[0] not in _ACCESS:
                return None
            register = self.registers.setdefault(canonical(step[1]), len(self.registers))
            if register == len(self.names):
                self.names.append(step[1])
            steps.append((_ACCESS[step[0]], register, self.values.number(step[2])))
        return steps

    def _known(self, steps: list[Step], *, certain: bool) -> list[Step]:
        """Without reads whose result is unknown."""

        def says(step: Step) -> bool:
            access, register, value = step
            if access == "w":
                return True
            null_counts = register in self.nullable or self.initial(register) == NULL
            return certain and (value != NULL or null_counts)

        return [step for step in steps if says(step)]


def _joined(steps: list[list[Step]]) -> list[Any]:
    """Transactions by the registers that they join."""
    parent: dict[int, int] = {}

    def root(register: int) -> int:
        parent.setdefault(register, register)
        while parent[register] != register:
            parent[register] = parent[parent[register]]
            register = parent[register]
        return register

    for every in steps:
        for _, register, _ in every[1:]:
            parent[root(register)] = root(every[0][1])
    parts: dict[int, list[int]] = {}
    for index, every in enumerate(steps):
        parts.setdefault(root(every[0][1]), []).append(index)
    return [np.array(part) for part in parts.values()]


def _calls(part: Calls, members: list[list[Step]], place: dict[int, int]) -> list[Call]:
    return [
        Call(
            start,
            end,
            tuple((access, place[register], value) for access, register, value in steps),
            observes=all(access == "r" for access, _, _ in steps),
        )
        for start, end, steps in zip(part.start.tolist(), part.end.tolist(), members, strict=True)
    ]


def _step(state: tuple[int, ...], what: tuple[Step, ...]) -> tuple[int, ...] | None:
    after: list[int] | None = None
    for access, register, value in what:
        if access == "r":
            if (after or state)[register] != value:
                return None
        else:
            after = list(state) if after is None else after
            after[register] = value  # type: ignore[assignment]
    return state if after is None else tuple(after)
