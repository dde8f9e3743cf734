"""No lag is shorter than the way: what is faster went past the emulated links.

The verdict is never a violation: it is the testbed that leaks, and nothing that it shows can be
believed. What was on its way while a fault changed a link's delay is left out: then a proxy may
pass on at once what it holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from testbed.checkers.verdict import Validity, Verdict
from testbed.measures.lag_sample import LagSample

NAME = "lag-floor"
PROMISE = "No change arrived sooner than its link's one-way delay."

TOLERANCE_MS = 0.5
"""Clocks are read before sending and after receiving; a kernel's timer may fire this early."""


def check(
    measured: Mapping[str, Sequence[LagSample]],
    floor_ms: Mapping[tuple[str, str], float],
    changing: Sequence[tuple[int, int]] = (),
) -> Verdict:
    """Hold what each sample is at most against the least that its link takes.

    Args:
        measured: By the name of each measurement, its samples.
        floor_ms: The least that a byte takes from one node to another, by both names.
        changing: When faults changed the delay of links, from and to in ns.

    Returns:
        Valid, or unknown: something was too fast, or nothing can be compared.
    """
    tightest: dict[str, tuple[float, LagSample]] = {}
    count = 0
    for name, samples in measured.items():
        for sample in samples:
            floor = floor_ms.get((sample.origin, sample.seen_at))
            if floor is None or sample.high_ms is None or _disturbed(sample, changing):
                continue
            count += 1
            slack = sample.high_ms - floor
            if name not in tightest or slack < tightest[name][0]:
                tightest[name] = (slack, sample)
    numbers = {f"slack_{name}_ms_min": round(slack, 3) for name, (slack, _) in tightest.items()}
    numbers["samples"] = float(count)
    if set(tightest) != set(measured) or not measured:
        lacking = ", ".join(sorted(set(measured) - set(tightest))) or "every measurement"
        reason = f"nothing to compare with the links of {lacking}"
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, reason, (), numbers)
    name, (slack, sample) = min(tightest.items(), key=lambda each: each[1][0])
    said = (
        f"{name} saw a change of {sample.origin} at {sample.seen_at} after at most "
        f"{sample.high_ms:.1f} ms"
    )
    if slack < -TOLERANCE_MS:
        reason = f"{said}, {-slack:.1f} ms less than the link takes: the emulation leaks"
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, reason, (reason,), numbers)
    reason = f"{count} samples; the closest to its link's delay: {said}, {slack:.1f} ms more"
    return Verdict(NAME, PROMISE, Validity.VALID, reason, (), numbers)


def _disturbed(sample: LagSample, changing: Sequence[tuple[int, int]]) -> bool:
    until = sample.seen_to_ns or sample.seen_from_ns
    return any(sample.made_from_ns <= to and since <= until for since, to in changing)
