"""What to do when the kernel refuses something that a world is made of."""

from __future__ import annotations

import errno
import os
from pathlib import Path

_SWITCHES = (
    ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
    ("user/max_user_namespaces", "0", "user.max_user_namespaces=15000"),
    (
        "kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "kernel.apparmor_restrict_unprivileged_userns=0",
    ),
)
_AS_ROOT = (
    "run as root; in a container, allow it namespaces and mounts "
    "(with Docker: --privileged, or --cap-add SYS_ADMIN --cap-add NET_ADMIN "
    "--security-opt seccomp=unconfined --security-opt systempaths=unconfined)"
)


def advice(said: str, root: Path = Path("/proc/sys")) -> str:
    """What to do about a complaint of the kernel, ``unshare``, ``ip`` or ``mount``.

    Args:
        said: The complaint.
        root: Where the kernel's settings are read.
    """
    for error, what in (
        (errno.ENOSPC, "free memory or disk space: folders of nodes are kept in memory"),
        (errno.EMFILE, "raise the limit of open files (ulimit -n)"),
        (errno.EAGAIN, "raise the limit of processes (ulimit -u)"),
        (errno.ENOMEM, "free memory, or run fewer worlds at once"),
    ):
        if os.strerror(error) in said and "unshare" not in said:
            return what
    if "unshare" in said or "proc on /proc" in said:
        return namespaces_advice(root)
    if "ip: " in said and ("not supported" in said or "Unknown device type" in said):
        return "load the kernel's modules, as root: modprobe bridge; modprobe veth"
    return "see `testbed doctor`"


def namespaces_advice(root: Path = Path("/proc/sys")) -> str:
    """What to do about a kernel that gives no namespaces, from what it says of itself.

    Args:
        root: Where the kernel's settings are read.
    """
    off = [setting for name, value, setting in _SWITCHES if _reads(root / name, value)]
    if off and os.geteuid() != 0:
        return "run as root, or type as root: " + "; ".join(f"sysctl -w {one}" for one in off)
    if off:
        return "type as root: " + "; ".join(f"sysctl -w {setting}" for setting in off)
    return _AS_ROOT


def _reads(file: Path, value: str) -> bool:
    try:
        return file.read_text(encoding="ascii").strip() == value
    except OSError:
        return False
