"""The reference page of gate files: ``python -m testbed.gates.reference > PAGE``."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from experiments.catalogue import EXPERIMENTS
from testbed.gates.compare import FIGURES, P_MAX
from testbed.gates.figures import SAMPLES_MIN
from testbed.gates.shift import PAIRS_MIN, RUNS_MIN
from testbed.gates.thresholds import THRESHOLDS

_HEAD = """\
# Gate files

A gate file is TOML: `name`, and one `[[suite]]` or more. It is refused whole, with every problem.
This page is made from the code (`python -m testbed.gates.reference > docs/reference/gates.md`); a
test compares the two. How to use them: [Stop a release](../how-to/gate-a-release.md). Shipped ones
are in `experiments/gates/`.

| key of a suite | meaning | default |
|---|---|---|
| `name` | unique; folder of its runs | the experiment |
"""

_KEYS = """\
| `deployment` | below `inventory/`, or a path | the experiment's |
| `settings` | table of variables | none |
| `budget` | no example is begun after it, from the first world on: `90s`, `10m` | `3m` |
| `runs_min` | fewer runs decide nothing | 1 |
| `promises` | table of thresholds, at least one | needed |

| promise | figure | kept when it is | otherwise |
|---|---|---|---|
"""

_TAIL = """\
Every run must also be valid: a broken promise in a run fails the gate whatever its thresholds say.
Inconclusive are: too few runs, a figure that no run shows or one could not decide, a time or a
share of runs of which one could not be judged at all (its machine was starved), a 99th percentile
of fewer than {samples} samples, a threshold within what a figure may be (lag is known between two
bounds), runs of another system, and a plan that was judged differently when it was run again (with
its rate; its runs then count for no threshold). One that was inconclusive or whose environment
failed, and that broke a promise when it was run again, is broken. Inconclusive as well is a run
whose `verdict.json` is damaged or contradicts itself; no threshold counts it. Broken outranks a
failed environment, which outranks inconclusive.

A time without service that never ended, and one with two primaries that nobody can tell the end of,
are infinite. Of lag, the slowest link counts, by the measurement that tells it best; where more
than one sample in a hundred was never seen at the far end, its 99th percentile has no upper bound.
Where a node was not seen to converge within the promised bound, it took longer than that.

## Against a baseline

`--baseline FOLDER` compares each figure that the runs have, one value a run:

| finding | figure of a run | unit |
|---|---|---|
{figures}

Only valid runs count. Where {pairs} schedules or more were played in both (the same `--seed` draws
the same), their figures are compared pair by pair, each the median of its runs: what a figure
mostly depends on is then the same, and the test is Wilcoxon's one-sided signed-rank test. Else all
runs of one side are compared with all of the other by the one-sided rank-sum test of Mann and
Whitney, and fewer than {runs} of each are inconclusive. It fails at p < {p} (exact where the
permutations are few). The size of the shift is the estimator of Hodges and Lehmann with its 95%
interval; both are printed, with p and how much was compared.

## Files

`gate.json`, `gate.xml` (JUnit) and `gate.md` are written to `--out`, and the runs below it.
"""

_FIGURES = {
    "rto against baseline": "longest time without service of any region",
    "lag p99 against baseline": "99th percentile of the lag of the slowest link, at least",
}


def page() -> str:
    """The whole page."""
    names = ", ".join(f"`{name}`" for name in EXPERIMENTS)
    experiment = f"| `experiment` | what to run: {names} | needed |\n"
    promises = "".join(f"{line}\n" for line in _promises())
    figures = "\n".join(
        f"| {name} | {_FIGURES[name]} | {compared.unit} |" for name, compared in FIGURES.items()
    )
    tail = _TAIL.format(
        samples=SAMPLES_MIN, figures=figures, runs=RUNS_MIN, pairs=PAIRS_MIN, p=f"{P_MAX:g}"
    )
    return f"{_HEAD}{experiment}{_KEYS}{promises}\n{tail}"


def _promises() -> Iterator[str]:
    for name, rule in THRESHOLDS.items():
        way = "at least that" if rule.least else "at most that"
        missed = "failed" if rule.breach else "inconclusive"
        yield f"| `{name}` | {rule.meaning} | {way} | {missed} |"


if __name__ == "__main__":
    sys.stdout.write(page())
