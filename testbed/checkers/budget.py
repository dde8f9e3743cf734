"""What a check may cost: beyond it the answer is unknown, and says how far it got."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


class OutOfBudgetError(Exception):
    """The time is over.

    Args:
        reached: How far the check got, as a clause: "400 of 1,000 keys were judged".
    """

    def __init__(self, reached: str) -> None:
        self.reached = reached
        super().__init__(reached)


@dataclass
class Budget:
    """The time that is left, and how far the work is.

    The memory is watched from outside (by who runs the check); ``reached`` is what is said then.

    Args:
        timeout_s: Seconds from now on; None for no limit.
    """

    timeout_s: float | None = None
    reached: str = "nothing was judged yet"
    _until: float = field(init=False, repr=False)

    def __post_init__(self) -> None:
        limit = float("inf") if self.timeout_s is None else self.timeout_s
        self._until = time.monotonic() + limit

    def note(self, reached: str) -> None:
        """Say how far the work is, and stop it when the time is over.

        Raises:
            OutOfBudgetError: The time is over.
        """
        self.reached = reached
        if time.monotonic() > self._until:
            raise OutOfBudgetError(reached)
