"""A command in the caller's place: exit code, output, signals, and its end with the caller.

``nsenter`` is stood in for by a shell: it too runs the command as its child and waits.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from testbed.world.attached import leashed, run_attached
from testbed.world.protocol import WorldError

# Tests that nohup began inherit that a hangup is ignored, which no shell can trap.
CALLER = """
import os, signal, sys
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from testbed.world.attached import leashed, run_attached
enter = ["sh", "-c", '"$@"; exit $?', "sh"]
sys.exit(run_attached(enter + leashed(sys.argv[1:]), dict(os.environ)))
"""


@contextlib.contextmanager
def call(script: str) -> Iterator[subprocess.Popen[str]]:
    """A process that runs a shell script attached; it says `ready` when it is."""
    process = subprocess.Popen(
        [sys.executable, "-c", CALLER, "sh", "-c", script], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    below = psutil.Process(process.pid).children(recursive=True)
    try:
        yield process
    finally:
        process.kill()
        for each in below:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        process.communicate()


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("code", [0, 1, 7, 64, 127])
def test_the_exit_code_is_the_commands(code: int) -> None:
    assert run_attached(["sh", "-c", f"exit {code}"], {}) == code


def test_a_signal_that_ended_it_counts_from_128() -> None:
    assert run_attached(["sh", "-c", "kill -KILL $$"], {}) == 128 + signal.SIGKILL


def test_the_environment_is_what_is_given_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGHOST", "elsewhere")
    script = f'echo "${{PGHOST-none}} $MINE" > {tmp_path / "out"}'
    assert run_attached(["/bin/sh", "-c", script], {"MINE": "yes"}) == 0
    assert (tmp_path / "out").read_text() == "none yes\n"


def test_a_missing_program_is_an_error_of_ours() -> None:
    with pytest.raises(WorldError, match="no-such-program"):
        run_attached(["no-such-program"], {})


def test_signals_of_the_caller_are_as_before() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    run_attached(["true"], dict(os.environ))
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before


def test_the_command_has_the_callers_signal_mask() -> None:
    assert run_attached(["sh", "-c", "kill -TERM $$; exit 0"], {}) == 128 + signal.SIGTERM


def test_the_end_is_seen_also_when_another_thread_was_told_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A thread that does not block the signal swallows it: waited for alone, it never comes."""
    deaf = signal.sigtimedwait
    monkeypatch.setattr(signal, "sigtimedwait", lambda _, limit_s: deaf([], limit_s))
    assert run_attached(["sh", "-c", "exit 7"], dict(os.environ)) == 7


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP", "QUIT", "USR1", "USR2"])
def test_a_signal_to_the_caller_reaches_the_command(name: str) -> None:
    wait = "while :; do sleep 0.02; done"
    with call(f"trap 'echo got {name}; exit 43' {name}; echo ready; {wait}") as process:
        process.send_signal(getattr(signal, f"SIG{name}"))
        out, _ = process.communicate(timeout=10)
    assert (out, process.returncode) == (f"got {name}\n", 43)


def test_the_command_dies_with_a_killed_caller() -> None:
    with call("echo ready; echo $$; exec sleep 600") as process:
        assert process.stdout is not None
        below = psutil.Process(int(process.stdout.readline()))
        process.kill()
        eventually(lambda: not below.is_running() or below.status() == psutil.STATUS_ZOMBIE)


def test_a_leashed_command_keeps_its_words() -> None:
    done = subprocess.run(leashed(["echo", "--", "-c", "a b"]), capture_output=True, check=True)
    assert done.stdout == b"-- -c a b\n"
