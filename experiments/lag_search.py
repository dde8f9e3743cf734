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

from experiments import lag_schedules
from experiments.lag_schedules import Trial
from experiments.options import Options
from experiments.search import search_settings
from testbed.topology.model import Topology

EXAMPLE_S = 9.0
"""What one example takes at least: the budget divided by it is how many are planned. Half of them,
and ten at least, are drawn before the climb begins."""


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
    lag_ms: Callable[[Trial], float | None],
    *,
    first: tuple[Trial, ...] = (),
    climb: bool = True,
) -> None:
    """Search schedules for the longest lag.

    Args:
        topology: Whose links are disturbed.
        options: Of the lane: budget, number of examples and seed.
        lag_ms: Runs a trial; the longest lag that surely was, None if it was not run. Raises what a
            broken promise raises.
        first: What is tried before anything is drawn.
        climb: Whether to climb, or to draw to the end.

    Raises:
        Exception: As ``lag_ms``, for the simplest schedule that leads to it.
    """

    def tried(trial: Trial) -> None:
        found = lag_ms(trial)
        if found is not None:
            target(found, label="lag_ms")

    climbing = (Phase.target,) if climb else ()
    search = settings(
        search_settings(options, EXAMPLE_S),
        phases=(Phase.explicit, Phase.generate, *climbing, Phase.shrink),
    )(seed(options.seed)(given(trial=lag_schedules.trials(topology))(tried)))
    for trial in reversed(first):
        search = example(trial=trial)(search)
    search()
