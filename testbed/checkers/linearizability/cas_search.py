"""The layers of the search over a register with compare-and-set.

A beam keeps few configurations and is right when it reaches the end. It keeps the state at some
events, goes back there with more room when it fails, and is right about a failure when it never
lacked room. With many indeterminate operations that takes too long; letting each take effect any
number of times is right when even that fails.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from testbed.checkers.budget import Budget
from testbed.checkers.linearizability.cas_arrays import COUNT, LACKED, QUOTA, ROOM, USED, VALUE
from testbed.checkers.linearizability.cas_kernel import advance
from testbed.checkers.linearizability.cas_problem import COMPILED_FACTOR, CasProblem
from testbed.checkers.linearizability.cas_state import Place, Room

NUMBERS_MAX = 2**25
"""Numbers of eight bytes that the configurations may take."""
ROOM_FOR_ONE = 11
"""Configurations that there is room for, of each that is kept."""


@dataclass(frozen=True)
class Widths:
    """How many configurations are kept.

    Args:
        narrow: By the beam at first.
        widest: By the beam at last.
        relaxed_from: By the beam when the relaxation is tried.
        relaxed: By the relaxation.
        stride: Events between two states to go back to.
    """

    narrow: int = 16
    widest: int = 16_384
    relaxed_from: int = 256
    relaxed: int = 1024
    stride: int = 256

    def bounded(self, columns: int) -> Widths:
        """So few that the configurations fit into the memory that they may have."""
        most = max(NUMBERS_MAX // (ROOM_FOR_ONE * (USED + columns)), self.narrow)
        return replace(self, widest=min(self.widest, most), relaxed=min(self.relaxed, most))


USUAL = Widths()


@dataclass(frozen=True)
class CasFound:
    """What the search found.

    Args:
        valid: True, False, or None where it gave up.
        event: The event where it failed or gave up; the number of events if it did not.
        values: What the register may have held just before.
        room: How many configurations it kept at last.
    """

    valid: bool | None
    event: int
    values: tuple[int, ...] = ()
    room: int = 0


def decide(problem: CasProblem, budget: Budget, widths: Widths = USUAL) -> CasFound:
    """Go through the layers.

    Raises:
        OutOfBudgetError: The time is over.
    """
    widths = widths.bounded(problem.columns)
    beam = Beam(problem, budget, widths)
    relaxed: Relaxation | None = None
    failed = beam.run()
    while failed is not None and not beam.exact:
        if beam.width >= widths.relaxed_from and problem.columns:
            relaxed = relaxed or Relaxation(problem, budget, widths)
            relaxed_failed = relaxed.run(failed)
            if relaxed_failed is not None and relaxed.exact:
                return relaxed.found(valid=False, event=relaxed_failed)
        if beam.width >= widths.widest:
            return beam.found(valid=None, event=failed)
        failed = beam.widen(failed)
    if failed is not None:
        return beam.found(valid=False, event=failed)
    return CasFound(valid=True, event=len(problem.tables.events))


class _Layer:
    """A search that keeps a bounded number of configurations.

    Args:
        problem: The operations.
        budget: What it may cost.
        widths: How many it keeps.
        reusable: Whether indeterminate operations may take effect any number of times.
    """

    def __init__(
        self, problem: CasProblem, budget: Budget, widths: Widths, *, reusable: bool
    ) -> None:
        self.problem = problem
        self.budget = budget
        self.widths = widths
        self.width = widths.relaxed if reusable else widths.narrow
        self._room = Room(problem, self.width, reusable=reusable)

    @property
    def exact(self) -> bool:
        """Whether nothing was given up so far for lack of room."""
        return not self._room.search.scalars[LACKED]

    def found(self, *, valid: bool | None, event: int) -> CasFound:
        """The answer with what was possible when it failed."""
        search = self._room.search
        values = search.current[: search.scalars[COUNT], VALUE].tolist()
        return CasFound(valid, event, tuple(dict.fromkeys(values)), int(search.scalars[ROOM]))

    def _stride(self, event: int) -> tuple[int, bool]:
        """Search on for some events: the one where it stopped, and whether it failed there."""
        total = len(self.problem.tables.events)
        stop = min(event + self.widths.stride, total)
        step = advance.for_rows(COMPILED_FACTOR * total)
        reached = int(step(self.problem.tables, self._room.search, event, stop))
        self.budget.note(f"{reached:,} of {total:,} events of a key were put in order")
        return reached, reached < stop


class Relaxation(_Layer):
    """The layer in which indeterminate operations may take effect any number of times.

    Args:
        problem: The operations.
        budget: What it may cost.
        widths: How many configurations it keeps.
    """

    def __init__(self, problem: CasProblem, budget: Budget, widths: Widths) -> None:
        super().__init__(problem, budget, widths, reusable=True)
        self._room.search.scalars[QUOTA] = 2 * widths.relaxed
        self._room.restore(self._room.beginning())
        self._event = 0

    def run(self, until: int) -> int | None:
        """Search on until it is past an event; where it failed, or None."""
        failed = False
        while self._event <= until and not failed:
            self._event, failed = self._stride(self._event)
        return self._event if failed else None


class Beam(_Layer):
    """The layer that keeps few configurations, and goes back when they were too few.

    Args:
        problem: The operations.
        budget: What it may cost.
        widths: How many configurations it keeps.
    """

    def __init__(self, problem: CasProblem, budget: Budget, widths: Widths) -> None:
        super().__init__(problem, budget, widths, reusable=False)
        self._kept: list[Place] = []
        self._hard = 0
        self._back = widths.stride

    def run(self) -> int | None:
        """Search from the beginning; the event where it failed, or None."""
        return self._from(self._room.beginning())

    def widen(self, failed: int) -> int | None:
        """Go back from where it failed and search on with more room; where it failed, or None."""
        if failed > self._hard + self.widths.stride:
            # Past the hard place: this one begins as that one did.
            self.width, self._back = self.widths.narrow, self.widths.stride
        self._hard = max(self._hard, failed)
        self.width *= 4
        self._back *= 2
        while len(self._kept) > 1 and self._kept[-1].event > self._hard - self._back:
            self._kept.pop()
        place = self._kept.pop()
        # It may have been reached with more room than a new hard place begins with.
        self.width = max(self.width, len(place.configurations))
        self._room = Room(self.problem, self.width, reusable=False)
        return self._from(place)

    def _from(self, place: Place) -> int | None:
        """Search on from a place; past the hard one the beam gets narrow again, step by step."""
        scalars = self._room.search.scalars
        event, failed = place.event, False
        self._room.restore(place)
        width = self.width
        while event < len(self.problem.tables.events):
            self._kept.append(self._room.place(event))
            if event > self._hard:
                width = max(self.widths.narrow, width // 2)
            scalars[ROOM], scalars[QUOTA] = width, width // self.widths.narrow
            event, failed = self._stride(event)
            if failed:
                return event
        return None
