"""Delays of links as measured while no fault held them, and what they say of the machine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import orjson

from testbed.history.fault_window import FaultWindow
from testbed.measures.latency import percentile
from testbed.runner.recorded import RecordedRun
from testbed.topology.model import Link, Topology

AFTER_NS = 5e9
"""So long after a fault what it held back may still arrive."""

READINGS_MIN = 12
"""Of all links together: two looks at each link of three regions. A reading is the median of the
messages of half a second."""

LATE_MS_MAX = 60.0
"""How much later than their links ask for messages may be at the 99th percentile.

Seen here: 2 to 64 ms in 15 runs that kept every promise, 86 and 168 ms in two whose standbys needed
half a minute for a start that takes 3 s.
"""

OF_NO_LINK = frozenset({"clock-skew"})
"""Faults that hold back nothing on any link."""


def undisturbed_ms(run: RecordedRun) -> dict[str, list[float]]:
    """What was measured of each link while no fault held it, in order of time."""
    delays: dict[str, list[float]] = defaultdict(list)
    spans = {link.name: _spans(run, link) for link in run.deployment.topology.links}
    for reading in _readings(run.folder.metrics / "links.jsonl"):
        name = f"{reading['source']}->{reading['target']}"
        disturbed = any(since <= reading["time"] <= until for since, until in spans.get(name, ()))
        if reading["delay_ms"] is not None and not disturbed:
            delays[name].append(reading["delay_ms"])
    return dict(delays)


def _spans(run: RecordedRun, link: Link) -> list[tuple[float, float]]:
    """When faults may have held back what a link carries."""
    return [
        (window.inject_ns, (window.healed_ns or window.inject_ns) + AFTER_NS)
        for window in run.windows
        if _disturbs(window, link)
    ]


def _disturbs(window: FaultWindow, link: Link) -> bool:
    """Whether a fault may hold back what a link carries: the faults of other links do not."""
    if window.kind in OF_NO_LINK:
        return False
    resolved = str(window.details.get("resolved", ""))
    if window.kind == "region-cut" and resolved:
        return resolved in (link.source, link.target)
    ends = resolved.split("->")
    if window.kind.startswith("link-") and len(ends) == 2:
        return set(ends) == {link.source, link.target}
    return True


def busy(topology: Topology, delays: Mapping[str, Sequence[float]]) -> str:
    """Why nothing that takes time can be said of a run; empty if it can.

    The nodes' programs have a lower priority than the runner, whose own lateness tells nothing of
    them. Observers have theirs.

    Args:
        topology: Its links.
        delays: What was measured of each while nothing held it, in ms, by its name.
    """
    late = [
        percentile(sorted(delays[link.name]), 99) - link.delay_ms - link.jitter_ms
        for link in topology.links
        if delays.get(link.name)
    ]
    if sum(map(len, delays.values())) < READINGS_MIN or (late_ms := median(late)) <= LATE_MS_MAX:
        return ""
    return (
        f"messages between regions came {late_ms:.0f} ms later than their links ask for at the "
        f"99th percentile, allowed are {LATE_MS_MAX:.0f} ms: give the machine less to do"
    )


def _readings(path: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return
    for line in lines:
        try:
            yield orjson.loads(line)
        except orjson.JSONDecodeError:
            # The last line of a run that was killed: it is missed by nobody.
            continue
