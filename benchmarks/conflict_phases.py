"""Where the time of conflict trials goes, phase by phase, from what a suite recorded of itself.

Run it with ``.venv/bin/python -m benchmarks.conflict_phases FOLDER`` for a suite's folder; the
benchmark of trials prints the same table.

The runner tells of its phases (``progress.jsonl``); what faults did is in each run's history. What
faults take goes on beside the load, and is part of it.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import mean
from typing import Any

from testbed.runner.folder import RunFolder
from testbed.runner.plan_document import load_plan

PHASES = ("prepare", "steady", "load", "overrun", "heal", "final-reads", "judge", "between")
"""Of a trial's time; ``overrun`` is the part of the load beyond its plan, and counted in it."""

FAULTS = ("inject", "injected", "effect", "heal", "healed", "absence")
STEPS = ("inject to injected", "injected to effect", "effect to heal", "heal to absence")


@dataclass
class Trial:
    """One schedule that was played and judged.

    Args:
        lane: Its world.
        disturbed: Kinds of its faults.
        phases_s: Seconds by phase.
        faults_s: For each of its faults, the seconds of each step.
    """

    lane: int
    disturbed: str
    phases_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    faults_s: list[tuple[str, dict[str, float]]] = field(default_factory=list)

    @property
    def total_s(self) -> float:
        """From its start to the next one's."""
        return sum(spent for name, spent in self.phases_s.items() if name != "overrun")


def events(out: Path) -> Iterator[dict[str, Any]]:
    """What a suite has told of its progress so far, in order."""
    try:
        lines = (out / "progress.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    except OSError:
        return
    yield from (json.loads(line) for line in lines if line.endswith("\n"))


def trials_of(out: Path) -> list[Trial]:
    """Every trial of a suite but the first of each lane, which made its world."""
    seen = [one for one in events(out) if one["event"] in ("example", "phase", "verdict")]
    return [
        trial
        for lane in sorted({one["lane"] for one in seen})
        for trial in _of_lane(lane, [one for one in seen if one["lane"] == lane])
    ]


def _of_lane(lane: int, seen: list[dict[str, Any]]) -> Iterator[Trial]:
    trial: Trial | None = None
    for event, after in pairwise(seen):
        if event["event"] == "example":
            trial = _begun(lane, event)
        if trial is None or event.get("name") == "provision":
            continue
        name = {"example": "prepare", "verdict": "between"}.get(event["event"], event.get("name"))
        trial.phases_s[str(name)] += after["time"] - event["time"]
        if event["event"] == "verdict" and event["example"] > 1:
            trial.phases_s["overrun"] += trial.phases_s["load"]
            yield trial


def _begun(lane: int, event: Mapping[str, Any]) -> Trial | None:
    """A trial that has only begun; what its load was to take is taken off its overrun."""
    folder = RunFolder(Path(event["run"]))
    try:
        plan = load_plan(folder.plan)
        lines = folder.history.read_bytes().splitlines()
    except OSError:
        return None
    kinds = sorted({step.kind for step in plan.schedule} - {"clock-skew"})
    trial = Trial(lane, "+".join(kinds))
    trial.phases_s["overrun"] = -plan.duration_s
    moments: dict[int, dict[str, float]] = defaultdict(dict)
    for line in lines:
        if b'"phase"' in line:
            operation = json.loads(line)
            said = operation["value"]
            moments[said["step"]][said["phase"]] = operation["time"] / 1e9
    for number, at_s in moments.items():
        if set(FAULTS) <= set(at_s):
            spent = {
                step: at_s[step.split(" to ")[1]] - at_s[step.split(" to ")[0]] for step in STEPS
            }
            trial.faults_s.append((plan.schedule[number].kind, spent))
    return trial


def table(found: list[Trial]) -> Iterator[str]:
    """Lines for people: mean seconds by what was disturbed, then by kind of fault."""
    groups = {"every trial": found}
    for disturbed in sorted({trial.disturbed for trial in found}):
        groups[disturbed] = [trial for trial in found if trial.disturbed == disturbed]
    yield (
        f"{'seconds of a trial':28} {'n':>4} "
        + " ".join(f"{name:>11}" for name in PHASES)
        + (f" {'total':>7}")
    )
    for name, those in groups.items():
        means = " ".join(f"{mean(one.phases_s[p] for one in those):11.2f}" for p in PHASES)
        yield f"{name:28} {len(those):4} {means} {mean(one.total_s for one in those):7.2f}"
    yield f"{'seconds of a fault':28} {'n':>4} " + " ".join(f"{step:>18}" for step in STEPS)
    faults = [each for trial in found for each in trial.faults_s]
    for kind in sorted({kind for kind, _ in faults}):
        of_kind = [spent for one, spent in faults if one == kind]
        means = " ".join(f"{mean(one[step] for one in of_kind):18.2f}" for step in STEPS)
        yield f"{kind:28} {len(of_kind):4} {means}"


def main() -> None:
    """Print the table of a suite."""
    print("\n".join(table(trials_of(Path(sys.argv[1])))))


if __name__ == "__main__":
    main()
