"""Processes as the machine shows them."""

from __future__ import annotations

import os
import subprocess
import sys

from testbed.world import census


def test_a_process_is_described() -> None:
    with subprocess.Popen(["sleep", "100"]) as sleeper:
        process = census.describe(sleeper.pid)
        assert process is not None
        assert (process.pid, process.parent) == (sleeper.pid, os.getpid())
        identity = census.identify(sleeper.pid)
        assert identity is not None
        census.kill(identity)
        # A zombie has ended, though its number is still taken.
        assert census.identify(sleeper.pid) is None
        assert not census.runs(identity)
        sleeper.wait()
    assert census.describe(sleeper.pid) is None
    census.kill(identity)


def test_a_command_with_brackets_and_spaces_confuses_nobody() -> None:
    code = (
        "import pathlib, sys; pathlib.Path('/proc/self/comm').write_text('a) S 1 (b'); "
        "print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        described = census.describe(process.pid)
        assert described is not None
        assert described.command == "a) S 1 (b"
        assert described.parent == os.getpid()
        assert process.stdin is not None
        process.stdin.close()


def test_members_share_the_pid_namespace_and_leave_out_its_leader() -> None:
    pids = {process.pid for process in census.members(os.getpid())}
    assert os.getpid() not in pids
    assert os.getppid() in pids


def test_nobody_is_in_the_namespace_of_a_process_that_is_gone() -> None:
    with subprocess.Popen(["true"]) as process:
        pass
    assert census.members(process.pid) == ()
