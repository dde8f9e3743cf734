"""Whether three ways to measure replication lag agree, wherever they saw the same thing.

Definition. What an origin makes arrives in its order. So what was made after one thing and before
another is seen no sooner than the first and no later than the second, whatever the lag is and
however it changes. Each sample of one measurement is held against its neighbours of another: it
contradicts them if it was surely seen before its predecessor could be, or surely not yet when its
successor was. The verdict is never a violation: where measurements contradict each other it is the
testbed that is broken, and no lag of such a run can be believed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate, combinations
from typing import Any

from testbed.checkers.verdict import Validity, Verdict
from testbed.measures.lag_sample import LagSample, by_link

NAME = "lag-agreement"
PROMISE = "What servers, heartbeats and clients say of replication lag agrees."

COMPARED_MIN = 20
"""So many comparisons each two measurements need on some link."""

CONTRADICTING_MAX = 0.01
"""The share that a preempted process may spoil: a moment between two statements is not atomic."""

EXAMPLES_MAX = 20


def check(measured: Mapping[str, Sequence[LagSample]]) -> Verdict:
    """Hold every two measurements against each other, link by link.

    Args:
        measured: By the name of each measurement, its samples.

    Returns:
        Valid, or unknown: contradictory, or too little to compare.
    """
    numbers: dict[str, float] = {}
    problems: list[str] = []
    examples: list[dict[str, Any]] = []
    for one, other in combinations(sorted(measured), 2):
        compared, found = _compare(measured[one], measured[other])
        pair = f"{one} and {other}"
        numbers[f"compared_{one}_{other}"] = float(compared)
        numbers[f"contradictions_{one}_{other}"] = float(len(found))
        if compared < COMPARED_MIN:
            problems.append(f"{pair} could be compared {compared} times, expected {COMPARED_MIN}")
        elif len(found) > CONTRADICTING_MAX * compared:
            problems.append(f"{pair} contradict each other in {len(found)} of {compared} cases")
            examples += [{"measurements": [one, other], **each} for each in found]
    if problems:
        reason = "; ".join(problems)
        return Verdict(
            NAME, PROMISE, Validity.UNKNOWN, reason, tuple(examples[:EXAMPLES_MAX]), numbers
        )
    total = sum(value for name, value in numbers.items() if name.startswith("compared"))
    reason = f"{len(measured)} measurements agree in {total:.0f} comparisons"
    return Verdict(NAME, PROMISE, Validity.VALID, reason, (), numbers)


def _compare(
    one: Sequence[LagSample], other: Sequence[LagSample]
) -> tuple[int, list[dict[str, Any]]]:
    """How often two measurements could be compared, and where they contradict each other."""
    others = by_link(other)
    compared, found = 0, list[dict[str, Any]]()
    for link, samples in by_link(one).items():
        if link not in others:
            continue
        line = _Line(others[link])
        for sample in samples:
            ruled, contradiction = line.against(sample)
            compared += ruled
            if contradiction:
                found.append({"link": "->".join(link), "text": [contradiction]})
    return compared, found


class _Line:
    """The samples of one measurement of one link, in the order in which they were made."""

    def __init__(self, samples: Sequence[LagSample]) -> None:
        by_end = sorted(samples, key=lambda one: one.made_to_ns)
        self._ends = [one.made_to_ns for one in by_end]
        # Of all that was made before: the one that could be seen last.
        self._seen_from = list(accumulate((one.seen_from_ns for one in by_end), max))
        by_start = sorted(samples, key=lambda one: one.made_from_ns)
        self._starts = [one.made_from_ns for one in by_start]
        seen_to = [2**63 if one.seen_to_ns is None else one.seen_to_ns for one in by_start]
        # Of all that was made after: the one that was surely seen first.
        self._seen_to = list(accumulate(reversed(seen_to), min))[::-1]

    def against(self, sample: LagSample) -> tuple[bool, str]:
        """Whether neighbours say something of a sample, and how it contradicts them."""
        before = bisect_right(self._ends, sample.made_from_ns) - 1
        after = bisect_left(self._starts, sample.made_to_ns)
        ruled = False
        if before >= 0 and sample.seen_to_ns is not None:
            ruled = True
            if sample.seen_to_ns < self._seen_from[before]:
                return True, _sooner(sample, self._seen_from[before])
        if after < len(self._starts) and self._seen_to[after] < 2**63:
            ruled = True
            if sample.seen_from_ns > self._seen_to[after]:
                return True, _later(sample, self._seen_to[after])
        return ruled, ""


def _sooner(sample: LagSample, from_ns: int) -> str:
    assert sample.seen_to_ns is not None
    return (
        f"made at {sample.made_from_ns / 1e9:.3f} s and seen by {sample.seen_to_ns / 1e9:.3f} s, "
        f"while what was made before it was not to be seen until {from_ns / 1e9:.3f} s"
    )


def _later(sample: LagSample, to_ns: int) -> str:
    return (
        f"made by {sample.made_to_ns / 1e9:.3f} s and not seen until "
        f"{sample.seen_from_ns / 1e9:.3f} s, while what was made after it was seen by "
        f"{to_ns / 1e9:.3f} s"
    )
