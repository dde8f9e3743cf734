"""Processes as ``/proc`` shows them to the caller."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from testbed.world.entry import namespace
from testbed.world.protocol import Process


@dataclass(frozen=True, slots=True)
class Identity:
    """A process id that cannot be confused with a later process of the same number.

    Args:
        pid: As the caller sees it.
        started: Clock ticks since boot when it started, from ``/proc/PID/stat``.
        boot: The boot that the ticks count from.
    """

    pid: int
    started: int
    boot: str


def identify(pid: int) -> Identity | None:
    """The identity of a process that runs now, or None."""
    fields = _stat(pid)
    if fields is None or fields[0] in "ZX":
        return None
    return Identity(pid, int(fields[19]), boot())


def runs(identity: Identity) -> bool:
    """True while that very process runs."""
    return identify(identity.pid) == identity


def kill(identity: Identity) -> None:
    """Send SIGKILL to that very process and wait until it and its namespaces' processes ended.

    Nothing happens when it has ended already.
    """
    try:
        handle = os.pidfd_open(identity.pid)
    except ProcessLookupError:
        return
    try:
        # With the handle open the number cannot come to mean another process any more.
        if runs(identity):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            _await_end(handle)
    except ProcessLookupError:
        return
    finally:
        os.close(handle)


def _await_end(handle: int) -> None:
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    poll.poll(30_000)


def boot() -> str:
    """The kernel's identity of the current boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def pids() -> Iterator[int]:
    """Every process id that the caller sees."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            yield int(entry.name)


def members(leader: int) -> tuple[Process, ...]:
    """Every process in the pid namespace of a process, that one excepted.

    Args:
        leader: Process 1 of the namespace, as the caller sees it.
    """
    wanted = namespace(leader, "pid")
    found = []
    for pid in pids():
        if pid != leader and wanted and namespace(pid, "pid") == wanted:
            process = describe(pid)
            if process is not None:
                found.append(process)
    return tuple(found)


def describe(pid: int) -> Process | None:
    """A process by its id, or None when it has ended."""
    fields = _stat(pid)
    numbers = _inner_ids(pid)
    if fields is None or not numbers:
        return None
    try:
        command = Path(f"/proc/{pid}/comm").read_text(errors="replace").strip()
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return None
    return Process(
        pid=pid,
        inner=numbers[-1],
        parent=int(fields[1]),
        command=command,
        argv=tuple(part.decode(errors="replace") for part in line.split(b"\0")[:-1]),
        state=fields[0],
        started=int(fields[19]),
        cpu_ticks=int(fields[11]) + int(fields[12]),
    )


def send(process: Process, number: int) -> bool:
    """Send a signal to that very process; False when it has ended."""
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return False
    try:
        # With the handle open the number cannot come to mean another process any more.
        found = identify(process.pid)
        if found is None or found.started != process.started:
            return False
        signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(handle)
    return True


def children(parent: int) -> dict[int, int]:
    """The children of a process by their id one pid namespace further in.

    Args:
        parent: Its id as the caller sees it.

    Returns:
        Inner id to the id that the caller sees.
    """
    found = {}
    for pid in pids():
        fields = _stat(pid)
        if fields is not None and int(fields[1]) == parent:
            numbers = _inner_ids(pid)
            if len(numbers) > 1:
                found[numbers[1]] = pid
    return found


def _stat(pid: int) -> list[str] | None:
    """Fields of ``/proc/PID/stat`` from the state on; the command before it may hold spaces."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def _inner_ids(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/status").read_text(errors="replace")
    except OSError:
        return []
    for line in text.splitlines():
        if line.startswith("NSpid:"):
            return [int(number) for number in line.split()[1:]]
    return []
