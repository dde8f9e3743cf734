"""PostgreSQL's own conflict counters agree with the conflicts that the history implies.

Definition. PostgreSQL counts a conflict where a change arrives at a row that another origin wrote
last, or that is not there. So where tables are published as they are, there are conflicts if, and
only if, the history has rows that were written in several regions; where only change logs are
published, whose rows have no key, there is none whatever was written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

from testbed.checkers.verdict import Validity, Verdict
from testbed.measures.mesh_recording import MeshRecording

NAME = "conflict-counters"
PROMISE = "PostgreSQL counts conflicts exactly where the history implies them."


def check(
    recording: MeshRecording, shared: Collection[Any], met: Collection[Any], *, logged: bool
) -> Verdict:
    """Compare what PostgreSQL counted with what clients wrote.

    Args:
        recording: Every look at the streams' counters.
        shared: Keys of rows that may have been written in several regions, in any order.
        met: Keys of rows that were surely written in several regions that could not hear of each
            other.
        logged: Whether rows are sent as change logs only.
    """
    counted = counted_conflicts(recording)
    total = sum(counted.values())
    numbers = {"rows_shared": float(len(shared)), "rows_met": float(len(met))}
    numbers |= {f"{kind}_count": float(number) for kind, number in sorted(counted.items())}
    listed = ", ".join(f"{kind} {number}" for kind, number in counted.most_common()) or "none"
    if not recording.streams:
        reason = "no counters were recorded"
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, reason, (), numbers)
    numbers["counted"] = float(total)
    if logged and total:
        reason = f"only change logs are published, and PostgreSQL counted conflicts: {listed}"
        return Verdict(NAME, PROMISE, Validity.VIOLATION, reason, (dict(counted),), numbers)
    if not logged and total and not shared:
        reason = f"no row was written in two regions, and PostgreSQL counted conflicts: {listed}"
        return Verdict(NAME, PROMISE, Validity.VIOLATION, reason, (dict(counted),), numbers)
    if not logged and met and not total:
        reason = f"{len(met)} rows were written in two regions at once, PostgreSQL counted none"
        return Verdict(NAME, PROMISE, Validity.VIOLATION, reason, tuple(sorted(met))[:20], numbers)
    reason = f"{len(shared)} rows were written in several regions; counted: {listed}"
    return Verdict(NAME, PROMISE, Validity.VALID, reason, (), numbers)


def counted_conflicts(recording: MeshRecording) -> Counter[str]:
    """What was counted from the first look to the last, by kind, over all streams.

    A subscription that was made anew counts from zero again.
    """
    counted: Counter[str] = Counter()
    before: dict[tuple[str, str, str], int] = {}
    for look in recording.streams:
        for kind, number in look.conflicts.items():
            key = (look.node, look.stream, kind)
            grown = number - before[key] if key in before else 0
            counted[kind.removeprefix("confl_")] += grown if grown >= 0 else number
            before[key] = number
    return +counted
