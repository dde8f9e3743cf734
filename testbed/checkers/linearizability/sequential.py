"""The general search: whether calls can be put in an order that a sequential object allows.

Just-in-time linearization (Lowe, "Testing for linearizability", Concurrency and Computation 29(4),
2017) with the memory of Wing and Gong's search: a configuration is the object's state and the
pending calls that have taken effect already. Nothing is decided before a call returns; then each
configuration must have taken it, by way of other pending calls if need be. Equal configurations
are kept once.

Four reductions lose nothing: a call that only observes is taken as soon as it can be; of two
pending calls that are alike the one that returns first is taken first; of two configurations that
differ in the indeterminate calls that they used the one that used fewer stays; and an
indeterminate call that is like another is used after it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

from testbed.checkers.budget import Budget
from testbed.checkers.linearizability.calls import NEVER

NOTED_EACH = 64
"""Operations between two looks at the clock."""

CONFIGURATIONS_MAX = 200_000
"""More than so many at once, and the search gives up."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a sequential object.

    Args:
        row: The row of its invocation.
        end: The row of its completion, ``NEVER`` for what is indeterminate.
        what: What it does and saw; calls with equal ``what`` are alike.
        observes: Whether it leaves every state as it is.
    """

    row: int
    end: int
    what: Hashable
    observes: bool = False


Step = Callable[[Any, Any], Any]
"""The state after ``what`` in a state, or None where it is not allowed there."""


@dataclass(frozen=True)
class Found:
    """What a search found.

    Args:
        valid: True, False, or None where it gave up.
        row: The row of the completion that no configuration survived, or where it gave up.
        blocked: The row of the invocation of the call that could not be taken.
        states: States that were possible just before; a few of them.
        pending: Rows of invocations of what was pending then.
        configurations: The most that there were at once.
        why: Why it gave up.
    """

    valid: bool | None
    row: int = -1
    blocked: int = -1
    states: tuple[Any, ...] = ()
    pending: tuple[int, ...] = ()
    configurations: int = 1
    why: str = f"undecided with {CONFIGURATIONS_MAX:,} configurations"


Configurations = dict[tuple[Any, int], set[int]]
"""(state, taken calls that will return) to the sets of indeterminate calls used, none within
another."""


def search(calls: Sequence[Call], initial: Any, step: Step, budget: Budget) -> Found:
    """Look for an order of the calls that the object allows.

    Args:
        calls: In the order of invocation; without those that failed.
        initial: The state at the beginning, hashable.
        step: See :data:`Step`.
        budget: What it may cost.

    Raises:
        OutOfBudgetError: The time is over.
    """
    return _Search(step, budget, len(calls)).run(calls, initial)


@dataclass
class _Search:
    step: Step
    budget: Budget
    total: int
    pending: dict[int, Call] = field(default_factory=dict)
    alike: dict[Hashable, list[int]] = field(default_factory=dict)
    free: list[int] = field(default_factory=list)
    slots: int = 0
    certain: int = 0
    """Bits of the pending calls that will return."""

    def run(self, calls: Sequence[Call], initial: Any) -> Found:
        events = sorted(
            [(call.row, False, call) for call in calls]
            + [(call.end, True, call) for call in calls if call.end < NEVER],
            key=lambda event: event[0],
        )
        current: Configurations = {(initial, 0): {0}}
        slot_of: dict[int, int] = {}
        most, done = 1, 0
        for row, returns, call in events:
            if not done % NOTED_EACH:
                self.budget.note(
                    f"{done:,} of {self.total:,} operations of a key were put in order"
                )
            if not returns:
                slot_of[call.row] = self._open(call)
                if call.observes:
                    current = self._observed(current)
                continue
            slot = slot_of.pop(call.row)
            after = self._returned(current, slot)
            if after is None or not after:
                pending = tuple(other.row for other in self.pending.values())
                states = tuple(dict.fromkeys(state for state, _ in current))[:8]
                verdict = None if after is None else False
                return Found(verdict, row, call.row, states, pending, most)
            current = after
            most = max(most, len(current))
            self._close(slot, call)
            done += 1
        return Found(valid=True, configurations=most)

    def _open(self, call: Call) -> int:
        if self.free:
            slot = self.free.pop()
        else:
            slot = self.slots
            self.slots += 1
        self.pending[slot] = call
        if call.end < NEVER:
            self.certain |= 1 << slot
        others = self.alike.setdefault(call.what, [])
        others.append(slot)
        others.sort(key=lambda other: self.pending[other].end)
        return slot

    def _close(self, slot: int, call: Call) -> None:
        del self.pending[slot]
        self.certain &= ~(1 << slot)
        self.free.append(slot)
        self.alike[call.what].remove(slot)
        if not self.alike[call.what]:
            del self.alike[call.what]

    def _observed(self, current: Configurations) -> Configurations:
        after: Configurations = {}
        for (state, taken), useds in current.items():
            for used in useds:
                _keep(after, state, self._eager(state, taken), used)
        return after

    def _eager(self, state: Any, taken: int) -> int:
        """Take what only observes and can be taken."""
        for what, slots in self.alike.items():
            if self.pending[slots[0]].observes and self.step(state, what) is not None:
                for slot in slots:
                    taken |= 1 << slot
        return taken & self.certain

    def _returned(self, current: Configurations, slot: int) -> Configurations | None:
        """The configurations after a return; None for too many."""
        bit = 1 << slot
        after: Configurations = {}
        seen: Configurations = {}
        queue = self._begin(current, bit, after, seen)
        while queue:
            state, taken, used = queue.pop()
            if used not in seen.get((state, taken), ()):
                continue  # another that used less took its place
            for next_state, next_taken, next_used in self._moves(state, taken, used):
                if next_taken & bit:
                    _keep(after, next_state, next_taken & ~bit, next_used)
                elif _keep(seen, next_state, next_taken, next_used):
                    queue.append((next_state, next_taken, next_used))
            if len(seen) + len(after) > CONFIGURATIONS_MAX:
                return None
            if not len(queue) & 0xFF:
                self.budget.note(self.budget.reached)
        return after

    @staticmethod
    def _begin(
        current: Configurations, bit: int, after: Configurations, seen: Configurations
    ) -> list[tuple[Any, int, int]]:
        """Sort the current ones into those that are done and those that are not."""
        queue = []
        for (state, taken), useds in current.items():
            for used in useds:
                if taken & bit:
                    _keep(after, state, taken & ~bit, used)
                elif _keep(seen, state, taken, used):
                    queue.append((state, taken, used))
        return queue

    def _moves(self, state: Any, taken: int, used: int) -> list[tuple[Any, int, int]]:
        """What one more call leads to."""
        moves = []
        for what, slots in self.alike.items():
            chosen = next((slot for slot in slots if not (taken | used) >> slot & 1), -1)
            if chosen < 0 or self.pending[chosen].observes:
                continue
            after = self.step(state, what)
            if after is None:
                continue
            bit = 1 << chosen
            if self.certain & bit:
                moves.append((after, self._eager(after, taken | bit), used))
            elif after != state:
                moves.append((after, self._eager(after, taken), used | bit))
        return moves


def _keep(configurations: Configurations, state: Any, taken: int, used: int) -> bool:
    """Add a configuration unless one that used less is there; whether it was added."""
    useds = configurations.setdefault((state, taken), set())
    if used in useds or any(other & used == other for other in useds):
        return False
    useds.difference_update([other for other in useds if used & other == used])
    useds.add(used)
    return True
