"""A running world of Linux namespaces, as the caller reaches it from outside."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import functools
import os
import signal
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from testbed.topology.model import Topology
from testbed.world import census, entry, starter, state
from testbed.world.protocol import Process, WorldError

if TYPE_CHECKING:
    from testbed.world.wan import Wan

WAN = "wan"
"""The node name of the routing namespace between the regions."""


class Owner(enum.Enum):
    """Who keeps a world alive.

    ``RUNNER``: the process that created it; the world dies with it, however it dies.
    ``DETACHED``: nobody; the world lives until ``down``.
    """

    RUNNER = "runner"
    DETACHED = "detached"


class NamespaceWorld:
    """A running world of namespaces.

    Args:
        remembered: The world's ``world.json``.
        folder: Where worlds are remembered.
        outer: The process that waits for process 1, in the process that created the world.
            While this object holds it, its pipe keeps a world owned by the runner alive.
    """

    def __init__(
        self,
        remembered: state.WorldState,
        folder: Path,
        outer: subprocess.Popen[bytes] | None = None,
    ) -> None:
        self._state = remembered
        self._folder = folder
        self._outer = outer

    @property
    def name(self) -> str:
        """Unique among the worlds of this user on this machine."""
        return self._state.name

    @property
    def topology(self) -> Topology:
        """What the world was built from."""
        return self._state.topology

    @property
    def logs(self) -> Path:
        """Folder outside the world with one folder a node; survives the world."""
        return self._state.logs

    @property
    def deployment(self) -> str:
        """Name of the deployment that it was created for; empty if none."""
        return self._state.deployment

    @property
    def variables(self) -> Mapping[str, Any]:
        """The deployment's variables as given to :func:`create`."""
        return self._state.variables

    @property
    def owner(self) -> Owner:
        """Who keeps it alive."""
        return Owner.RUNNER if self._state.owned else Owner.DETACHED

    @property
    def owner_pipe(self) -> int | None:
        """The file descriptor that keeps an owned world alive; None outside its creator.

        A child that is given it (``pass_fds``) keeps the world alive as well.
        """
        if self._outer is None or self._outer.stdin is None or self._outer.stdin.closed:
            return None
        return self._outer.stdin.fileno()

    @functools.cached_property
    def wan(self) -> Wan:
        """The network between the regions; usable only by a caller in the wan's network."""
        # Its HTTP client takes most of the time that a short command needs: only when wanted.
        from testbed.world.wan import Wan  # noqa: PLC0415

        return Wan(self.topology)

    def alive(self) -> bool:
        """True while process 1 of the world runs."""
        runs = self._state.process1 is not None and census.runs(self._state.process1)
        if not runs and self._outer is not None:
            # It ends with process 1. Not reaped it would hold the world's user namespace.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._outer.wait(timeout=1)
        return runs

    def pid(self, node: str) -> int:
        """Process 1 of a node, as the caller sees it.

        Raises:
            WorldError: No such node, or it ended.
        """
        identity = self._state.process1 if node == WAN else self._state.nodes.get(node)
        if identity is None:
            known = ", ".join([WAN, *self._state.nodes])
            raise WorldError(f"world {self.name!r} has no node {node!r}; it has: {known}")
        if not census.runs(identity):
            raise WorldError(
                f"node {node!r} of world {self.name!r} has ended: "
                f"see {self.logs / node}; create the world again"
            )
        return identity.pid

    def argv(self, node: str, command: Sequence[str]) -> list[str]:
        """The command line that runs a command on a node from outside the world."""
        return entry.into_room(self.pid(node), command)

    def network_argv(self, node: str, command: Sequence[str]) -> list[str]:
        """The command line that runs a command of this machine with only a node's network.

        With ``wan`` as the node it is how a runner reaches every node and Toxiproxy.
        """
        return entry.into_network(self.pid(node), command)

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

        Args:
            node: A node's name or ``wan``.
            command: Program and arguments.
            stdin: What it reads.
            env: Added to the caller's environment.
            timeout_s: After it the command and what it started are killed.

        Raises:
            WorldError: The node is gone or the command did not end in time.
        """
        process = subprocess.Popen(
            self.argv(node, command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PATH": starter.search_path(), **(env or {})},
            start_new_session=True,
        )
        with process:
            try:
                out, err = process.communicate(stdin, timeout=timeout_s)
            except subprocess.TimeoutExpired:
                raise WorldError(_late(node, command, process, timeout_s)) from None
            finally:
                # nsenter forks into the node: the group reaches the command as well.
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def processes(self, node: str) -> tuple[Process, ...]:
        """Every process of a node, its own process 1 excepted."""
        return census.members(self.pid(node))

    def signal(self, processes: Iterable[Process], number: int) -> tuple[Process, ...]:
        """Send a signal to processes of a node; those that it reached, as others had ended."""
        return tuple(process for process in processes if census.send(process, number))

    def keep(self) -> None:
        """Let a world that this process owns live on without it, until ``down``.

        Raises:
            WorldError: It has ended, or another process created it.
        """
        if self._outer is None:
            raise WorldError(f"world {self.name!r} was created by another process")
        self._state = dataclasses.replace(self._state, owned=False)
        state.write(self._folder, self._state)
        starter.keep(self._outer)

    def down(self) -> None:
        """End the world: every process, namespace, mount and interface. Idempotent."""
        process1 = self._state.process1
        if process1 is not None:
            census.kill(process1)
            if census.runs(process1):
                raise WorldError(
                    f"world {self.name!r} did not end: its process 1 ({process1.pid}) was killed "
                    f"and still runs; something of it may hang in the kernel, see dmesg"
                )
        if self._outer is not None:
            starter.end(self._outer)
        state.forget(self._folder, self.name, self._state.process1)


def _late(
    node: str, command: Sequence[str], process: subprocess.Popen[bytes], timeout_s: float
) -> str:
    text = f"{node}: `{' '.join(command)}` "
    if process.poll() is None:
        return text + f"did not end within {timeout_s:g} s"
    return text + (
        f"ended, but what it left running held its output open for {timeout_s:g} s: "
        f"redirect the output of programs that stay"
    )
