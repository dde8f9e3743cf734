"""The search for the worst lag: Hypothesis climbs towards schedules under which replicas lag more.

Sampling finds the usual lag. ``hypothesis.target`` tells the search how long the lag was that a
trial led to; once half of its examples are spent it changes the worst trials step by step and keeps
what made the lag longer. What is milder in every respect than a trial that was run is not run: so
the first half costs less than it draws, and no step downwards costs anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


class _Ran:
    """What was run: a trial that disturbs the same, and nothing of it more, need not be.

    Once a promise is broken, a simpler trial is looked for that breaks it too: then each counts.
    """

    def __init__(self) -> None:
        self._trials: list[Trial] = []
        self._broken = False

    def worse_than(self, trial: Trial) -> bool:
        """Whether a trial can show nothing that is worse than what is known."""
        return not self._broken and any(trial.milder_than(one) for one in self._trials)

    @contextmanager
    def noting(self, trial: Trial) -> Iterator[None]:
        """Remember a trial that is run inside, and whether it broke a promise."""
        try:
            yield
        except BaseException:
            self._broken = True
            raise
        self._trials.append(trial)


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
        climb: Whether to climb, or to draw to the end and run whatever is drawn.

    Raises:
        Exception: As ``lag_ms``, for the simplest schedule that leads to it.
    """
    ran = _Ran()

    def tried(trial: Trial) -> None:
        if climb and ran.worse_than(trial):
            return
        with ran.noting(trial):
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
