"""Runs one long command at low priority, line by line, and never leaves it behind."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TextIO

_NICENESS = 10


def follow(
    argv: Sequence[str],
    *,
    folder: Path,
    env: Mapping[str, str],
    output: Path,
    log: TextIO,
    on_line: Callable[[str], None],
) -> int:
    """Run a command to its end.

    Args:
        argv: The command line.
        folder: Working folder.
        env: The whole environment.
        output: File that takes its standard output.
        log: Takes each line of its standard error.
        on_line: Called with each line of its standard error.

    Returns:
        Its exit code; negative for the signal that ended it.

    Raises:
        OSError: It cannot be started, or the log cannot be written.
    """
    with output.open("wb") as sink:
        process = subprocess.Popen(
            [*_mortal(), *argv],
            cwd=folder,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            log.write(line)
            on_line(line.rstrip("\n"))
        return process.wait()
    finally:
        # Also after Ctrl-C: a compiler must not go on in the background.
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.stderr is not None:
            process.stderr.close()


def _mortal() -> list[str]:
    """A prefix that lowers the priority, and ends the command when we are killed."""
    prefix = ["nice", "-n", str(_NICENESS)]
    if shutil.which("setpriv"):
        prefix += ["setpriv", "--pdeathsig", "KILL", "--"]
    return prefix
