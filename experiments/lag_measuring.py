"""Replication lag of a recorded run, measured three ways from what it left behind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from testbed.clients.catalogue import writes_everywhere
from testbed.measures.heartbeat import heartbeat_lags
from testbed.measures.lag_history import history_lags, shown_by
from testbed.measures.lag_positions import position_lags
from testbed.measures.lag_recording import Recording, recording
from testbed.measures.lag_sample import LagSample, Quantiles, by_link, quantiles
from testbed.measures.latency import percentile
from testbed.runner.folder import FolderError, read_lines
from testbed.runner.recorded import RecordedRun
from testbed.topology.model import Topology

SERIES_S = 1.0
"""The quantiles of each link are kept for each so many seconds."""

PULSES, WATCHES = ("pulse",), ("watch",)


Samples = Mapping[str, tuple[LagSample, ...]]
"""By measurement: ``servers``, ``heartbeats`` and ``clients``."""


@dataclass(frozen=True)
class Lag:
    """Replication lag of a run.

    Args:
        run: As recorded.
        samples: Of the three measurements that must agree.
        reported_ms: The servers' own lag of each receiver, by sender and receiver's name.
    """

    run: RecordedRun
    samples: Samples
    reported_ms: Mapping[tuple[str, str], tuple[float, ...]]


def measured(run: RecordedRun) -> Lag:
    """Measures it all, reading what was recorded once.

    Raises:
        FolderError: What probes recorded is damaged.
        HistoryError: The history contradicts itself.
    """
    recorded = recorded_of(run)
    mesh = writes_everywhere(run.deployment.topology)

    def stream_of(node: str) -> str | None:
        return f"from_{run.region_of[node].replace('-', '_')}" if mesh else None

    samples = {
        "servers": position_lags(recorded, stream_of),
        "heartbeats": heartbeat_lags(recorded),
        "clients": clients(run),
    }
    return Lag(run, samples, recorded.reported_ms)


def clients(run: RecordedRun, *, stable: bool = False) -> tuple[LagSample, ...]:
    """Samples by what clients saw.

    Args:
        run: As recorded.
        stable: When no read lacks a write any more, rather than when the first one shows it.

    Raises:
        HistoryError: The history contradicts itself.
    """
    topology = run.deployment.topology
    return history_lags(
        run.history.of(PULSES, "ok"),
        shown_by(run.history, WATCHES),
        lambda region, node: _way_ns(topology, region, run.region_of.get(node or "")),
        lambda node, region: _way_ns(topology, run.region_of.get(node or ""), region),
        stable=stable,
    )


def recorded_of(run: RecordedRun) -> Recording:
    """What the probes recorded of replication; empty where they were not asked to.

    Raises:
        FolderError: A line other than the last one is damaged.
    """
    path = run.folder.metrics / "replication.jsonl"
    try:
        return recording(read_lines(path, dict))
    except (KeyError, TypeError) as error:
        raise FolderError(f"{path}: a line lacks {error}") from error


def floors_ms(run: RecordedRun) -> dict[tuple[str, str], float]:
    """The least that a byte takes from one node to another, by both names."""
    topology = run.deployment.topology
    members = topology.members("postgres")
    return {
        (one.name, other.name): _way_ns(topology, one.region, other.region) / 1e6
        for one in members
        for other in members
        if one.region != other.region
    }


def _way_ns(topology: Topology, source: str | None, target: str | None) -> int:
    """With the jitter at its best; 0 inside a region, and where it is not known."""
    for link in topology.links:
        if (link.source, link.target) == (source, target):
            return int(max(0.0, link.delay_ms - link.jitter_ms) * 1e6)
    return 0


def document(lag: Lag) -> dict[str, Any]:
    """Lag for ``verdict.json``: by measurement and directed link, as a whole and over time.

    Quantiles are pairs: the true one lies between the two.
    """
    worst = worst_ms(lag.samples)
    stable = {"clients, stable": clients(lag.run, stable=True)}
    return {
        "worst_ms": None if worst is None else round(worst, 3),
        "links": list(_links(lag.run, {**lag.samples, **stable})),
        "reported": [
            {
                "sender": sender,
                "receiver": receiver,
                "count": len(lags),
                "p50_ms": round(percentile(sorted(lags), 50), 3),
                "max_ms": round(max(lags), 3),
            }
            for (sender, receiver), lags in lag.reported_ms.items()
        ],
    }


def worst_ms(found: Samples) -> float | None:
    """The longest lag that surely was, by any measurement; of what was seen in the end."""
    lows = [one.low_ms for those in found.values() for one in those if one.high_ms is not None]
    return max(lows, default=None)


def _links(run: RecordedRun, found: Samples) -> Iterator[dict[str, Any]]:
    floors = floors_ms(run)
    for name, samples in found.items():
        for (origin, seen_at), those in by_link(samples).items():
            if not any(one.high_ms is not None for one in those):
                continue
            yield {
                "measurement": name,
                "link": f"{run.region_of[origin]}->{run.region_of[seen_at]}",
                "origin": origin,
                "seen_at": seen_at,
                "floor_ms": floors.get((origin, seen_at)),
                **_figures(quantiles(those)),
                "series": _series(those),
            }


def _figures(found: Quantiles) -> dict[str, Any]:
    pairs = {
        "p50_ms": found.p50_ms,
        "p95_ms": found.p95_ms,
        "p99_ms": found.p99_ms,
        "max_ms": found.max_ms,
    }
    rounded = {name: [round(low, 3), round(high, 3)] for name, (low, high) in pairs.items()}
    return {"count": found.count, "unseen": found.unseen, **rounded}


def _series(samples: list[LagSample]) -> list[list[float]]:
    """``[second, p50, p95, p99, max]``: at most so many ms, of what was made in each second."""
    by_second: defaultdict[int, list[float]] = defaultdict(list)
    for one in samples:
        if one.high_ms is not None:
            by_second[int(one.made_from_ns / (SERIES_S * 1e9))].append(one.high_ms)
    found = []
    for second, highs in sorted(by_second.items()):
        highs.sort()
        ranks = [round(percentile(highs, percent), 3) for percent in (50, 95, 99, 100)]
        found.append([second * SERIES_S, *ranks])
    return found
