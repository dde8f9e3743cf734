"""Delays of links that observers measured while nothing held, and what they say of the machine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import orjson

from testbed.runner.recorded import RecordedRun
from testbed.topology.model import Topology

AFTER_NS = 5e9
"""So long after a fault what it held back may still arrive."""

READINGS_MIN = 20

LATE_MS_MAX = 60.0
"""How much later than their links ask for messages may be at the 99th percentile.

Seen here: 2 to 64 ms in 15 runs that kept every promise, 86 and 168 ms in two whose standbys needed
half a minute for a start that takes 3 s.
"""


def undisturbed_ms(run: RecordedRun) -> dict[str, list[float]]:
    """What was measured of each link that was read at all, in order of time."""
    delays: dict[str, list[float]] = defaultdict(list)
    spans = [(window.inject_ns, window.healed_ns or window.inject_ns) for window in run.windows]
    for reading in _readings(run.folder.metrics / "links.jsonl"):
        disturbed = any(since <= reading["time"] <= until + AFTER_NS for since, until in spans)
        if reading["delay_ms"] is not None and not disturbed:
            delays[f"{reading['source']}->{reading['target']}"].append(reading["delay_ms"])
    return dict(delays)


def busy(topology: Topology, delays: Mapping[str, Sequence[float]]) -> str:
    """Why nothing that takes time can be said of a run; empty if it can.

    The nodes' programs have a lower priority than the runner, whose own lateness tells nothing of
    them. Observers have theirs.

    Args:
        topology: Its links.
        delays: What was measured of each while nothing held, in ms, by its name.
    """
    late = [
        p99(delays[link.name]) - link.delay_ms - link.jitter_ms
        for link in topology.links
        if len(delays.get(link.name, ())) >= READINGS_MIN
    ]
    if not late or (late_ms := median(late)) <= LATE_MS_MAX:
        return ""
    return (
        f"messages between regions came {late_ms:.0f} ms later than their links ask for at the "
        f"99th percentile, allowed are {LATE_MS_MAX:.0f} ms: give the machine less to do"
    )


def p99(values: Sequence[float]) -> float:
    """The 99th percentile; of one value itself."""
    return max(values) if len(values) < 2 else quantiles(values, n=100, method="inclusive")[-1]


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
