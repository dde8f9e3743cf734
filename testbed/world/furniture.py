"""The private folders of a room: what a node sees in place of the machine's own."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

from testbed.world import syscalls
from testbed.world.blueprint import Room

SHARED_MEMORY = "/dev/shm"  # noqa: S108 - a mount point
"""Private in each node: PostgreSQL leaves segments there when it is killed."""

NAME_SOURCES = "passwd: files\ngroup: files\nshadow: files\nhosts: files\n"
"""``/etc/nsswitch.conf``: every name of a world is in its files."""

_PRIVATE = syscalls.MS_NOSUID | syscalls.MS_NODEV


class FurnitureError(Exception):
    """A room's folders could not be made; the message says why."""


def furnish(room: Room, hosts: str) -> None:
    """Give the calling process's mount namespace the private folders of a room.

    Args:
        room: Whose.
        hosts: Content of ``/etc/hosts``.

    Raises:
        FurnitureError: The golden folder could not be copied.
        OSError: A mount was refused.
    """
    syscalls.mount("proc", "/proc", "proc", _PRIVATE)
    syscalls.mount("tmpfs", "/run", "tmpfs", _PRIVATE, {"mode": "755"})
    syscalls.mount("tmpfs", SHARED_MEMORY, "tmpfs", _PRIVATE, {"mode": "1777"})
    syscalls.mount("tmpfs", "/srv", "tmpfs", _PRIVATE, {"mode": "755"})
    if room.lower is not None:
        lay(room.name, room.lower)
    Path("/srv/log").mkdir(exist_ok=True)
    syscalls.mount(room.logs, "/srv/log", flags=syscalls.MS_BIND)
    Path("/run/testbed").mkdir()
    _replace("/etc/hosts", hosts)
    # No name server can be reached from here: asking one would cost each lookup five seconds.
    _replace("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    _replace("/etc/nsswitch.conf", NAME_SOURCES)


def _replace(path: str, content: str) -> None:
    """Show another content at a path; one that is absent on this machine stays so."""
    if Path(path).exists():
        own = Path("/run/testbed", Path(path).name)
        own.write_text(content, encoding="ascii")
        syscalls.mount(str(own), path, flags=syscalls.MS_BIND)


def lay(name: str, lower: str) -> None:
    """Show a golden folder at ``/srv``, with private changes on top of it.

    Args:
        name: The node, for messages.
        lower: The golden folder. Copied where the kernel has no overlay on memory.

    Raises:
        FurnitureError: It could not be copied either, or is being removed.
    """
    try:
        hold(lower)
        overlay(lower, Path("/srv"))
    except OSError as error:
        print(f"{name}: copies {lower} instead of an overlay: {error}", file=sys.stderr)
        for leftover in ("upper", "work"):
            shutil.rmtree(f"/srv/{leftover}", ignore_errors=True)
        copy(lower, Path("/srv"))


def hold(lower: str) -> None:
    """Keep a golden folder from being removed while this process, the node's first, lives.

    A mounted overlay does not: whatever is removed below it is missing in it from then on.

    Args:
        lower: The golden folder. Locked for whoever shows it; who removes it wants it alone.

    Raises:
        OSError: It cannot be locked.
        FurnitureError: It has been removed since it was named.
    """
    try:
        held = os.open(lower, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(held, fcntl.LOCK_SH)
        gone = not os.path.samestat(os.fstat(held), Path(lower).stat())
    except FileNotFoundError:
        gone = True
    if gone:
        raise FurnitureError(f"the snapshot {lower} has just been removed: start again")
    # The process becomes another program; the lock stays with the open folder.
    os.set_inheritable(held, True)


def overlay(lower: str, target: Path) -> None:
    """Mount an overlay over a folder that is a file system in memory.

    Args:
        lower: What shows through.
        target: Holds the changes, and is hidden by the result.

    Raises:
        OSError: This kernel cannot, or not on memory (user attributes on tmpfs: Linux 6.6).
    """
    upper, work = target / "upper", target / "work"
    upper.mkdir()
    work.mkdir()
    # Without user attributes the mount would succeed, and removing a lower folder would fail.
    os.setxattr(upper, "user.overlay.probe", b"y")
    os.removexattr(upper, "user.overlay.probe")
    layers = {"lowerdir": lower, "upperdir": str(upper), "workdir": str(work)}
    syscalls.mount("overlay", str(target), "overlay", 0, {**layers, "userxattr": None})


def copy(lower: str, target: Path) -> None:
    """Copy a folder's content, owners and times included.

    Raises:
        FurnitureError: Says why: most likely memory is full.
    """
    done = subprocess.run(
        ["cp", "-a", "--", f"{lower}/.", str(target)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise FurnitureError(f"cannot copy {lower}: {' '.join(done.stderr.split())[:300]}")
