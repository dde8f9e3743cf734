"""Process 1 of a world: builds it, reports, and becomes a tiny reaping init.

Runs as ``python -S -m testbed.world.process1`` in new user, network, mount, pid, ipc and uts
namespaces, with the standard library only. Reads one line of JSON, a
:class:`~testbed.world.blueprint.Blueprint`; writes one line of JSON: ``{"nodes": {name: pid}}``
with pids of the world's own pid namespace, or ``{"error": text}``.

Afterwards it hangs on its creator's pipe: end of file ends the world, one more line, ``keep``,
lets it outlive its creator. With SIGCHLD ignored the kernel reaps every orphan, so a room that
waits for nothing needs no interpreter and becomes ``sleep infinity``.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from testbed.world import syscalls
from testbed.world.blueprint import INTERFACE, Blueprint, Room
from testbed.world.furniture import FurnitureError, furnish

NODE_NAMESPACES = (
    syscalls.CLONE_NEWNET
    | syscalls.CLONE_NEWNS
    | syscalls.CLONE_NEWPID
    | syscalls.CLONE_NEWIPC
    | syscalls.CLONE_NEWUTS
)

WAN_SETTINGS: Mapping[str, str] = {
    # Until the wan has its rules (``wan_apply``): nothing gets past them, however early it starts.
    "net/ipv4/ip_forward": "0",
    "net/ipv4/conf/all/rp_filter": "0",
    "net/ipv4/conf/default/rp_filter": "0",
    # Where Docker has loaded the module: packets within a region pass no filter.
    "net/bridge/bridge-nf-call-iptables": "0",
}

ROOM_SETTINGS: Mapping[str, str] = {
    "net/ipv6/conf/all/disable_ipv6": "1",
    "net/ipv6/conf/default/disable_ipv6": "1",
}


KEEP = "keep\n"
"""The creator's last word to a world that shall outlive it."""


class BuildError(Exception):
    """The world could not be built; the message says which step and why."""


@dataclass(frozen=True, slots=True)
class Builder:
    """A node's process 1 while it is being built.

    Args:
        room: What it builds.
        pid: Its process id as process 1 of the world sees it.
        reports: It writes one line a stage here, and closes it when it is done.
        orders: It waits here for the cable.
    """

    room: Room
    pid: int
    reports: int
    orders: int


def main() -> NoReturn:
    """Build the world, report and become the init."""
    line = sys.stdin.readline()
    if not line:
        sys.exit(1)  # The creator died before it said what to build.
    blueprint = Blueprint.from_json(line)
    try:
        pids = build(blueprint)
    except (BuildError, FurnitureError, OSError) as error:
        _say({"error": str(error)})
        sys.exit(1)
    _say({"nodes": pids})
    _await_keep()
    _become_init()


def build(blueprint: Blueprint) -> dict[str, int]:
    """Build the wan and every node; node inits' pids by name.

    Raises:
        BuildError: A step failed.
    """
    syscalls.mount("none", "/", flags=syscalls.MS_REC | syscalls.MS_PRIVATE)
    socket.sethostname(blueprint.wan.name)
    furnish(blueprint.wan, blueprint.hosts)
    # Each stage is asked of all nodes before any is waited for: they build side by side.
    builders = [_started(draft) for draft in [_start(room, blueprint) for room in blueprint.nodes]]
    for builder in builders:
        _expect(builder, "furnished")
    _apply({**ROOM_SETTINGS, **WAN_SETTINGS})
    _ip(blueprint.ip, blueprint.wan.name, [*blueprint.wan.commands, *_cables(builders)])
    for builder in builders:
        os.write(builder.orders, b"cable\n")
    for builder in builders:
        _expect(builder, "ready")
    return {builder.room.name: builder.pid for builder in builders}


def _start(room: Room, plan: Blueprint) -> Builder:
    """Fork a node's process 1 into its own namespaces; until then its id is the middle's."""
    reports, reporter = os.pipe()
    listener, orders = os.pipe()
    middle = os.fork()
    if middle == 0:
        os.close(reports)
        os.close(orders)
        _split(room, plan, reporter, listener)
    os.close(reporter)
    os.close(listener)
    return Builder(room, middle, reports, orders)


def _started(draft: Builder) -> Builder:
    """The builder once the middle has made the node's process 1 and is gone."""
    os.waitpid(draft.pid, 0)
    return dataclasses.replace(draft, pid=int(_expect(draft, "started")))


def _split(room: Room, plan: Blueprint, reporter: int, listener: int) -> NoReturn:
    """In the middle process: new namespaces take effect for its child, the node's process 1."""
    gate, latch = os.pipe()
    try:
        syscalls.unshare(NODE_NAMESPACES)
        child = os.fork()
    except OSError as error:
        _report(reporter, f"error {error}")
        os._exit(1)
    if child:
        _report(reporter, f"started {child}")
        os._exit(0)
    try:
        # Both write to one pipe, and the pid is expected first: wait until the middle is gone.
        os.close(latch)
        os.read(gate, 1)
        socket.sethostname(room.name)
        furnish(room, plan.hosts)
        _report(reporter, "furnished")
        if os.read(listener, 16) != b"cable\n":
            os._exit(1)
        _apply(ROOM_SETTINGS)
        _ip(plan.ip, room.name, room.commands)
        _report(reporter, "ready")
        _become_init()
    except (BuildError, FurnitureError, OSError) as error:
        _report(reporter, f"error {error}")
        os._exit(1)


def _cables(builders: Sequence[Builder]) -> list[str]:
    lines = []
    for builder in builders:
        veth, bridge = builder.room.veth, builder.room.bridge
        lines += [
            f"link add {veth} type veth peer name {INTERFACE} netns {builder.pid}",
            f"link set {veth} master {bridge} up",
        ]
    return lines


def _ip(program: str, room: str, commands: Sequence[str]) -> None:
    """Run ``ip -batch`` in the calling process's network namespace."""
    done = subprocess.run(
        [program, "-batch", "-"],
        input="\n".join(commands) + "\n",
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BuildError(f"{room}: ip: {' '.join(done.stderr.split())}")


def _apply(settings: Mapping[str, str]) -> None:
    """Write kernel settings of the own network namespace; one that is absent needs no change."""
    for name, value in settings.items():
        path = Path("/proc/sys", name)
        if path.exists():
            path.write_text(value, encoding="ascii")


def _expect(builder: Builder, stage: str) -> str:
    """The rest of the builder's next line, which must be of that stage."""
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(builder.reports, 1)
        if not piece:
            break
        line += piece
    word, _, rest = line.decode().strip().partition(" ")
    if word != stage:
        raise BuildError(f"{builder.room.name}: {rest or 'ended while it was being built'}")
    return rest


def _report(reporter: int, text: str) -> None:
    os.write(reporter, (" ".join(text.split()) + "\n").encode())


def _await_keep() -> None:
    """Wait for the creator's last word; without it the world ends with its creator."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (1, 2):
        os.dup2(null, standard)
    if sys.stdin.readline() != KEEP:
        sys.exit(0)


def _become_init() -> NoReturn:
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    command = ("sleep", "infinity")
    os.execvp(command[0], command)  # noqa: S606 - that is what an init does


def _say(message: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
