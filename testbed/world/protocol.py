"""What a running world offers, whatever it runs on."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from testbed.topology.model import Topology


class WorldError(Exception):
    """The world could not do what was asked; the message says what, where and what to do."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process of a node, by the id under which the runner can signal it.

    Args:
        pid: Process id as the caller sees it.
        parent: Its parent's id as the caller sees it.
        command: Short command name (``/proc/PID/comm``).
        argv: Its whole command line.
        state: One letter as in ``/proc/PID/stat``: R, S, D, T (stopped), Z, ...
    """

    pid: int
    parent: int
    command: str
    argv: tuple[str, ...]
    state: str


class World(Protocol):
    """One running instance of a deployment; dies as a whole.

    ``wan`` is accepted as a node name: the routing namespace between the regions.
    """

    @property
    def name(self) -> str:
        """Unique among the worlds of this user on this machine."""

    @property
    def topology(self) -> Topology:
        """What the world was built from."""

    @property
    def logs(self) -> Path:
        """Folder outside the world with one folder a node; survives the world."""

    def alive(self) -> bool:
        """True while process 1 of the world runs."""

    def argv(self, node: str, command: Sequence[str]) -> list[str]:
        """The command line that runs a command on a node from outside the world."""

    def execute(
        self,
        node: str,
        command: Sequence[str],
        *,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        timeout_s: float = 60.0,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command on a node to its end.

        Raises:
            WorldError: The node is gone or the command did not end in time.
        """

    def processes(self, node: str) -> tuple[Process, ...]:
        """Every process of a node, its own process 1 excepted."""

    def down(self) -> None:
        """End the world: every process, namespace, mount and interface. Idempotent."""
