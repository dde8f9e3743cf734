"""Which variable is guessed next: the one that took part in conflicts most, and most recently.

As in Chaff (Moskewicz et al., DAC 2001) and MiniSat (Een and Sorensson, SAT 2003).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

DECAY = 1.05
"""What a conflict counts, by what the one before it counted."""


class Activity:
    """How much each variable took part in conflicts.

    Args:
        variables: How many there are; at first they come in order.
    """

    def __init__(self, variables: int) -> None:
        self._activity = [0.0] * variables
        self._step = 1.0
        self._heap = [(0.0, var) for var in range(variables)]

    def bump(self, var: int) -> None:
        """A variable took part in a conflict."""
        self._activity[var] += self._step
        self.free(var)

    def decay(self) -> None:
        """What took part in earlier conflicts counts less."""
        self._step *= DECAY

    def free(self, var: int) -> None:
        """A variable can be guessed again."""
        heapq.heappush(self._heap, (-self._activity[var], var))

    def next(self, taken: Callable[[int], bool]) -> int | None:
        """The most active variable that is not taken; None if all are."""
        while self._heap:
            _, var = heapq.heappop(self._heap)
            if not taken(var):
                return var
        return None
