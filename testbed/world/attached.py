"""A command that takes the caller's place: its terminal, its signals, its exit code."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence

import psutil

from testbed.world.protocol import WorldError

_PR_SET_PDEATHSIG = 1
_POLL_S = 0.2
"""Where the caller has a second thread, the system may give that one the word of the end."""
_SI_KERNEL = 0x80
_PASSED = frozenset(
    {
        signal.SIGHUP,
        signal.SIGINT,
        signal.SIGQUIT,
        signal.SIGTERM,
        signal.SIGUSR1,
        signal.SIGUSR2,
    }
)


def leashed(command: Sequence[str]) -> list[str]:
    """The command line that runs a command which is killed when its parent dies."""
    return ["setpriv", "--pdeathsig", "KILL", "--", *command]


def run_attached(argv: Sequence[str], env: Mapping[str, str]) -> int:
    """Run a command in the caller's place and wait for its end.

    It inherits standard input, output and error. A signal that somebody sends to the caller goes
    to the command; one that the terminal sends reaches both anyway. When the caller is killed,
    the command line's own process is as well.

    Args:
        argv: From :meth:`World.argv`: enters the node and runs the command as its child.
        env: The command's whole environment.

    Returns:
        The command's exit code; 128 and the signal's number when a signal ended it.

    Raises:
        WorldError: The program that enters the node is missing.
    """
    waited = {*_PASSED, signal.SIGCHLD}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, waited)
    # Loaded here: between fork and exec nothing may be.
    prctl = ctypes.CDLL(None).prctl

    def prepare() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    try:
        process = subprocess.Popen(argv, env=env, preexec_fn=prepare)  # noqa: PLW1509 - no threads
        return _attend(process, waited)
    except OSError as error:
        raise WorldError(f"{argv[0]} cannot be run: {error.strerror}") from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _attend(process: subprocess.Popen[bytes], waited: set[signal.Signals]) -> int:
    """Pass signals on until the process has ended."""
    while process.poll() is None:
        told = signal.sigtimedwait(waited, _POLL_S)
        if told is not None and told.si_signo in _PASSED and told.si_code != _SI_KERNEL:
            _pass_on(process.pid, told.si_signo)
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


def _pass_on(pid: int, number: int) -> None:
    """Send a signal to the command itself, which is the child of what entered the node."""
    try:
        children = psutil.Process(pid).children()
    except psutil.NoSuchProcess:
        return
    for target in [child.pid for child in children] or [pid]:
        try:
            os.kill(target, number)
        except ProcessLookupError:
            continue
