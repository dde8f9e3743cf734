"""One world from `up` to `down`, with the real programs in it."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import shlex
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.world import census
from testbed.world.entry import namespace

from .conftest import NAME, ROOT, Command, eventually

DATABASE = "eu-west-db1"
CUT = """
import sys
from testbed.world.namespaces import open_world
wan = open_world(sys.argv[1]).wan
links = [("eu-west", "us-east"), ("us-east", "eu-west")]
wan.cut(links) if sys.argv[2] == "cut" else wan.heal(links)
"""


def test_every_command_that_up_prints_works(command: Command, up: str) -> None:
    assert re.search(r"World cli-one is up after \d+\.\d s", up)
    assert "eu-west      10.77.1.11:5000   10.77.1.11:5001" in up
    printed = [line.strip() for line in up.splitlines() if line.startswith("  testbed ")]
    assert [line.split()[1] for line in printed] == [
        *("exec", "exec", "shell", "status", "logs", "down")
    ]
    for line in printed:
        if " --follow" not in line and " down" not in line:
            done = command.run(*shlex.split(line)[1:])
            assert done.code == 0, (line, done)


def test_the_writer_takes_writes_as_soon_as_up_says_so(command: Command, up: str) -> None:
    sql = "CREATE TABLE soon (i int); INSERT INTO soon VALUES (7); SELECT i FROM soon"
    for node in ("us-east-lb1", "eu-central-lb1"):
        assert "7" in command.ok("exec", node, "--", "psql", "-Atqc", sql).split()
        command.ok("exec", node, "--", "psql", "-qc", "DROP TABLE soon")


def test_status_shows_roles_replication_programs_and_links(command: Command, up: str) -> None:
    world = eventually(lambda: steady(command), "the world is steady", 60)
    data = {node["name"]: node["data"] for node in world["nodes"] if node["data"]}
    assert sorted(each["role"] for each in data.values()) == ["primary", "replica", "replica"]
    replicas = [each for each in data.values() if each["role"] == "replica"]
    assert {each["replication"] for each in replicas} == {"streaming"}
    assert sorted(each["synchronous"] for each in replicas) == ["async", "sync"]
    assert all(each["lag_bytes"] is not None for each in replicas)
    assert [node["consul"] for node in world["nodes"]].count("leader") == 1
    programs = {
        node["name"]: {program["name"]: program for program in node["programs"]}
        for node in world["nodes"]
    }
    assert programs[DATABASE].keys() == {"consul", "observer", "patroni"}
    assert programs["wan"].keys() == {"toxiproxy"}
    assert all(each["healthy"] and each["pid"] for on in programs.values() for each in on.values())
    assert len(world["links"]) == 6
    for link in world["links"]:
        # Bytes cannot be faster than what was asked for, but for the jitter.
        assert link["delay_ms"] >= link["asked_delay_ms"] - link["asked_jitter_ms"]
        assert not link["cut"]


def steady(command: Command) -> dict[str, object] | None:
    (world,) = command.status(NAME)
    return None if world["problems"] else world


def test_status_fits_80_columns(command: Command, up: str) -> None:
    lines = command.ok("status").splitlines()
    assert lines[0].startswith(f"{NAME}  running for ")
    # A path or a problem may be longer; neither is part of the picture.
    picture = [line for line in lines if not line.startswith(("Logs: ", "! "))]
    assert max(len(line) for line in picture) <= 80
    assert any("eu-central -> us-east" in line and line.endswith(" ms") for line in picture)


def test_status_shows_a_cut_and_a_program_that_ended(command: Command, up: str) -> None:
    victim = "us-east-lb1"
    command.ok("exec", victim, "--", "sh", "-c", "kill -9 $(cat /run/testbed/haproxy.pid)")
    (world,) = command.status()
    with cut(command, int(world["process1"])):
        eventually(lambda: silent_cuts(command) == CUT_LINKS, "both directions are silent")
        text = command.run("status").out
    assert re.search(r"eu-west -> us-east +35 ms ± 1 +CUT, silent \d+ s, \d+ packets lost", text)
    assert f"! {victim}: haproxy does not run" in text
    assert "haproxy stopped" in text
    assert "Steady" not in text


CUT_LINKS = {("eu-west", "us-east"), ("us-east", "eu-west")}


def silent_cuts(command: Command) -> set[tuple[str, str]]:
    (world,) = command.status()
    return {
        (link["source"], link["target"])
        for link in world["links"]
        if link["cut"] and link["silent_ms"] > 1000 and link["dropped_packets"] > 0
    }


@contextlib.contextmanager
def cut(command: Command, process1: int) -> Iterator[None]:
    enter = ["nsenter", "-t", str(process1), "--user", "--preserve-credentials", "--net"]
    if namespace(process1, "user") == namespace("self", "user"):
        enter = ["nsenter", "-t", str(process1), "--net"]
    python = [*enter, "--", sys.executable, "-c", CUT, NAME]
    subprocess.run([*python, "cut"], env=command.env, cwd=ROOT, check=True)
    try:
        yield
    finally:
        subprocess.run([*python, "heal"], env=command.env, cwd=ROOT, check=True)


def test_a_name_that_is_taken_is_refused_at_once(command: Command, up: str) -> None:
    done = command.run("up", "--name", NAME)
    assert done.code == 3
    assert "already running" in done.err
    assert f"testbed down {NAME}" in done.err
    assert "Make the nodes" not in done.err
    assert command.status()[0]["condition"] == "running"


def test_exec_passes_input_output_and_exit_code_through(command: Command, up: str) -> None:
    script = "read line; echo out $line; echo err >&2; exit 7"
    done = command.run("exec", DATABASE, "--", "sh", "-c", script, stdin="hello\n")
    assert (done.code, done.out, done.err) == (7, "out hello\n", "err\n")
    assert command.run("exec", DATABASE, "--", "sh", "-c", "kill -KILL $$").code == 128 + 9
    assert command.run("exec", DATABASE, "--", "no-such-command").code == 127
    assert command.ok("exec", "wan", "hostname") == "wan\n"


def test_exec_finds_the_programs_and_nothing_of_the_caller(
    command: Command, up: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PGHOST", "PGPORT", "PGSERVICE", "PATRONICTL_CONFIG_FILE", "CONSUL_HTTP_ADDR"):
        monkeypatch.setenv(name, "elsewhere")
    members = json.loads(command.ok("exec", DATABASE, "--", "patronictl", "list", "-f", "json"))
    assert len(members) == 3
    assert command.ok("exec", DATABASE, "--", "consul", "members").count("alive") == 3
    assert command.ok("exec", DATABASE, "--", "psql", "-Atc", "SELECT 1") == "1\n"


def test_exec_into_a_node_that_does_not_exist_lists_the_nodes(command: Command, up: str) -> None:
    done = command.run("exec", "no-node", "--", "true")
    assert done.code == 3
    assert "us-east-lb1" in done.err


def test_a_signal_to_exec_reaches_the_command(command: Command, up: str) -> None:
    script = "trap 'exit 43' TERM; echo ready; while :; do sleep 0.1; done"
    with command.start("exec", DATABASE, "--", "sh", "-c", script) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert process.returncode == 43


def test_a_command_dies_with_a_killed_exec(command: Command, up: str) -> None:
    words = ("sleep", "61861861")
    with command.start("exec", DATABASE, "--", *words) as process:
        eventually(lambda: running(words), "the command runs")
        process.kill()
    eventually(lambda: not running(words), "the command has ended")


def running(words: tuple[str, ...]) -> list[int]:
    described = [census.describe(pid) for pid in census.pids()]
    return [each.pid for each in described if each is not None and each.argv == words]


def test_a_shell_on_a_terminal_names_its_node_and_has_job_control(
    command: Command, up: str
) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe(
            sys.executable, command.argv("shell", DATABASE), {**command.env, "TERM": "xterm"}
        )
    termios.tcsetwinsize(terminal, (24, 80))
    screen = Screen(terminal)
    screen.expect(f"{DATABASE}.* \\({NAME}\\) / # ")
    screen.type("test -t 0 && psql -Atc 'SELECT 40 + 2'")
    screen.expect("42\r\n")
    screen.type("sleep 600")
    screen.expect("sleep 600\r")
    time.sleep(0.2)  # Until the shell has made it the foreground job: nothing tells.
    screen.type("\x1a", end="")
    screen.expect("Stopped")
    screen.type("fg")
    screen.expect("sleep 600\r")
    time.sleep(0.2)
    screen.type("\x03", end="")
    screen.type("echo code $?; exit 5")
    screen.expect("code 130")
    screen.expect("exit")
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 5


class Screen:
    """What a program writes to a terminal, and keys for it."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._seen = ""

    def type(self, keys: str, end: str = "\n") -> None:
        os.write(self._terminal, (keys + end).encode())

    def expect(self, pattern: str, timeout_s: float = 30.0) -> None:
        """Read until the pattern appears after all that was expected before."""
        deadline = time.monotonic() + timeout_s
        while not (found := re.search(pattern, self._seen)):
            left = deadline - time.monotonic()
            ready = select.select([self._terminal], [], [], max(0.0, left))[0]
            assert ready, f"no {pattern!r} in {self._seen!r}"
            self._seen += os.read(self._terminal, 4096).decode(errors="replace")
        self._seen = self._seen[found.end() :]


def test_logs_of_a_program_of_a_node_and_of_all(command: Command, up: str) -> None:
    lines = command.ok("logs", f"{DATABASE}/patroni", "--lines", "3").splitlines()
    (world,) = command.status()
    written = (Path(world["logs"]) / DATABASE / "patroni.log").read_text().splitlines()
    assert len(lines) == 3
    assert set(lines) <= set(written)
    assert f"{DATABASE}/postgres: " in command.ok("logs", DATABASE, "-n", "1")
    assert "wan/toxiproxy: " in command.ok("logs", "-n", "1")
    done = command.run("logs", f"{DATABASE}/haproxy")
    assert done.code == 3
    assert "it has: consul, observer, patroni, postgres" in done.err


def test_following_shows_what_is_added_and_ends_with_ctrl_c(command: Command, up: str) -> None:
    with command.start("logs", f"{DATABASE}/patroni", "--follow", "--lines", "0") as process:
        assert process.stdout is not None
        # Patroni says something in each of its loops, every second.
        assert process.stdout.readline() != ""
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
        assert (process.returncode, err) == (0, "")
