"""The process of a program: started in a session of its own, remembered, found again, ended."""

# Loading pathlib takes longer than all that is done with paths here.
# ruff: noqa: PTH103, PTH108, PTH110, PTH120, PTH123

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

from testbed.provision.launcher.files import read, write
from testbed.provision.launcher.health import parsed

RUNNING = "/run/testbed"
NICENESS = 5
BASE_ENV = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
}


class LaunchError(Exception):
    """A program is not as asked; ``tail`` holds the end of its log."""

    def __init__(self, message: str, tail: str = "") -> None:
        super().__init__(message)
        self.tail = tail


def spawn(
    spec: dict[str, Any], argv: list[str], env: dict[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Run a command of a spec in a session of its own, its output appended to the spec's log.

    Args:
        spec: Its log, working folder and environment count.
        argv: The command.
        env: Added to the environment of the spec.

    Raises:
        LaunchError: There is no such program or it may not be run.
    """
    os.makedirs(os.path.dirname(spec["log"]), exist_ok=True)
    with open(spec["log"], "ab") as output:
        try:
            return subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=spec.get("cwd", "/"),
                env={**BASE_ENV, **spec.get("env", {}), **(env or {})},
                start_new_session=True,
                preexec_fn=_yield_to_clients,  # noqa: PLW1509 - the launcher has no threads
            )
        except OSError as error:
            message = f"{spec['name']}: cannot run {argv[0]}: {error.strerror}"
            raise LaunchError(message) from error


def remember(spec: dict[str, Any], pid: int) -> None:
    """Write down which process is the program and what it was started from."""
    write(f"{RUNNING}/{spec['name']}.pid", f"{pid}\n")
    write(f"{RUNNING}/touched", "")
    state = {"start": start_time(pid), "digest": digest(spec)}
    write(f"{RUNNING}/{spec['name']}.state", json.dumps(state))


def untouched() -> bool:
    """True while no program was started since the node itself began."""
    return not os.path.exists(f"{RUNNING}/touched")


def running(name: str) -> int | None:
    """The pid of a program while the very process that was started lives."""
    pid = parsed(read(f"{RUNNING}/{name}.pid") or "")
    state = parsed(read(f"{RUNNING}/{name}.state") or "")
    if not isinstance(pid, int) or not isinstance(state, dict):
        return None
    return pid if start_time(pid) == state["start"] is not None else None


def started_as(name: str) -> str:
    """The digest of the spec that the last process of a program was started from."""
    state = parsed(read(f"{RUNNING}/{name}.state") or "")
    return str(state["digest"]) if isinstance(state, dict) else ""


def digest(spec: dict[str, Any]) -> str:
    """Identifies what a process is started from; how it is waited for does not count."""
    began_with = {key: spec.get(key) for key in ("files", "argv", "env", "cwd", "log")}
    return hashlib.sha256(json.dumps(began_with, sort_keys=True).encode()).hexdigest()


def start_time(pid: int) -> str | None:
    """When a live process began, in the kernel's ticks: tells a reused pid from the old one."""
    fields = (read(f"/proc/{pid}/stat") or "").rpartition(")")[2].split()
    return fields[19] if fields and fields[0] not in "ZX" else None


def end(name: str, signal_name: str, timeout_s: float) -> bool:
    """End a program: the signal first, SIGKILL for its whole session when the time is over.

    Returns:
        False when it did not run.

    Raises:
        LaunchError: It survived SIGKILL.
    """
    pid = running(name)
    if pid is None:
        return False
    _send(os.kill, pid, getattr(signal, f"SIG{signal_name}"))
    _send(os.kill, pid, signal.SIGCONT)  # a stopped process would never see the first one
    if not _ends(name, timeout_s):
        _send(os.killpg, pid, signal.SIGKILL)
        if not _ends(name, 5.0):
            raise LaunchError(f"{name} (pid {pid}) survived SIGKILL: it hangs in the kernel")
    for suffix in ("pid", "state"):
        os.unlink(f"{RUNNING}/{name}.{suffix}")
    return True


def _ends(name: str, timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while running(name) is not None:
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.02)
    return True


def _send(kill: Callable[[int, int], None], pid: int, number: int) -> None:
    """Signal a process that may be gone already."""
    with contextlib.suppress(ProcessLookupError):
        kill(pid, number)


def _yield_to_clients() -> None:
    """Run at a lower priority than the clients that measure."""
    os.setpriority(os.PRIO_PROCESS, 0, max(NICENESS, os.getpriority(os.PRIO_PROCESS, 0)))
