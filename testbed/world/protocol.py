"""What a running world offers, whatever it runs on."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from testbed.topology.model import Topology
from testbed.world.count import Count
from testbed.world.toxics import Toxic


class WorldError(Exception):
    """The world could not do what was asked; the message says what, where and what to do."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process of a node, by the id under which the runner can signal it.

    Args:
        pid: Process id as the caller sees it.
        inner: Its id as the node itself sees it.
        parent: Its parent's id as the caller sees it.
        command: Short command name (``/proc/PID/comm``).
        argv: Its whole command line.
        state: One letter as in ``/proc/PID/stat``: R, S, D, T (stopped), Z, ...
        started: When it started, in clock ticks since the machine booted; with ``pid`` it tells
            a process from a later one of the same number.
        cpu_ticks: Processor time that it has used so far, in clock ticks.
    """

    pid: int
    inner: int
    parent: int
    command: str
    argv: tuple[str, ...]
    state: str
    started: int
    cpu_ticks: int


class WanControl(Protocol):
    """Cuts and toxics of the directed links; a link is ``(sending region, receiving region)``.

    The caller must run in the wan's network. Every method raises WorldError when a link does not
    exist or the wan is not provisioned.
    """

    def cut(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Drop every packet of these links from now on, in one transaction."""

    def heal(self, pairs: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], Count]:
        """Let packets pass again; what the cut had dropped on each link that was cut."""

    def cuts(self) -> tuple[tuple[str, str], ...]:
        """The links that are cut now."""

    def dropped(self, pair: tuple[str, str]) -> Count:
        """What the cut of a link has dropped so far; zero when it is not cut."""

    def add_toxic(self, pair: tuple[str, str], toxic: Toxic, port: int | None = None) -> None:
        """Put a toxic on a link, or on its connections to one port of a node.

        Its name must not be on that link yet.
        """

    def remove_toxic(self, pair: tuple[str, str], name: str) -> bool:
        """Take a toxic off a link; False when it was not there."""

    def toxics(self, pair: tuple[str, str]) -> tuple[Toxic, ...]:
        """The toxics on a link, in order of name."""


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

    @property
    def wan(self) -> WanControl:
        """The network between the regions."""

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

    def signal(self, processes: Iterable[Process], number: int) -> tuple[Process, ...]:
        """Send a signal to processes of a node; those that it reached, as others had ended."""

    def down(self) -> None:
        """End the world: every process, namespace, mount and interface. Idempotent."""
