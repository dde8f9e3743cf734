"""Starting process 1 of a world from outside: new namespaces, id maps, the blueprint, the pids."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import testbed
from testbed.world import census
from testbed.world.blueprint import Blueprint
from testbed.world.process1 import KEEP
from testbed.world.protocol import WorldError
from testbed.world.refusal import advice

START_S_MAX = 60.0
"""A world that has not reported after this time will not."""

_SPLIT = 'unshare --net --mount --pid --ipc --uts --fork --kill-child -- "$@"'
# A program executed before the ids are mapped has no capabilities; one executed after has all.
_SCRIPT = f"echo && read -r _ && exec {_SPLIT}"


class _RefusedError(Exception):
    """The kernel gave no namespaces; root may try with fewer."""


@dataclass(frozen=True, slots=True)
class Started:
    """A world that has just been built.

    Args:
        process1: Process 1 of the world.
        nodes: Process 1 of each node, by name.
        outer: The process outside the world that waits for process 1.
    """

    process1: census.Identity
    nodes: Mapping[str, census.Identity]
    outer: subprocess.Popen[bytes]


def start(blueprint: Blueprint, place: Path, log: Path) -> Started:
    """Build a world.

    Args:
        blueprint: What to build.
        place: The world's own folder; its processes carry it as ``TESTBED_WORLD``.
        log: File for whatever process 1 says on its standard error.

    Raises:
        WorldError: A namespace, mount or interface was refused; says what to do.
    """
    try:
        return _attempt(blueprint, place, log, user=True)
    except _RefusedError as refused:
        if os.geteuid() != 0:
            raise WorldError(str(refused)) from None
    # Root gets a user namespace for the same behaviour as anybody; without one it still can.
    try:
        return _attempt(blueprint, place, log, user=False)
    except _RefusedError as refused:
        raise WorldError(str(refused)) from None


def keep(outer: subprocess.Popen[bytes]) -> None:
    """Let a world live on without the caller, from whose pipe it hangs until then.

    Raises:
        WorldError: It has ended already.
    """
    assert outer.stdin is not None
    try:
        outer.stdin.write(KEEP.encode())
        outer.stdin.close()
    except BrokenPipeError:
        raise WorldError("the world has ended before it could be kept") from None


def end(outer: subprocess.Popen[bytes]) -> None:
    """Kill and reap the process that waits for process 1; process 1 dies with it."""
    outer.kill()
    outer.wait()
    assert outer.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        outer.stdin.close()


def search_path() -> str:
    """PATH with the folders where a distribution keeps ``ip`` and ``nft``."""
    present = os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin").split(":")
    return ":".join(dict.fromkeys([*present, "/usr/local/sbin", "/usr/sbin", "/sbin"]))


def _split(place: Path, log: Path, *, user: bool) -> subprocess.Popen[bytes]:
    """Start what becomes process 1; it says a line when it can be given its ids."""
    python = [sys.executable, "-S", "-P", "-m", "testbed.world.process1"]
    namespaces = ["unshare", "--user", "--"] if user else []
    environment = {
        "PATH": search_path(),
        "TESTBED_WORLD": str(place),
        "PYTHONPATH": str(Path(testbed.__file__).parent.parent),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    with log.open("wb") as errors:
        try:
            return subprocess.Popen(
                [*namespaces, "sh", "-c", _SCRIPT, "sh", *python],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise WorldError(f"there is no {error.filename}: install util-linux") from error


def _attempt(blueprint: Blueprint, place: Path, log: Path, *, user: bool) -> Started:
    """Start process 1 and let it build, with a user namespace of its own or without."""
    outer = _split(place, log, user=user)
    try:
        _said(outer, log)
        if user:
            _map_ids(outer.pid)
        return _build(outer, blueprint, log)
    except BaseException:
        end(outer)
        raise
    finally:
        assert outer.stdout is not None
        outer.stdout.close()


def _build(outer: subprocess.Popen[bytes], blueprint: Blueprint, log: Path) -> Started:
    assert outer.stdin is not None
    try:
        outer.stdin.write(b"mapped\n" + blueprint.to_json().encode() + b"\n")
        outer.stdin.flush()
    except BrokenPipeError:
        raise _RefusedError(_refused(log)) from None
    report = json.loads(_said(outer, log))
    if "error" in report:
        said = report["error"]
        raise WorldError(f"the world could not be built: {said}; {advice(said)}")
    process1 = next(iter(census.children(outer.pid).values()), 0)
    inside = census.children(process1)
    nodes = {name: _identity(inside.get(pid, 0), name) for name, pid in report["nodes"].items()}
    return Started(_identity(process1, "process 1"), nodes, outer)


def _map_ids(pid: int) -> None:
    """Let the new user namespace's root be the caller, or every id when the caller is root."""
    try:
        if os.geteuid() != 0:
            Path(f"/proc/{pid}/setgroups").write_text("deny", encoding="ascii")
        for kind, own in (("uid_map", os.geteuid()), ("gid_map", os.getegid())):
            rows = f"0 {own} 1\n" if os.geteuid() != 0 else _identical(kind)
            Path(f"/proc/{pid}/{kind}").write_text(rows, encoding="ascii")
    except OSError as error:
        raise _RefusedError(f"the kernel refused to map user ids: {error.strerror}") from error


def _identical(kind: str) -> str:
    """A map of every id that the caller has to itself."""
    own = Path(f"/proc/self/{kind}").read_text(encoding="ascii").splitlines()
    rows = (row.split() for row in own)
    return "".join(f"{first} {first} {count}\n" for first, _, count in rows)


def _said(outer: subprocess.Popen[bytes], log: Path) -> bytes:
    """The next line that the world writes. Raises _RefusedError when it ends before."""
    assert outer.stdout is not None
    deadline = time.monotonic() + START_S_MAX
    handle = outer.stdout.fileno()
    line = b""
    while not line.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([handle], [], [], left)[0]:
            raise WorldError(
                f"the world said nothing for {START_S_MAX:.0f} s while it was being built: "
                f"the machine may be overloaded; try again"
            )
        piece = os.read(handle, 1)
        if not piece:
            raise _RefusedError(_refused(log))
        line += piece
    return line


def _identity(pid: int, what: str) -> census.Identity:
    identity = census.identify(pid)
    if identity is None:
        raise WorldError(f"{what} of the world ended just after it was built")
    return identity


def _refused(log: Path) -> str:
    said = " ".join(log.read_text(errors="replace").split())[-500:] or "unshare gave no reason"
    return f"the kernel refused the world's namespaces: {said}; {advice(said)}"
