"""A process that ends with the one that started it, however that one ends."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int | None = None, number: int = signal.SIGKILL) -> None:
    """Be killed when the process that started this one dies.

    Args:
        parent: Its number, where that is known; else whose child this one is now.
        number: The signal that comes then.

    Raises:
        SystemExit: It has died already; with 3.
    """
    if parent is None:
        parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        sys.exit(3)


def end_with_suite(suite: int) -> None:
    """Be interrupted, as by Ctrl-C, when the process of a suite dies, of which this one is a lane.

    It heals what it broke then, ends its world and begins nothing more.

    Args:
        suite: Number of the process.

    Raises:
        SystemExit: It has died already; with 3.
    """
    # Started in the background of a shell, a suite hands on that nobody listens to an interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    die_with_parent(suite, signal.SIGINT)
