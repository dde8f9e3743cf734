"""Taking the terminal back from a shell that had it."""

from __future__ import annotations

import contextlib
import os
import signal
import sys


def reclaim() -> None:
    """Make this process group the terminal's foreground one again.

    An interactive shell takes the terminal for its own group and leaves it so when it ends: whoever
    was there before would be stopped at the next change of the terminal's settings.
    """
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        with contextlib.suppress(OSError, ValueError):
            os.tcsetpgrp(sys.__stdin__.fileno() if sys.__stdin__ else 0, os.getpgrp())
    finally:
        signal.signal(signal.SIGTTOU, before)
