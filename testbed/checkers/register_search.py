"""Linearizability of one register whatever its values: a search with a budget.

J. Wing and C. Gong, Testing and verifying concurrent objects, J. Parallel Distrib. Comput. 17,
1993, as G. Lowe, Testing for linearizability, Concurrency and Computation 29(4), 2017, does it
just in time: the events are walked in order, and a step takes effect no earlier than when some
return demands it. All configurations (the register's value, and which pending steps have taken
effect) are kept side by side, each once. A pending read takes effect as soon as the value is the
one that it found: later would be no better.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from testbed.checkers.register_step import RegisterStep

BUDGET = 200_000
"""Configurations that a search may make: about a second."""

_Configuration = tuple[Hashable, frozenset[int]]


class OutOfBudgetError(Exception):
    """The search was given up.

    Args:
        returned: How many returns had been explained.
        total: Of how many.
    """

    def __init__(self, returned: int, total: int) -> None:
        super().__init__(f"given up after {returned} of {total} returns")
        self.returned = returned
        self.total = total


@dataclass(frozen=True, slots=True)
class Blocked:
    """The point up to which a linearization exists.

    Args:
        step: The step whose return no linearization can explain.
        pending: What was under way then.
    """

    step: RegisterStep
    pending: tuple[RegisterStep, ...]


def search(
    steps: Sequence[RegisterStep], initial: Hashable = None, budget: int = BUDGET
) -> Blocked | None:
    """The first return that no linearization explains; None if one explains all.

    Args:
        steps: As ``register_steps`` gives them.
        initial: The value before any write.
        budget: Configurations that may be made.

    Raises:
        OutOfBudgetError: It would take more.
    """
    events = sorted(
        # What returns at the moment of another's invocation may come after it.
        [(step.start_ns, 0, number) for number, step in enumerate(steps)]
        + [(step.end_ns, 1, number) for number, step in enumerate(steps) if step.returned]
    )
    configurations: set[_Configuration] = {(initial, frozenset())}
    pending: set[int] = set()
    returned, left = 0, budget
    for _, is_return, number in events:
        if not is_return:
            pending.add(number)
            continue
        reached, made = _explain(configurations, pending, number, steps, left)
        left -= made
        if left < 0:
            raise OutOfBudgetError(returned, sum(step.returned for step in steps))
        if not reached:
            pending.discard(number)
            return Blocked(steps[number], tuple(steps[other] for other in sorted(pending)))
        pending.discard(number)
        configurations = {(value, taken - {number}) for value, taken in reached}
        returned += 1
    return None


def _explain(
    configurations: set[_Configuration],
    pending: set[int],
    number: int,
    steps: Sequence[RegisterStep],
    budget: int,
) -> tuple[set[_Configuration], int]:
    """Every configuration in which a step has taken effect, and how many were made for it."""
    reached: set[_Configuration] = set()
    seen = set(configurations)
    stack = list(configurations)
    while stack and len(seen) - len(configurations) <= budget:
        configuration = stack.pop()
        if number in configuration[1]:
            reached.add(configuration)
            continue
        for after in _successors(configuration, pending, steps):
            if after not in seen:
                seen.add(after)
                stack.append(after)
    return reached, len(seen) - len(configurations)


def _successors(
    configuration: _Configuration, pending: set[int], steps: Sequence[RegisterStep]
) -> list[_Configuration]:
    """What one more step may make of a configuration; all the reads that fit it are one."""
    value, taken = configuration
    free = [number for number in pending if number not in taken]
    reads = [
        number for number in free if steps[number].kind == "read" and steps[number].expects == value
    ]
    if reads:
        return [(value, taken.union(reads))]
    return [
        (steps[number].leaves, taken | {number})
        for number in free
        if steps[number].kind == "write"
        or (steps[number].kind == "cas" and steps[number].expects == value)
    ]
