"""The drivers of a world's runs: one process a run, forked from a server that has all imported."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from testbed.world.namespaces import WAN, NamespaceWorld

_STOP_LIMIT_S = 20.0
_PRIORITY = -10


class Driver:
    """A process that plays a run.

    Args:
        pid: Its number; it may have ended already.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        # From here on the number cannot come to mean another process.
        self._handle: int | None = None
        with contextlib.suppress(ProcessLookupError):
            self._handle = os.pidfd_open(pid)

    def wait(self, limit_s: float | None = None) -> bool:
        """Wait for its end; False when it has not come in time."""
        if self._handle is None:
            return True
        poll = select.poll()
        poll.register(self._handle, select.POLLIN)
        if not poll.poll(None if limit_s is None else limit_s * 1000):
            return False
        os.close(self._handle)
        self._handle = None
        return True

    def stop(self) -> None:
        """Let it heal and write its ending; kill it when it does not."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self._handle is None:
                return
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)
            self.wait(_STOP_LIMIT_S if number == signal.SIGTERM else None)


class Drivers:
    """Starts a driver for each run of one world.

    The server that they are forked from is started for the first of them, and again when it has
    died. It is killed when the thread that started it ends, and every driver with it.

    Args:
        world: Where the runs are played.
        module: What plays them; its ``main`` takes the words of a command line.
    """

    def __init__(self, world: NamespaceWorld, module: str = "testbed.runner.drive") -> None:
        self.world = world
        self._module = module
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def start(self, words: Sequence[str], output: Path) -> Driver | None:
        """Start a driver; the one before it must have ended.

        Args:
            words: Of its command line.
            output: File that whatever it prints is added to, and what kept it from starting.

        Returns:
            The driver; None where it could not be started.

        Raises:
            WorldError: The world has ended.
        """
        server = self._serving(output)
        request = json.dumps({"words": list(words), "output": str(output)})
        try:
            driver = _asked(server, request.encode() + b"\n")
        except BaseException:
            # Whatever was begun ends with the server.
            self.close()
            raise
        if driver is None:
            self.close()
        else:
            favour(driver.pid)
        return driver

    def close(self) -> None:
        """End the server, and a driver that still runs; idempotent."""
        server, self._server = self._server, None
        if server is not None:
            server.kill()
            with server:
                pass

    def _serving(self, output: Path) -> subprocess.Popen[bytes]:
        """The server, started where there is none that lives; what it complains of is added."""
        if self._server is not None and self._server.poll() is not None:
            self.close()
        if self._server is None:
            command = [sys.executable, "-m", "testbed.runner.fork_server", self._module]
            with output.open("ab") as sink:
                self._server = subprocess.Popen(
                    self.world.network_argv(WAN, command),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=sink,
                    bufsize=0,
                    start_new_session=True,
                    env=environment(),
                )
        return self._server


def _asked(server: subprocess.Popen[bytes], request: bytes) -> Driver | None:
    """The driver that a server starts when it is asked to; None from one that has ended."""
    if server.stdin is None or server.stdout is None:
        raise ValueError("a server is asked and answers through pipes")
    try:
        server.stdin.write(request)
        server.stdin.flush()
    except BrokenPipeError:
        return None
    answer = server.stdout.readline()
    return Driver(int(answer)) if answer else None


def favour(pid: int) -> None:
    """Give the leader of a session a better priority than what it measures, where root allows it.

    The clients' clock must not wait behind the load. Where the kernel groups processes by session
    (``sched_autogroup_enabled``), a nice value counts within the session only: the group has one
    of its own.
    """
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, _PRIORITY)
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(_PRIORITY), encoding="ascii")


def environment() -> dict[str, str]:
    """The caller's, with this very testbed importable also outside an installed environment."""
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}
