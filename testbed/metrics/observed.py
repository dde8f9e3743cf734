"""What is observed of a world as metrics: roles, links, replication."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from testbed.clients.catalogue import writes_everywhere
from testbed.metrics import catalogue as metrics
from testbed.metrics.board import Board
from testbed.topology.model import Topology

ROLES = ("primary", "replica", "standby_leader", "silent")
"""What a node can claim; another claim gets a series of its own."""

_SILENT_MS = 1000.0
"""Observers send every 50 ms: what has been silent for so long carries nothing."""

_FORGOTTEN_NS = 4_000_000_000
"""Links are read once a second, and a silent observer is given a second to answer."""


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
        self._links: dict[tuple[str, ...], int] = {}
        self._streams: dict[tuple[str, ...], int] = {}
        self._look_ns = self._before_ns = 0
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
        self._links[place] = int(line["time"])
        ages = [line[name] for name in ("tcp_age_ms", "udp_age_ms") if line[name] is not None]
        silent_ms = min(ages, default=None)
        up = silent_ms is not None and silent_ms < _SILENT_MS
        # The delay of what arrived before a silence says nothing of now.
        delay_ms = line["delay_ms"] if up else None
        self._board.set_known(metrics.LINK_UP, *place, value=up if ages else None)
        self._board.set_known(metrics.LINK_SILENT, *place, value=_seconds(silent_ms))
        self._board.set_known(metrics.LINK_DELAY, *place, value=_seconds(delay_ms))

    def stream(self, line: Mapping[str, Any]) -> None:
        """How far behind a stream of replication is."""
        sender, receiver = str(line["sender"]), str(line["receiver"])
        places = (self._region_of.get(sender, ""), self._region_of.get(receiver, ""))
        labels = (self._world, *places, sender, receiver)
        if line["time"] != self._look_ns:
            self._before_ns, self._look_ns = self._look_ns, int(line["time"])
        self._streams[labels] = self._look_ns
        self._board.set(metrics.STREAMING, *labels, value=bool(line["running"]))
        self._board.set_known(metrics.LAG, *labels, value=_seconds(line.get("lag_ms")))
        self._board.set_known(metrics.LAG_BYTES, *labels, value=line.get("lag_bytes"))

    def look(self, now_ns: int) -> None:
        """Take back what was not seen any more: a link whose observer is silent, an old stream."""
        for place in [one for one, at in self._links.items() if now_ns - at > _FORGOTTEN_NS]:
            del self._links[place]
            for metric in (metrics.LINK_UP, metrics.LINK_SILENT, metrics.LINK_DELAY):
                self._board.forget(metric, *place)
        # The newest look may not be whole yet.
        for labels in [one for one, at in self._streams.items() if at < self._before_ns]:
            del self._streams[labels]
            for metric in (metrics.STREAMING, metrics.LAG, metrics.LAG_BYTES):
                self._board.forget(metric, *labels)


def _seconds(value_ms: float | None) -> float | None:
    return None if value_ms is None else value_ms / 1e3
