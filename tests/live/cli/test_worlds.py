"""Several worlds, worlds that die, and worlds that never get to be."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from testbed.world.finding import find

from .conftest import Command, eventually, holders, machine, namespaces_of

TWO = ("cli-two", "cli-three")


def remembered(command: Command) -> set[str]:
    folder = command.state / "testbed" / "worlds"
    return {path.parent.name for path in folder.glob("*/world.json")}


def test_two_worlds_side_by_side_one_of_which_is_killed(command: Command) -> None:
    before = machine()
    for name in TWO:
        command.ok("up", "--name", name)
    worlds = {world["name"]: world for world in command.status()}
    assert worlds.keys() == set(TWO)
    held = {name: namespaces_of(world["process1"]) for name, world in worlds.items()}
    refuse_without_a_name(command)
    for number, name in enumerate(TWO):
        sql = f"CREATE TABLE own AS SELECT {number} AS i; SELECT i FROM own"
        out = command.ok("exec", "eu-west-lb1", "--world", name, "--", "psql", "-Atqc", sql)
        assert out == f"{number}\n"

    os.kill(worlds["cli-three"]["process1"], signal.SIGKILL)
    eventually(lambda: not holders(held["cli-three"]), "the killed world's processes are gone")
    died(command)
    command.ok("exec", "eu-west-db1", "true")

    assert "cli-two has ended" in command.ok("down")
    assert "cli-three had died" in command.ok("down")
    eventually(lambda: not holders(held["cli-two"]), "the ended world's processes are gone")
    assert remembered(command) == set()
    assert machine() == before


def refuse_without_a_name(command: Command) -> None:
    for words in (["exec", "eu-west-db1", "--", "true"], ["shell", "eu-west-db1"], ["logs"]):
        done = command.run(*words)
        assert done.code == 3
        assert "cli-three, cli-two" in done.err
    assert command.run("down").code == 3
    listed = command.ok("status")
    assert re.search(r"cli-three +active-passive +running", listed)
    assert re.search(r"cli-two +active-passive +running", listed)


def died(command: Command) -> None:
    """What each verb says of the world that was killed, beside one that runs."""
    done = command.run("status", "cli-three")
    assert done.code == 3
    assert "testbed down cli-three" in " ".join(done.out.split())
    assert command.run("status").code == 3
    assert command.run("exec", "wan", "--world", "cli-three", "--", "true").code == 3
    assert command.ok("logs", "us-east-db1/patroni", "--world", "cli-three").count("\n") == 10
    followed = command.ok("logs", "us-east-db1/patroni", "--world", "cli-three", "--follow")
    assert followed.endswith("-- world cli-three has ended --\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_up_leaves_nothing(command: Command, number: signal.Signals) -> None:
    before = machine()
    with command.start("up", "--name", "cli-never") as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "Start every program" in line:
                break
        # Not asked of `testbed status`: the world could be complete before it answers.
        sighting = find("cli-never", folder=command.state / "testbed" / "worlds")
        assert sighting.keeper == process.pid
        assert sighting.remembered.process1 is not None
        held = namespaces_of(sighting.remembered.process1.pid)
        process.send_signal(number)
        process.communicate(timeout=30)
    assert process.returncode == (-9 if number == signal.SIGKILL else 3)
    eventually(lambda: not holders(held), "no process of the world is left")
    assert machine() == before
    if number == signal.SIGKILL:
        # Nobody was left to forget it.
        assert command.run("status", "cli-never").code == 3
        command.ok("down", "cli-never")
    assert remembered(command) == set()


def test_an_up_that_fails_says_why_and_leaves_nothing(command: Command, tmp_path: Path) -> None:
    program = tmp_path / "toxiproxy-server"
    program.write_text(
        '#!/bin/sh\ncase $* in *version*) echo "toxiproxy-server version 2.12.0"; exit 0;; esac\n'
        'echo "no licence for the coffee machine" >&2\nexit 9\n'
    )
    program.chmod(0o755)
    done = subprocess.run(
        command.argv("up", "--name", "cli-never", "--fresh"),
        capture_output=True,
        text=True,
        env={**command.env, "TESTBED_TOXIPROXY_SERVER": str(program)},
        timeout=120,
        check=False,
    )
    assert done.returncode == 3
    assert "no licence for the coffee machine" in done.stderr
    assert "Traceback" not in done.stderr
    assert remembered(command) == set()


def test_an_ordinary_user_has_worlds_as_well(command: Command, tmp_path: Path) -> None:
    # Somebody who is not root, in a user namespace where root's files are this user's own.
    become = ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--"]
    script = """
        id -u
        testbed() { "$PYTHON" -m testbed.cli.main "$@"; }
        testbed up --name cli-user >&2
        testbed exec eu-central-lb1 -- psql -Atc 'SELECT 40 + 2'
        testbed exec eu-west-db1 -- patronictl list -f json | grep -c Leader
        testbed logs eu-west-db1/patroni -n 1 >&2
        testbed status
        testbed down
    """
    user = Command(tmp_path)
    try:
        done = subprocess.run(
            [*(become if os.geteuid() == 0 else []), "sh", "-euc", script],
            capture_output=True,
            text=True,
            env={**user.env, "PYTHON": sys.executable},
            timeout=300,
            check=False,
        )
    finally:
        user.run("down", "--all")
    assert done.returncode == 0, done
    uid, answer, leaders, *rest = done.stdout.splitlines()
    assert uid != "0"
    assert (answer, leaders) == ("42", "1")
    assert rest[0].startswith("cli-user  running")
    assert not [line for line in rest if "stopped" in line or "silent" in line]
    assert "cli-user has ended" in rest[-1]
    assert remembered(user) == set()
