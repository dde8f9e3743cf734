"""The few system calls that Python 3.11 does not offer: unshare, mount and its relatives."""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Mapping

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MS_NOSUID = 0x2
MS_NODEV = 0x4


@functools.cache
def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mount.argtypes = [
        ctypes.c_char_p,
        ctypes.c_char_p,
        ctypes.c_char_p,
        ctypes.c_ulong,
        ctypes.c_char_p,
    ]
    libc.unshare.argtypes = [ctypes.c_int]
    return libc


def unshare(flags: int) -> None:
    """Give the calling process new namespaces.

    Args:
        flags: An or of the ``CLONE_NEW*`` constants.

    Raises:
        OSError: The kernel refused.
    """
    if _libc().unshare(flags) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"unshare: {os.strerror(code)}")


def mount(
    source: str,
    target: str,
    kind: str | None = None,
    flags: int = 0,
    options: Mapping[str, str | None] | None = None,
) -> None:
    """Mount a file system, or bind an existing folder or file.

    Args:
        source: Device, name or path.
        target: Where it appears.
        kind: File system type; None for a bind or a change of propagation.
        flags: An or of the ``MS_*`` constants.
        options: The file system's own options; None as a value for a bare flag.

    Raises:
        OSError: The kernel refused; its text names the source and the target.
    """
    data = ",".join(
        name if value is None else f"{name}={value}" for name, value in (options or {}).items()
    )
    code = _libc().mount(
        source.encode(),
        target.encode(),
        None if kind is None else kind.encode(),
        flags,
        data.encode() if data else None,
    )
    if code != 0:
        number = ctypes.get_errno()
        what = kind or "bind"
        raise OSError(number, f"mount {what} {source} on {target}: {os.strerror(number)}")
