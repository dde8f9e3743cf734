"""Follows a world that no run drives: an observer's process in it, read from outside."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any

import orjson

from testbed.metrics import catalogue as metrics
from testbed.metrics.board import Board
from testbed.metrics.observed import Observed
from testbed.runner.drivers import environment
from testbed.world.namespaces import WAN, NamespaceWorld

_LOOKS_KEPT = 4
"""Only the latest looks matter to who asks seldom; a change of the sender takes two."""


class Observation:
    """One world as observers see it, until it ends or is closed.

    Args:
        board: Where the values go.
        world: A running world.
    """

    def __init__(self, board: Board, world: NamespaceWorld) -> None:
        self._board = board
        self._world = world.name
        self._observed = Observed(board, world.name, world.deployment, world.topology)
        self._looks: deque[dict[str, Any]] = deque(maxlen=_LOOKS_KEPT)
        self._process = subprocess.Popen(
            world.network_argv(WAN, [sys.executable, "-m", "testbed.metrics.observe", world.name]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with contextlib.suppress(orjson.JSONDecodeError):
                self._looks.append(orjson.loads(line))

    @property
    def done(self) -> bool:
        """Whether the world has ended, or its observer has."""
        return self._process.poll() is not None

    def wait(self) -> None:
        """Return when the world has ended."""
        self._process.wait()

    def refresh(self) -> None:
        """Take the latest looks into account."""
        while self._looks:
            self._take(self._looks.popleft())

    def _take(self, look: Mapping[str, Any]) -> None:
        time_ns = int(look["time"])
        for claim in look["claims"]:
            self._observed.role(claim)
        for reading in look["links"]:
            self._observed.link({"time": time_ns, **reading})
        for stream in look["streams"]:
            self._observed.stream({"time": time_ns, **stream})
        self._observed.look(time_ns)

    def retire(self) -> None:
        """Take back what nobody knows any more."""
        for metric in metrics.LIVE:
            self._board.forget(metric, self._world)

    def close(self) -> None:
        """End the observer."""
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait()
        self._reader.join()
