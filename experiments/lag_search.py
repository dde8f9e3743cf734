"""The search for the worst lag: Hypothesis climbs towards schedules under which replicas lag more.

Sampling finds the usual lag. ``hypothesis.target`` tells the search how long the lag was that a
schedule led to; once half of its examples are spent it changes the best schedules step by step and
keeps what made the lag longer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import Phase, example, given, seed, settings, target
from hypothesis import strategies as st

from experiments import lag_schedules
from experiments.options import Options
from experiments.search import search_settings
from testbed.runner.plan import Step
from testbed.topology.model import Topology

EXAMPLE_S = 20.0
"""What one example takes: the budget divided by it is how many are planned, and half of them are
drawn before the climb begins."""

BULK_ROWS_MAX = 10_000

Disturbance = tuple[tuple[Step, ...], int]
"""A schedule, and how many rows its long transactions have; 0 for none."""


@dataclass
class Worst:
    """The longest lag of a search so far.

    Args:
        lag_ms: How long it surely was; None before the first.
        found: What led to it, and where it was recorded.
    """

    lag_ms: float | None = None
    found: Any = None

    def note(self, lag_ms: float, found: Any) -> bool:
        """Keep the longest; whether this one is."""
        if self.lag_ms is not None and lag_ms <= self.lag_ms:
            return False
        self.lag_ms, self.found = lag_ms, found
        return True


def search_worst(
    topology: Topology,
    options: Options,
    lag_ms: Callable[[tuple[Step, ...], int], float | None],
    *,
    first: tuple[Disturbance, ...] = (),
    switchover: bool,
) -> None:
    """Search schedules for the longest lag.

    Args:
        topology: Whose links are disturbed.
        options: Of the lane: budget, number of examples and seed.
        lag_ms: Runs a schedule with long transactions of so many rows; the longest lag that surely
            was, None if the schedule was not run. Raises what a broken promise raises.
        first: What is tried before anything is drawn.
        switchover: Whether there is one primary to move.

    Raises:
        Exception: As ``lag_ms``, for the simplest schedule that leads to it.
    """

    def tried(schedule: tuple[Step, ...], bulk_rows: int) -> None:
        found = lag_ms(schedule, bulk_rows)
        if found is not None:
            target(found, label="lag_ms")

    drawn = given(
        schedule=lag_schedules.disturbed(topology, switchover=switchover),
        bulk_rows=st.integers(0, BULK_ROWS_MAX),
    )(tried)
    search = settings(
        search_settings(options, EXAMPLE_S),
        phases=(Phase.explicit, Phase.generate, Phase.target, Phase.shrink),
    )(seed(options.seed)(drawn))
    for schedule, bulk_rows in reversed(first):
        search = example(schedule=schedule, bulk_rows=bulk_rows)(search)
    search()
