"""What is read of a world while a drill goes on: clients by region, and the signals of bounds."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from testbed.clients.protocol import Client, Completion, Invocation
from testbed.drill.drill import Bound
from testbed.probes.snapshot import Snapshot
from testbed.runner.recorder import Recorder

WINDOW_S = 3.0
"""Of the latest operations: long enough for a share, short enough to see a change."""


@dataclass(frozen=True, slots=True)
class Clients:
    """What the clients of a region got lately.

    Args:
        region: Theirs.
        ok_ops_s: Acknowledged operations a second.
        bad_ops_s: Failed or unknown ones.
        latency_ms_p99: Of those that were acknowledged; None without any.
    """

    region: str
    ok_ops_s: float
    bad_ops_s: float
    latency_ms_p99: float | None

    @property
    def success_ratio(self) -> float | None:
        """Part of the operations that were acknowledged; None where nothing ended."""
        ended = self.ok_ops_s + self.bad_ops_s
        return self.ok_ops_s / ended if ended else None


@dataclass(slots=True)
class WatchedRecorder(Recorder):
    """A recorder whose latest completions can be asked for."""

    _latest: deque[tuple[float, str, str, float]] = field(default_factory=deque)

    async def perform(
        self, client: Client, process: int, region: str, what: Invocation, due: int | None = None
    ) -> Completion:
        """As the recorder's; latency counts from when the operation was due."""
        began_ns = self.clock.now() if due is None else due
        completion = await Recorder.perform(self, client, process, region, what, due)
        self._note(region, completion.type, (self.clock.now() - began_ns) / 1e6)
        return completion

    def shed(self, process: int, region: str, what: Invocation, due: int) -> None:
        """As the recorder's: what was never sent was not served."""
        Recorder.shed(self, process, region, what, due)
        self._note(region, "fail", 0.0)

    def _note(self, region: str, kind: str, latency_ms: float) -> None:
        now_s = time.monotonic()
        self._latest.append((now_s, region, kind, latency_ms))
        while self._latest and now_s - self._latest[0][0] > WINDOW_S:
            self._latest.popleft()

    def clients(self, regions: Iterable[str]) -> tuple[Clients, ...]:
        """What the clients of each region got in the last ``WINDOW_S``."""
        since_s = time.monotonic() - WINDOW_S
        latest = [one for one in self._latest if one[0] >= since_s]
        return tuple(_clients(region, latest) for region in regions)


def _clients(region: str, latest: Iterable[tuple[float, str, str, float]]) -> Clients:
    mine = [one for one in latest if one[1] == region]
    good = sorted(latency_ms for _, _, kind, latency_ms in mine if kind == "ok")
    return Clients(
        region,
        len(good) / WINDOW_S,
        (len(mine) - len(good)) / WINDOW_S,
        good[min(len(good) - 1, len(good) * 99 // 100)] if good else None,
    )


def signals(clients: Iterable[Clients], snapshot: Snapshot | None) -> dict[str, float | None]:
    """The signals of a moment by name; None for what cannot be told.

    A region that asked and got nothing ended is not served: its ratio is 0.
    """
    clients = tuple(clients)
    ratios = [one.success_ratio or 0.0 for one in clients]
    latencies = [one.latency_ms_p99 for one in clients if one.latency_ms_p99 is not None]
    nodes = snapshot.data_nodes if snapshot is not None else ()
    lags = [node.lag_bytes for node in nodes if node.lag_bytes is not None]
    return {
        "success_ratio": min(ratios, default=None),
        "latency_ms_p99": max(latencies, default=None),
        "lag_bytes": float(max(lags)) if lags else None,
        "primaries": float(sum(node.role == "primary" for node in nodes)) if nodes else None,
    }


def broken(bounds: Iterable[Bound], values: Mapping[str, float | None]) -> tuple[str, ...]:
    """The bounds that do not hold, in words with the reading."""
    found = []
    for bound in bounds:
        value = values.get(bound.signal)
        if not bound.holds(value):
            shown = "no reading" if value is None else f"{value:.3g}"
            found.append(f"{bound.signal} is {shown}, healthy is {str(bound).partition(' ')[2]}")
    return tuple(found)
