"""Delays of links as measured while no fault held them, and what they say of the machine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from statistics import median
from typing import Any

from testbed.history.fault_window import FaultWindow
from testbed.measures.latency import percentile
from testbed.report.visible import compact
from testbed.runner.folder import read_lines
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
    """What was measured of each link while no fault held it, in order of time.

    Raises:
        FolderError: What observers recorded is damaged: how busy the machine was is not known.
    """
    delays: dict[str, list[float]] = defaultdict(list)
    spans = {link.name: _spans(run, link) for link in run.deployment.topology.links}
    path = run.folder.metrics / "links.jsonl"
    for reading in read_lines(path, partial(_reading, links=frozenset(spans))):
        if reading is None:
            continue
        name, time, delay_ms = reading
        if not any(since <= time <= until for since, until in spans[name]):
            delays[name].append(delay_ms)
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
    resolved = window.resolved
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


def _reading(
    document: Mapping[str, Any], links: AbstractSet[str]
) -> tuple[str, float, float] | None:
    """Link, time in ns and delay in ms; None where nothing arrived."""
    name, delay_ms = f"{document['source']}->{document['target']}", document["delay_ms"]
    if name not in links:
        raise ValueError(f"there is no link {compact(name, 60)}")
    return None if delay_ms is None else (name, document["time"] + 0.0, delay_ms + 0.0)
