"""Serves metrics while worlds are worked with: brought up to date whenever somebody asks."""

from __future__ import annotations

import contextlib
import errno
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from wsgiref.simple_server import WSGIServer

from prometheus_client import start_http_server

from testbed.metrics.board import Board
from testbed.metrics.follower import Follower
from testbed.metrics.observation import Observation
from testbed.metrics.scrapes import Scrapes
from testbed.runner.folder import RunFolder
from testbed.runner.progress import Event, Example
from testbed.world.namespaces import NamespaceWorld

ADDRESS = "127.0.0.1"


class MetricsError(Exception):
    """Metrics can't be served; the message says why and what to do."""


class Source(Protocol):
    """Something that has new values from time to time."""

    @property
    def done(self) -> bool:
        """Whether nothing more will come."""

    def refresh(self) -> None:
        """Bring what is new to the board."""

    def retire(self) -> None:
        """Take back what nobody knows any more."""

    def close(self) -> None:
        """End what was started for it."""


class Exporter:
    """What is served: the runs and worlds that it was told to show."""

    def __init__(self) -> None:
        self.board = Board(self._refresh)
        self.port = 0
        self._lock = threading.Lock()
        self._sources: list[Source] = []
        self._followed = False
        self.scrapes = Scrapes()

    @property
    def url(self) -> str:
        """Where the metrics are."""
        return f"http://{ADDRESS}:{self.port}/metrics"

    def follow(self, folder: RunFolder) -> None:
        """Show a run from now on, from its folder as it grows; it need not be there yet."""
        with self._lock:
            self._sources.append(Follower(self.board, folder))
            self._followed = True

    def observe(self, world: NamespaceWorld) -> Observation:
        """Show a running world that no run drives: roles, links and replication."""
        observation = Observation(self.board, world)
        with self._lock:
            self._sources.append(observation)
        return observation

    def feed(self, event: Event) -> None:
        """Take a progress event of a suite into account: each of its runs is followed."""
        if isinstance(event.payload, Example) and event.payload.run:
            self.follow(RunFolder(Path(event.payload.run)))

    def _refresh(self) -> None:
        with self._lock:
            for source in self._sources:
                source.refresh()
                if source.done:
                    # At once: the next run of this world comes later in the list.
                    source.retire()
            self._sources = [each for each in self._sources if not each.done]
        self.scrapes.note()

    def close(self) -> None:
        """End what observes."""
        with self._lock:
            for source in self._sources:
                source.close()

    def linger(self) -> None:
        """Let whoever scrapes see how runs ended: wait for the next scrapes, if there were any."""
        if self._followed:
            self.scrapes.await_next()


@contextlib.contextmanager
def served(port: int) -> Iterator[Exporter]:
    """Serve metrics on a port of this machine's loopback inside.

    Args:
        port: Where; 0 for any that is free.

    Raises:
        MetricsError: The port is taken, or not allowed.
    """
    exporter = Exporter()
    server, thread = _server(port, exporter)
    exporter.port = server.server_port
    try:
        yield exporter
        exporter.linger()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        exporter.close()


def _server(port: int, exporter: Exporter) -> tuple[WSGIServer, threading.Thread]:
    try:
        return start_http_server(port, ADDRESS, exporter.board.registry)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        taken = getattr(error, "errno", 0) == errno.EADDRINUSE
        advice = "is another testbed serving there? " if taken else ""
        raise MetricsError(
            f"metrics cannot be served on {ADDRESS}:{port}: {why}: {advice}Choose another port"
            " by --metrics-port."
        ) from error
