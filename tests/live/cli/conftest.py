"""The command itself, with a folder of state of its own, and one world for a module."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from testbed.world import census
from testbed.world.entry import namespace

ROOT = Path(__file__).parents[3]
KINDS = ("net", "mnt", "pid", "ipc", "uts", "user")
NAME = "cli-one"


@dataclass(frozen=True)
class Command:
    """``testbed`` as a user types it.

    Args:
        state: Its ``XDG_STATE_HOME``; the cache is the user's own, with its snapshots.
        prefix: Words before it, for example to be somebody else.
    """

    state: Path
    prefix: tuple[str, ...] = ()

    @property
    def env(self) -> dict[str, str]:
        return {
            **os.environ,
            "XDG_STATE_HOME": str(self.state),
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "80",
        }

    def argv(self, *words: str) -> list[str]:
        return [*self.prefix, sys.executable, "-m", "testbed.cli.main", *words]

    def run(self, *words: str, stdin: str = "", timeout_s: float = 240) -> Done:
        done = subprocess.run(
            self.argv(*words),
            input=stdin,
            capture_output=True,
            text=True,
            env=self.env,
            timeout=timeout_s,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def ok(self, *words: str, stdin: str = "") -> str:
        done = self.run(*words, stdin=stdin)
        assert done.code == 0, done
        return done.out

    @contextlib.contextmanager
    def start(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """Start it with its own handling of SIGINT, whatever the test runner was started with."""
        process = subprocess.Popen(
            self.argv(*words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.env,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
        )
        with process:
            try:
                yield process
            finally:
                process.kill()

    def status(self, *words: str) -> list[dict[str, Any]]:
        done = self.run("status", "--json", *words)
        worlds: list[dict[str, Any]] = json.loads(done.out)["worlds"]
        return worlds


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


def eventually(condition: Callable[[], Any], what: str, timeout_s: float = 20.0) -> Any:
    """Wait for a condition with a deadline; what it returned."""
    deadline = time.monotonic() + timeout_s
    while not (result := condition()):
        assert time.monotonic() < deadline, f"not within {timeout_s:g} s: {what}"
        time.sleep(0.05)
    return result


def namespaces_of(process1: int) -> set[str]:
    """The namespaces of a world's process 1 that are not the test's own."""
    return {namespace(process1, kind) for kind in KINDS} - {
        namespace("self", kind) for kind in KINDS
    }


def holders(namespaces: set[str]) -> list[int]:
    """Processes in one of the namespaces, zombies that wait for init to reap them excepted."""
    return [
        pid
        for pid in census.pids()
        if any(namespace(pid, kind) in namespaces for kind in KINDS)
        and census.identify(pid) is not None
    ]


def machine() -> tuple[str, str]:
    """Mounts and interfaces of the machine itself."""
    interfaces = sorted(
        line.split(":")[0] for line in Path("/proc/net/dev").read_text().splitlines()
    )
    return Path("/proc/self/mounts").read_text(), "".join(interfaces)


@pytest.fixture(scope="session")
def command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    command = Command(tmp_path_factory.mktemp("state"))
    yield command
    command.run("down", "--all")


@pytest.fixture(scope="module")
def up(command: Command) -> Iterator[str]:
    """A world, and what `testbed up` printed of it."""
    printed = command.ok("up", "--name", NAME)
    yield printed
    command.ok("down", NAME)
