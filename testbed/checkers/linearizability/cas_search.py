"""The layers of the search over a register with compare-and-set.

A beam keeps few configurations and is right when it reaches the end. It keeps the state at some
events, goes back there with more room when it fails, and is right about a failure when it never
lacked room. With many indeterminate operations that takes too long; letting each take effect any
number of times is right when even that fails.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.budget import Budget
from testbed.checkers.linearizability.cas_kernel import PENDING_MAX, advance
from testbed.checkers.linearizability.cas_problem import CasProblem

NARROW = 64
"""Configurations that the beam keeps at first."""
WIDEST = 65_536
"""Configurations that it keeps at last."""
STRIDE = 256
"""Events between two states to go back to."""
COMPILED_FACTOR = 10
"""A step of the search is worth so many rows of a simple loop."""

Array = NDArray[Any]


@dataclass(frozen=True)
class CasFound:
    """What the search found.

    Args:
        valid: True, False, or None where it gave up.
        event: The event where it failed or gave up; the number of events if it did not.
        values: What the register may have held just before.
        pending: Operations that were pending then.
        room: How many configurations it kept at last.
        relaxed: Whether indeterminate operations could take effect any number of times.
    """

    valid: bool | None
    event: int
    values: tuple[int, ...] = ()
    pending: tuple[int, ...] = ()
    room: int = NARROW
    relaxed: bool = False


def decide(problem: CasProblem, budget: Budget) -> CasFound:
    """Go through the layers.

    Raises:
        OutOfBudgetError: The time is over.
    """
    beam = Beam(problem, budget)
    failed = beam.run(NARROW)
    if failed is None:
        return CasFound(valid=True, event=len(problem.events))
    if beam.exact:
        return beam.found(valid=False, event=failed)
    if problem.columns:
        relaxed = Beam(problem, budget, reusable=True)
        for room in (NARROW, 32 * NARROW):
            relaxed_failed = relaxed.run(room)
            if relaxed_failed is None:
                break
            if relaxed.exact:
                return relaxed.found(valid=False, event=relaxed_failed)
    return beam.widen(failed)


@dataclass
class State:
    """All that a search goes on from."""

    event: int
    pending: Array
    available: Array
    scalars: Array
    configurations: tuple[Array, Array, Array, Array]


@dataclass
class Beam:
    """A search that keeps a bounded number of configurations.

    Args:
        problem: The operations.
        budget: What it may cost.
        reusable: Whether indeterminate operations may take effect any number of times.
    """

    problem: CasProblem
    budget: Budget
    reusable: bool = False
    room: int = NARROW
    kept: list[State] = field(default_factory=list)
    current: Any = None
    after: Any = None
    seen: Any = None
    state: State = field(init=False)

    @property
    def exact(self) -> bool:
        """Whether nothing was given up so far for lack of room."""
        return not self.state.scalars[2]

    def run(self, room: int) -> int | None:
        """Search from the beginning; the event where it failed, or None."""
        self._make_room(room)
        columns = self.problem.columns
        scalars = np.array([0, 1, 0, 0, self.problem.values], dtype=np.int64)
        first = tuple(np.zeros(1, dtype=np.int64) for _ in range(3))
        configurations = (
            first[0] + self.problem.initial,
            first[1],
            first[2],
            np.zeros((1, columns), dtype=np.int16),
        )
        self.kept = []
        return self._from(
            State(
                0,
                np.zeros(PENDING_MAX + 1, np.int64),
                np.zeros(columns, np.int64),
                scalars,
                configurations,
            )
        )

    def widen(self, failed: int) -> CasFound:
        """Go back and search again with more room until it is decided or there is none."""
        back, furthest = 1, failed
        while self.room < WIDEST:
            self._make_room(self.room * 4)
            while (
                len(self.kept) > 1 and back > 1 and self.kept[-1].event > furthest - back * STRIDE
            ):
                self.kept.pop()
            back *= 4
            again = self._from(self.kept.pop())
            if again is None:
                return CasFound(valid=True, event=len(self.problem.events), room=self.room)
            if self.exact:
                return self.found(valid=False, event=again)
            if again > furthest + STRIDE:
                # Past the hard place: go on as narrow as before.
                back, furthest = 1, again
                self._make_room(NARROW)
        return self.found(valid=None, event=again)

    def found(self, *, valid: bool | None, event: int) -> CasFound:
        """The answer with what was possible when it failed."""
        count = int(self.state.scalars[1])
        values = tuple(dict.fromkeys(self.current[0][:count].tolist()))
        pending = tuple(self.state.pending[: int(self.state.scalars[0])].tolist())
        return CasFound(valid, event, values, pending, self.room, self.reusable)

    def _from(self, state: State) -> int | None:
        problem, total = self.problem, len(self.problem.events)
        self._restore(state)
        step = advance.for_rows(COMPILED_FACTOR * total)
        while self.state.event < total:
            self._keep()
            stop = min(self.state.event + STRIDE, total)
            reached = step(
                problem.events,
                self.state.event,
                stop,
                problem.kinds,
                problem.slots,
                problem.ends,
                problem.code,
                problem.first,
                problem.second,
                problem.unreturned,
                self.state.pending,
                self.state.available,
                self.state.scalars,
                self.current,
                self.after,
                self.seen,
                self.room,
                int(self.reusable),
            )
            if reached < stop:
                return int(reached)
            self.state.event = stop
            self.budget.note(f"{stop:,} of {total:,} events of a key were put in order")
        return None

    def _keep(self) -> None:
        state = self.state
        count = int(state.scalars[1])
        columns = tuple(self.current[number][:count].copy() for number in range(4))
        self.kept.append(
            State(
                state.event,
                state.pending.copy(),
                state.available.copy(),
                state.scalars.copy(),
                columns,
            )
        )

    def _restore(self, state: State) -> None:
        stamp = int(self.state.scalars[3]) if hasattr(self, "state") else 0
        self.state = State(
            state.event,
            state.pending.copy(),
            state.available.copy(),
            state.scalars.copy(),
            state.configurations,
        )
        self.state.scalars[3] = max(stamp, int(state.scalars[3]))
        for number, column in enumerate(state.configurations):
            self.current[number][: len(column)] = column

    def _make_room(self, room: int) -> None:
        self.room = room
        if self.current is None or len(self.current[0]) < room:
            columns = self.problem.columns
            self.current = configurations(room, columns)
            self.after = configurations(room, columns)
            self.seen = configurations(4 * room, columns)


def configurations(room: int, columns: int) -> tuple[Array, ...]:
    """Room for configurations; see :data:`cas_kernel.Set`."""
    heads = 1
    while heads < 2 * room:
        heads *= 2
    return (
        np.zeros(room, np.int64),
        np.zeros(room, np.int64),
        np.zeros(room, np.int64),
        np.zeros((room, columns), np.int16),
        np.zeros(room, np.int64),
        np.zeros(heads, np.int64),
        np.zeros(heads, np.int64),
    )
