"""Operations of clients as metrics, from the lines of a journal as it grows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from testbed.metrics import catalogue as metrics
from testbed.metrics.board import Board
from testbed.report.kinds import WRITE

_ASKING_NS = 2_000_000_000
"""Clients that asked for nothing for so long do not ask for anything any more."""


@dataclass(slots=True)
class _Writes:
    """The writes of one region's clients.

    Args:
        asked_ns: When the last one was asked for or answered.
        waiting_since_ns: When the first one since the last acknowledgement was; None for none.
        acknowledged_ns: When the last one was acknowledged; None for none.
    """

    asked_ns: int = 0
    waiting_since_ns: int | None = None
    acknowledged_ns: int | None = None

    def outage_ns(self, now_ns: int) -> int:
        """How long they have been waiting for an acknowledgement; 0 when they do not."""
        if self.waiting_since_ns is None or now_ns - self.asked_ns > _ASKING_NS:
            return 0
        since_ns = self.waiting_since_ns
        if self.acknowledged_ns is not None:
            since_ns = self.acknowledged_ns
        return max(0, now_ns - since_ns)


class Operations:
    """Counts what clients asked for and got.

    Args:
        board: Where the values stand.
        world: Whose clients they are.
        kind: What a function does: ``write``, ``read`` or ``other``.
        region_of: Region by node.
    """

    def __init__(
        self, board: Board, world: str, kind: Callable[[str], str], region_of: Mapping[str, str]
    ) -> None:
        self._board = board
        self._world = world
        self._kind = kind
        self._region_of = region_of
        self._regions: dict[Any, str] = {}
        self._open: dict[Any, int] = {}
        self._in_flight: Counter[str] = Counter()
        self._writes: dict[str, _Writes] = {}
        self._fault: tuple[str, int] | None = None
        self._worst_ns: dict[tuple[str, str], int] = {}

    def injected(self, fault: str, time_ns: int) -> None:
        """A fault was injected: from now on the longest outage is its."""
        self._fault = (fault, time_ns)

    def take(self, line: Mapping[str, Any]) -> None:
        """Take one line of the journal into account."""
        process, time_ns = line["process"], int(line["time"])
        if line["type"] == "invoke":
            region = line.get("region") or self._regions.get(process, "")
            self._regions[process] = region
            self._open[process] = int(line.get("due", time_ns))
            self._in_flight[region] += 1
            self._asked(region, line["f"], time_ns)
        elif process in self._open:
            self._ended(self._regions[process], line, time_ns, self._open.pop(process))

    def _asked(self, region: str, function: str, time_ns: int) -> None:
        if self._kind(function) == WRITE:
            writes = self._writes.setdefault(region, _Writes())
            writes.asked_ns = time_ns
            if writes.waiting_since_ns is None:
                writes.waiting_since_ns = time_ns

    def _ended(self, region: str, line: Mapping[str, Any], time_ns: int, due_ns: int) -> None:
        kind = self._kind(line["f"])
        outcome = "shed" if line.get("error") == "shed" else line["type"]
        self._in_flight[region] -= 1
        self._board.count(metrics.OPERATIONS, self._world, region, kind, outcome)
        if kind == WRITE:
            self._writes[region].asked_ns = time_ns
        if outcome != "ok":
            return
        duration_s = max(0, time_ns - due_ns) / 1e9
        self._board.observe(metrics.DURATION, self._world, region, kind, value=duration_s)
        if kind == WRITE:
            self._acknowledged(region, str(line.get("node") or ""), time_ns)

    def _acknowledged(self, region: str, node: str, time_ns: int) -> None:
        if node:
            place = self._region_of.get(node, "")
            self._board.count(metrics.ACKNOWLEDGED, self._world, place, node)
        writes = self._writes[region]
        self._outage(region, writes, time_ns)
        writes.acknowledged_ns = time_ns
        writes.waiting_since_ns = None

    def _outage(self, region: str, writes: _Writes, now_ns: int) -> None:
        """The outage that lasts or ends now, as the newest fault's if it is its longest."""
        if self._fault is None or writes.acknowledged_ns is None:
            return
        title, injected_ns = self._fault
        length_ns = now_ns - max(writes.acknowledged_ns, injected_ns)
        if length_ns > self._worst_ns.get((region, title), -1):
            self._worst_ns[region, title] = length_ns
            self._board.set(metrics.RTO, self._world, region, title, value=length_ns / 1e9)

    def look(self, now_ns: int) -> None:
        """Set what depends on the time: outages so far, and what is under way."""
        for region, count in self._in_flight.items():
            self._board.set(metrics.IN_FLIGHT, self._world, region, value=count)
        for region, writes in self._writes.items():
            outage_ns = writes.outage_ns(now_ns)
            self._board.set(
                metrics.UNACKNOWLEDGED, self._world, region, value=round(outage_ns / 1e9, 6)
            )
            if outage_ns:
                self._outage(region, writes, now_ns)
