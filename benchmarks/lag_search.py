"""The worst lag that the search finds, against drawing at random, in as many trials.

Run it with ``.venv/bin/python -m benchmarks.lag_search``. For each seed both begin with the same
draws, which are run once; then one of them climbs (``hypothesis.target``) and the other goes on
drawing. Prints the longest lag of both, their ratio, and what a trial costs.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

from experiments.arena import Arena
from experiments.lag_schedules import Trial
from experiments.lag_search import EXAMPLE_S, search_worst
from experiments.options import Options
from experiments.replication_lag import lag_of, plan
from testbed.topology.inventory import find, load
from testbed.topology.model import Deployment


class Search:
    """Searches that share one world, and each trial's outcome.

    Args:
        deployment: What is measured.
        out: Folder for the runs.
        trials: Of each search.
    """

    def __init__(self, deployment: Deployment, out: Path, trials: int) -> None:
        self._deployment = deployment
        self._trials = trials
        # The searches end themselves.
        unlimited = Options(None, (), out, 1e9, 10**6, 0, 0, out / "progress.jsonl")
        self.arena = Arena(deployment, unlimited)
        self.costs_s: list[float] = []

    def worst_ms(self, seed: int, *, climb: bool, most: int = 10**6) -> list[float]:
        """The longest lag of each trial that is run, in order; of so many at most."""
        budget_s = (self._trials - 1) * EXAMPLE_S
        options = Options(None, (), Path(), budget_s, self._trials, seed, 0, None)
        found: list[float] = []

        def lag_ms(trial: Trial) -> float | None:
            if len(found) == most:
                return None
            known, began = len(self.arena.judgements), time.monotonic()
            judgement = self.arena.examine(plan(self._deployment, options, trial))
            if len(self.arena.judgements) > known:
                self.costs_s.append(time.monotonic() - began)
            lag = None if judgement is None else lag_of(judgement)
            found.append(0.0 if lag is None else lag)
            print(f"  {'climb' if climb else 'draw'} {len(found)}: {found[-1]:.0f} ms", flush=True)
            return lag

        search_worst(self._deployment.topology, options, lag_ms, climb=climb)
        return found


def main() -> None:
    """Each seed twice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deployment", default="active-active")
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=2)
    arguments = parser.parse_args()
    ratios = []
    with tempfile.TemporaryDirectory(prefix="testbed-lag-") as folder:
        search = Search(load(find(arguments.deployment)), Path(folder), arguments.trials)
        try:
            for seed in range(arguments.seeds):
                # The search passes over what cannot be worse: both count what they run.
                climbed = search.worst_ms(seed, climb=True)
                drawn = search.worst_ms(seed, climb=False, most=len(climbed))
                ratios.append(max(climbed) / max(drawn))
                print(
                    f"seed {seed}: climbing {max(climbed):.0f} ms in {len(climbed)} trials,"
                    f" drawing {max(drawn):.0f} ms in {len(drawn)}: {ratios[-1]:.2f}",
                    flush=True,
                )
        finally:
            search.arena.close()
        print(f"climbing / drawing: {median(ratios):.2f} (median of {len(ratios)}, aim: above 1)")
        print(f"a trial: {median(search.costs_s):.1f} s (median of {len(search.costs_s)})")


if __name__ == "__main__":
    main()
