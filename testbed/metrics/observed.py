"""What is observed of a world as metrics: roles, links, replication."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from testbed.clients.catalogue import writes_everywhere
from testbed.metrics import catalogue as metrics
from testbed.metrics.board import Board
from testbed.metrics.metric import Metric
from testbed.topology.model import Topology

ROLES = ("primary", "replica", "standby_leader", "silent")
"""What a node can claim; another claim gets a series of its own."""

_SILENT_MS = 1000.0
"""Observers send every 50 ms: what has been silent for so long carries nothing."""

_LOOK_NS = 200_000_000
"""Lines that are so close together were seen in one look."""

_FORGOTTEN_NS = 4_000_000_000
"""Looks are a second apart, and who is silent is given a second to answer."""


class _Series:
    """Gauges whose series come and go: what a whole look does not show any more is taken back.

    Args:
        board: Where they stand.
        metrics: The gauges; they have the same labels.
    """

    def __init__(self, board: Board, *metrics: Metric) -> None:
        self._board = board
        self._metrics = metrics
        self._seen: dict[tuple[str, ...], int] = {}
        self._look_ns = self._before_ns = 0

    def saw(self, labels: tuple[str, ...], time_ns: int, *values: float | None) -> None:
        """Set the gauges to what was seen; None where nobody knows."""
        if time_ns - self._look_ns > _LOOK_NS:
            self._before_ns, self._look_ns = self._look_ns, time_ns
        self._seen[labels] = time_ns
        for metric, value in zip(self._metrics, values, strict=True):
            self._board.set_known(metric, *labels, value=value)

    def forget(self, now_ns: int) -> None:
        """Take back what the last whole look did not show; the newest may not be whole yet."""
        oldest_ns = max(self._before_ns, now_ns - _FORGOTTEN_NS)
        for labels in [one for one, at in self._seen.items() if at < oldest_ns]:
            del self._seen[labels]
            for metric in self._metrics:
                self._board.forget(metric, *labels)


class Observed:
    """Sets what observers see of one world.

    Args:
        board: Where the values stand.
        world: Its name.
        deployment: Name of its deployment.
        topology: Its regions, nodes and links.
    """

    def __init__(self, board: Board, world: str, deployment: str, topology: Topology) -> None:
        self._board = board
        self._world = world
        self._region_of = {node.name: node.region for node in topology.nodes}
        self._links = _Series(board, metrics.LINK_UP, metrics.LINK_SILENT, metrics.LINK_DELAY)
        self._streams = _Series(board, metrics.STREAMING, metrics.LAG, metrics.LAG_BYTES)
        primaries = "many" if writes_everywhere(topology) else "one"
        board.set(metrics.DEPLOYMENT, world, deployment, primaries, value=1)
        for link in topology.links:
            asked_s = link.delay_ms / 1e3
            board.set(metrics.LINK_ASKED, world, link.source, link.target, value=asked_s)

    def role(self, line: Mapping[str, Any]) -> None:
        """A node's claim."""
        node, role = str(line["node"]), str(line["role"])
        place = (self._world, self._region_of.get(node, ""), node)
        self._board.forget(metrics.ROLE, *place)
        for each in dict.fromkeys((*ROLES, role)):
            self._board.set(metrics.ROLE, *place, each, value=each == role)
        self._board.set_known(metrics.TERM, *place, value=line.get("term"))

    def link(self, line: Mapping[str, Any]) -> None:
        """A link's reading."""
        place = (self._world, str(line["source"]), str(line["target"]))
        ages = [line[name] for name in ("tcp_age_ms", "udp_age_ms") if line[name] is not None]
        silent_ms = min(ages, default=None)
        up = None if silent_ms is None else silent_ms < _SILENT_MS
        # The delay of what arrived before a silence says nothing of now.
        delay_ms = line["delay_ms"] if up else None
        self._links.saw(place, int(line["time"]), up, _seconds(silent_ms), _seconds(delay_ms))

    def stream(self, line: Mapping[str, Any]) -> None:
        """How far behind a stream of replication is."""
        sender, receiver = str(line["sender"]), str(line["receiver"])
        places = (self._region_of.get(sender, ""), self._region_of.get(receiver, ""))
        self._streams.saw(
            (self._world, *places, sender, receiver),
            int(line["time"]),
            bool(line["running"]),
            _seconds(line.get("lag_ms")),
            line.get("lag_bytes"),
        )

    def look(self, now_ns: int) -> None:
        """Take back what was not seen any more: a link whose observer is silent, an old stream."""
        self._links.forget(now_ns)
        self._streams.forget(now_ns)


def _seconds(value_ms: float | None) -> float | None:
    return None if value_ms is None else value_ms / 1e3
