"""The terminal comes back from a shell that had it."""

from __future__ import annotations

import os
import pty
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LIMIT_S = 20.0

THIEF = """
import os, signal
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
os.setpgid(0, 0)
os.tcsetpgrp(0, os.getpid())
"""
"""A shell in a process namespace of its own ends like that: it cannot name whom it took it from."""

PROGRAM = f"""
import os, subprocess, sys
from testbed.drill.console.terminal import reclaim
subprocess.call([sys.executable, "-c", {THIEF!r}])
lost = os.tcgetpgrp(0) != os.getpgrp()
reclaim()
print("LOST", lost, "MINE", os.tcgetpgrp(0) == os.getpgrp(), flush=True)
"""


def spoken(handle: int, wanted: str) -> str:
    """What the terminal shows until something is there."""
    text, deadline = "", time.monotonic() + LIMIT_S
    while wanted not in text:
        assert time.monotonic() < deadline, text
        try:
            text += os.read(handle, 4096).decode(errors="replace")
        except OSError:
            pytest.fail(f"the terminal closed after: {text}")
    return text


def test_the_terminal_is_ours_again_after_a_shell() -> None:
    pid, handle = pty.fork()
    if pid == 0:
        os.environ["PYTHONPATH"] = str(ROOT)
        os.execv(sys.executable, [sys.executable, "-c", PROGRAM])
    try:
        assert "LOST True MINE True" in spoken(handle, "\n")
    finally:
        os.close(handle)
        os.waitpid(pid, 0)
