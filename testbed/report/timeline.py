"""Operations of a region over time: counted in bins, so that a figure's size knows no load."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from testbed.report.kinds import OTHER, WRITE
from testbed.report.recorded import Call, RecordedRun

_CLOCK_S_MAX = 1e9
"""Thirty years: what a run's clock does not come to, and a damaged number may."""

_STEPS_S = tuple(base * 10.0**power for power in range(-2, 6) for base in (1, 2, 5))


@dataclass(frozen=True, slots=True)
class Bins:
    """Equal stretches of time.

    Args:
        start_s: Where the first begins.
        width_s: Of each.
        count: How many.
    """

    start_s: float
    width_s: float
    count: int

    @property
    def end_s(self) -> float:
        """Where the last ends."""
        return self.start_s + self.width_s * self.count

    def index(self, time_s: float) -> int:
        """The bin of a time; the nearest one for a time outside."""
        number = math.floor((time_s - self.start_s) / self.width_s)
        return min(max(number, 0), self.count - 1)


@dataclass(frozen=True, slots=True)
class RegionSeries:
    """What the clients of one region got, bin by bin.

    Args:
        region: Its name.
        writes: Acknowledged operations a second that change something.
        reads: Acknowledged reads a second.
        failed: Operations a second that surely were not done.
        unknown: Operations a second of unknown outcome.
        latency_ms_p50: Of acknowledged operations, from when they were due; None where none was.
        latency_ms_max: The slowest of them.
        served: Share of the writes that ended that were acknowledged, or of all where nothing
            writes; 0 where writes only waited, None where nothing was asked.
        answered_by: The node that acknowledged most writes; None where none did.
    """

    region: str
    writes: tuple[float, ...]
    reads: tuple[float, ...]
    failed: tuple[float, ...]
    unknown: tuple[float, ...]
    latency_ms_p50: tuple[float | None, ...]
    latency_ms_max: tuple[float | None, ...]
    served: tuple[float | None, ...]
    answered_by: tuple[str | None, ...]


def span(run: RecordedRun) -> tuple[float, float]:
    """First and last second that a figure of the run shows: those of its operations and faults.

    What roles were long before the load began is left out.
    """
    times = [call.invoked_s for call in run.calls[:1]]
    times += [max(call.completed_s for call in run.calls)] if run.calls else []
    for fault in run.schedule:
        steps = (fault.inject_s, fault.effect_s, fault.heal_s, fault.absence_s)
        times += [step for step in steps if step is not None and abs(step) < _CLOCK_S_MAX]
    times = times or [sample.time_s for sample in run.roles]
    if not times:
        return 0.0, max(run.plan.duration_s, 1.0) if run.plan else 1.0
    first, last = min(times), max(times)
    return first, max(last, first + 1.0)


def bins_over(start_s: float, end_s: float, count_max: int, width_s_min: float = 0.0) -> Bins:
    """Bins of a round width over a stretch of time, at most so many and at least so wide."""
    wanted = max((end_s - start_s) / max(count_max - 1, 1), width_s_min)
    width_s = next((step for step in _STEPS_S if step >= wanted), wanted)
    first = math.floor(start_s / width_s) * width_s
    return Bins(first, width_s, max(math.ceil((end_s - first) / width_s), 1))


def regions_of(run: RecordedRun) -> tuple[str, ...]:
    """Every region with clients or a name in the verdict, in the inventory's order if known."""
    named = dict.fromkeys(run.judgement.regions) if run.judgement else {}
    named |= dict.fromkeys(call.region for call in run.calls)
    if run.judgement:
        named |= dict.fromkeys(recovery.region for recovery in run.judgement.recoveries)
        named |= dict.fromkeys(run.judgement.availability)
    return tuple(name for name in named if name)


def calls_by_region(calls: Sequence[Call]) -> dict[str, list[Call]]:
    """The operations of each region's load."""
    found: defaultdict[str, list[Call]] = defaultdict(list)
    for call in calls:
        if call.kind != OTHER:
            found[call.region].append(call)
    return dict(found)


def region_series(region: str, calls: Sequence[Call], bins: Bins) -> RegionSeries:
    """Counts the operations of one region, each when it ended: so a stall shows when it is one."""
    writes, reads, failed, unknown, asked = ([0] * bins.count for _ in range(5))
    latencies: defaultdict[int, list[float]] = defaultdict(list)
    nodes: defaultdict[int, Counter[str]] = defaultdict(Counter)
    stalled: set[int] = set()
    for call in calls:
        at = bins.index(call.completed_s)
        write = call.kind == WRITE
        if write:
            # A bin in which nothing ended because something waited all through it is no idle one.
            stalled.update(range(bins.index(call.due_s) + 1, at))
        asked[at] += write
        if call.outcome == "ok":
            (writes if write else reads)[at] += 1
            latencies[at].append((call.completed_s - call.due_s) * 1000.0)
            if write and call.node:
                nodes[at][call.node] += 1
        else:
            (failed if call.outcome == "fail" else unknown)[at] += 1
    by_rank = {at: sorted(found) for at, found in latencies.items()}
    ats = range(bins.count)
    if not any(asked):
        asked = [reads[at] + failed[at] + unknown[at] for at in ats]
    good = writes if any(call.kind == WRITE for call in calls) else reads
    return RegionSeries(
        region=region,
        writes=_per_second(writes, bins),
        reads=_per_second(reads, bins),
        failed=_per_second(failed, bins),
        unknown=_per_second(unknown, bins),
        latency_ms_p50=tuple(
            by_rank[at][len(by_rank[at]) // 2] if at in by_rank else None for at in ats
        ),
        latency_ms_max=tuple(by_rank[at][-1] if at in by_rank else None for at in ats),
        served=tuple(
            good[at] / asked[at] if asked[at] else 0.0 if at in stalled else None for at in ats
        ),
        answered_by=tuple(nodes[at].most_common(1)[0][0] if at in nodes else None for at in ats),
    )


def _per_second(counts: Sequence[int], bins: Bins) -> tuple[float, ...]:
    return tuple(count / bins.width_s for count in counts)
