"""Physics that the figures of a run must obey: they catch a testbed that leaks.

An acknowledged write took at least the way from the client's region to the primary's and back;
under ``synchronous_strict`` also the way from the primary to its nearest standby and back. One
that was faster went past the emulated links, and no verdict of such a run can be believed. Writes
that were under way while a fault changed a link's toxics are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from testbed.checkers.verdict import Validity, Verdict
from testbed.history.fault_window import FaultWindow
from testbed.history.history import Pair
from testbed.runner.recorded import RecordedRun
from testbed.topology.model import Topology

NAME = "physics"
PROMISE = "No answer was faster than the emulated links allow."

TOLERANCE_MS = 0.5
"""Clocks are read before sending and after receiving; a kernel's timer may fire this early."""


def check(run: RecordedRun, writes: Iterable[str]) -> Verdict:
    """Judge whether the run's acknowledged writes took their time.

    Args:
        run: As recorded.
        writes: The functions that a primary acknowledges.

    Returns:
        Valid, or unknown where a write was too fast or none can be compared; never a violation,
        since it is the testbed that would be broken.
    """
    topology = run.deployment.topology
    regions = {region.name for region in topology.regions}
    strict = run.deployment.variables.get("replication") == "synchronous_strict"
    disturbed = tuple(changing(run.windows))
    slack = [
        (_took_ms(pair) - _least_ms(topology, client, primary, strict=strict), pair)
        for pair in run.history.of(writes, "ok")
        if (primary := run.region_of.get(pair.node or "")) is not None
        and (client := pair.region or "") in regions
        and not any(
            pair.start_ns <= to_ns and from_ns <= (pair.end_ns or 0) for from_ns, to_ns in disturbed
        )
    ]
    if not slack:
        reason = "no acknowledged write says whose it was and which node acknowledged it"
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, reason)
    least_ms, fastest = min(slack, key=lambda each: each[0])
    numbers = {"slack_ms_min": round(least_ms, 3), "writes": float(len(slack))}
    said = f"a write of {fastest.region} at {fastest.node} took {_took_ms(fastest):.1f} ms"
    if least_ms < -TOLERANCE_MS:
        reason = f"{said}, {-least_ms:.1f} ms less than its links take: the emulation leaks"
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, reason, (reason,), numbers)
    reason = f"the closest to its links' least: {said}, {least_ms:.1f} ms more"
    return Verdict(NAME, PROMISE, Validity.VALID, reason, (), numbers)


def changing(windows: Iterable[FaultWindow]) -> Iterator[tuple[int, int]]:
    """When the toxics of a link were being changed.

    Toxiproxy then passes on at once what it holds: the one thing that may be too fast, and known.
    """
    for window in windows:
        if window.kind.startswith("link-"):
            yield window.inject_ns, window.bitten_ns
            if window.heal_ns is not None:
                yield window.heal_ns, window.healed_ns or window.absence_ns or window.heal_ns


def _took_ms(pair: Pair) -> float:
    return ((pair.end_ns or 0) - pair.start_ns) / 1e6


def _least_ms(topology: Topology, client: str, primary: str, *, strict: bool) -> float:
    """The least that a write can take from a client's region at a primary's."""
    least = 0.0 if client == primary else _round_trip_ms(topology, client, primary)
    if strict:
        others = [region.name for region in topology.regions if region.name != primary]
        least += min((_round_trip_ms(topology, primary, other) for other in others), default=0.0)
    return least


def _round_trip_ms(topology: Topology, one: str, other: str) -> float:
    """Both ways with the jitter at its best."""
    links = (topology.link(one, other), topology.link(other, one))
    return sum(max(0.0, link.delay_ms - link.jitter_ms) for link in links)
