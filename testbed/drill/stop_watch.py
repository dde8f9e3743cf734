"""A stop condition in motion: trips when its bound has been broken for long enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from testbed.drill.drill import StopCondition


@dataclass(slots=True)
class StopWatch:
    """Watches one stop condition.

    Args:
        condition: What it watches.
        since_s: Since when the bound is broken; None while it holds.
        value: The latest reading.
    """

    condition: StopCondition
    since_s: float | None = None
    value: float | None = None

    def observe(self, now_s: float, values: Mapping[str, float | None]) -> bool:
        """Take a reading; whether the drill must stop.

        A reading that is missing breaks the bound: what nobody can see is not safe.

        Args:
            now_s: Seconds on any clock that only grows.
            values: The signals by name.
        """
        self.value = values.get(self.condition.bound.signal)
        if self.condition.bound.holds(self.value):
            self.since_s = None
            return False
        if self.since_s is None:
            self.since_s = now_s
        return now_s - self.since_s >= self.condition.for_s

    @property
    def said(self) -> str:
        """Why the drill must stop, in words."""
        now = "no reading" if self.value is None else f"{self.value:.3g}"
        return (
            f"stop condition '{self.condition.name}': {self.condition.bound} has not held for "
            f"{self.condition.for_s:g} s (now {now})"
        )

    def broken_s(self, now_s: float) -> float:
        """For how long the bound has been broken; 0 while it holds."""
        return 0.0 if self.since_s is None else now_s - self.since_s


def provoked(condition: StopCondition, value: float, for_s: float) -> StopCondition:
    """The condition with a limit that a reading of now breaks: to see it trip on this world.

    Args:
        condition: The one to prove.
        value: What its signal reads now.
        for_s: How long it then takes to trip.
    """
    beyond = max(abs(value) * 0.01, 1e-6)
    limit = value + beyond if condition.bound.op == "min" else value - beyond
    return replace(condition, bound=replace(condition.bound, limit=limit), for_s=for_s)
