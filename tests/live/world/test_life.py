"""A world is built whole, is private, and dies whole."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from testbed.topology.document import to_document
from testbed.topology.model import Deployment
from testbed.world import census, state
from testbed.world.entry import namespace
from testbed.world.namespaces import NamespaceWorld, Owner, clean, create, list_worlds, open_world
from testbed.world.protocol import WorldError

from .conftest import eventually, python_path, three_regions

Make = Callable[..., NamespaceWorld]
KINDS = ("net", "mnt", "pid", "ipc", "uts", "user")
NODE = "eu-west-db1"


@dataclass(frozen=True)
class Belongings:
    """What a world has of the kernel.

    Numbers are given again to others, so each stands with something that is not.
    """

    namespaces: frozenset[str]
    processes: frozenset[census.Identity]
    listed: frozenset[tuple[str, str]]

    def left(self) -> list[object]:
        """Those of its processes and namespaces that are still there; zombies count."""
        there: list[object] = [one for one in self.processes if exists(one)]
        return there + sorted(self.listed & listed())


def belongings(world: NamespaceWorld) -> Belongings:
    rooms = ["wan", *(node.name for node in world.topology.nodes)]
    own = {namespace(world.pid(room), kind) for room in rooms for kind in KINDS}
    own -= {namespace("self", kind) for kind in KINDS}
    pids = [pid for pid in census.pids() if own & {namespace(pid, kind) for kind in KINDS}]
    identities = {identity for pid in pids if (identity := census.identify(pid))}
    numbers = {name[name.index("[") + 1 : -1] for name in own}
    pairs = {(number, pid) for number, pid in listed() if number in numbers}
    return Belongings(frozenset(own), frozenset(identities), frozenset(pairs))


def exists(identity: census.Identity) -> bool:
    """True while the process is in ``/proc``, be it as a zombie."""
    process = census.describe(identity.pid)
    return process is not None and process.started == identity.started


def listed() -> set[tuple[str, str]]:
    """Every namespace of the machine with its first process, as ``lsns`` lists them."""
    command = ["lsns", "-n", "-r", "-o", "NS,PID"]
    while True:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        # It gives up when a process ends while it looks: ask again.
        if done.returncode == 0:
            rows = (line.split() for line in done.stdout.splitlines())
            return {(number, pid) for number, pid in rows}


def machine() -> tuple[str, list[str]]:
    """Mounts and interfaces of the machine itself."""
    interfaces = Path("/proc/net/dev").read_text().splitlines()
    return Path("/proc/self/mounts").read_text(), sorted(i.split(":")[0] for i in interfaces)


def left_of(folder: Path) -> list[int]:
    """Processes of any world that is remembered below a folder."""
    wanted = f"TESTBED_WORLD={folder}/".encode()
    found = []
    for pid in census.pids():
        try:
            if wanted in Path(f"/proc/{pid}/environ").read_bytes():
                found.append(pid)
        except OSError:
            continue
    return found


def assert_gone(world: Belongings) -> None:
    """The kernel knows none of a world's processes and namespaces any more."""
    eventually(lambda: not world.left(), "nothing of the world is left")


def busy(world: NamespaceWorld) -> None:
    """Leave programs running in the world, daemons and orphans among them."""
    for node in (NODE, "us-east-lb1", "wan"):
        script = "for i in 1 2 3; do (setsid sleep 1000 &); done; (sleep 0.1 &)"
        quiet = "{ " + script + "; } >/dev/null 2>&1"
        assert world.execute(node, ["sh", "-c", quiet]).returncode == 0


def test_a_node_has_its_own_name_address_folders_and_processes(make_world: Make) -> None:
    world = make_world()
    script = "hostname; cat /etc/hosts; ls /srv /run /dev/shm; ps -e -o pid= -o comm= | head -1"
    said = world.execute(NODE, ["sh", "-c", script]).stdout.decode()
    assert said.splitlines()[0] == NODE
    assert "10.77.3.11 us-east-lb1" in said
    assert "/srv:\nlog\n" in said
    world.execute(NODE, ["sh", "-c", "echo here > /srv/log/program.log; echo x > /srv/private"])
    assert (world.logs / NODE / "program.log").read_text() == "here\n"
    assert world.execute("us-east-db1", ["test", "-e", "/srv/private"]).returncode == 1
    assert not Path("/srv/private").exists()


def test_names_are_found_and_unknown_ones_fail_at_once(make_world: Make) -> None:
    world = make_world()
    began = time.monotonic()
    assert world.execute(NODE, ["getent", "hosts", "us-east-db1"]).stdout.startswith(b"10.77.3.10")
    assert world.execute(NODE, ["getent", "hosts", "unknown.example"]).returncode == 2
    assert time.monotonic() - began < 3


def test_processes_are_those_of_the_node_and_can_be_signalled(make_world: Make) -> None:
    world = make_world()
    assert world.processes(NODE) == ()
    busy(world)
    eventually(lambda: len(world.processes(NODE)) == 3, "the short-lived orphan was reaped")
    sleepers = world.processes(NODE)
    assert {process.argv for process in sleepers} == {("sleep", "1000")}
    assert len(world.processes("eu-central-db1")) == 0
    eventually(lambda: len(world.processes("wan")) == 3, "the wan's too")

    world.signal(sleepers, signal.SIGSTOP)
    eventually(lambda: {one.state for one in world.processes(NODE)} == {"T"}, "all are stopped")
    world.signal(sleepers, signal.SIGCONT)
    eventually(lambda: {one.state for one in world.processes(NODE)} == {"S"}, "all go on")
    world.signal(sleepers, signal.SIGKILL)
    eventually(lambda: world.processes(NODE) == (), "all are gone, reaped by the node's init")
    assert world.signal(sleepers, signal.SIGKILL) == ()


def test_a_command_that_does_not_end_is_killed_with_its_children(make_world: Make) -> None:
    world = make_world()
    with pytest.raises(WorldError, match=r"did not end within 0\.3 s"):
        world.execute(NODE, ["sh", "-c", "sleep 1000 & sleep 1000"], timeout_s=0.3)
    eventually(lambda: world.processes(NODE) == (), "nothing of it is left")


def test_a_program_that_stays_must_not_hold_the_output(make_world: Make) -> None:
    world = make_world()
    with pytest.raises(WorldError, match="redirect the output"):
        world.execute(NODE, ["sh", "-c", "setsid sleep 1000 &"], timeout_s=0.5)


def test_environment_stdin_and_exit_code_of_a_command(make_world: Make) -> None:
    world = make_world()
    done = world.execute(
        NODE, ["sh", "-c", 'cat; echo "$A" >&2; exit 7'], stdin=b"in", env={"A": "b"}
    )
    assert (done.returncode, done.stdout, done.stderr) == (7, b"in", b"b\n")


def test_golden_folders_show_through_and_stay_unchanged(make_world: Make, tmp_path: Path) -> None:
    golden = tmp_path / "golden"
    (golden / "data" / "deep").mkdir(parents=True)
    (golden / "data" / "deep" / "file").write_text("golden")
    (golden / "data").chmod(0o700)
    world = make_world(lowers={NODE: golden, "wan": golden})
    script = "cat /srv/data/deep/file; rm -r /srv/data; mkdir /srv/data; ls -A /srv/data"
    done = world.execute(NODE, ["sh", "-c", script])
    assert (done.stdout, done.stderr) == (b"golden", b"")
    assert world.execute("wan", ["cat", "/srv/data/deep/file"]).stdout == b"golden"
    assert (golden / "data" / "deep" / "file").read_text() == "golden"
    assert sorted(path.name for path in golden.iterdir()) == ["data"]


def test_down_leaves_nothing(make_world: Make, tmp_path: Path) -> None:
    before = machine()
    world = make_world()
    busy(world)
    had = belongings(world)
    assert len(had.processes) > 15
    assert len(had.namespaces) == len(had.listed) > 30
    began = time.monotonic()
    world.down()
    assert time.monotonic() - began < 5
    assert_gone(had)
    assert machine() == before
    assert not (tmp_path / "worlds" / "one").exists()
    assert not world.alive()
    world.down()


def test_sigkill_of_process_1_leaves_nothing(make_world: Make, tmp_path: Path) -> None:
    before = machine()
    world = make_world()
    busy(world)
    had = belongings(world)
    os.kill(world.pid("wan"), signal.SIGKILL)
    eventually(lambda: not world.alive(), "process 1 ended")
    assert_gone(had)
    assert machine() == before
    with pytest.raises(WorldError, match="has ended"):
        world.execute(NODE, ["true"])
    with pytest.raises(WorldError, match="testbed down one"):
        open_world("one", folder=tmp_path / "worlds")
    assert clean(folder=tmp_path / "worlds") == ("one",)
    assert list_worlds(folder=tmp_path / "worlds") == ()


CREATOR = """
import json, sys, time
from pathlib import Path
from testbed.topology.document import from_document
from testbed.world.namespaces import Owner, create
arguments = json.loads(sys.argv[1])
world = create(
    arguments["name"],
    from_document(arguments["deployment"]).topology,
    logs=Path(arguments["folder"], "logs"),
    folder=Path(arguments["folder"], "worlds"),
    owner=Owner(arguments["owner"]),
)
print("created", flush=True)
time.sleep(1000)
"""


def creator(folder: Path, owner: Owner, name: str = "one") -> subprocess.Popen[bytes]:
    """A process of its own that creates a world and waits."""
    arguments = {
        "name": name,
        "folder": str(folder),
        "owner": owner.value,
        "deployment": to_document(Deployment("test", Path(), three_regions(), {})),
    }
    return subprocess.Popen(
        [sys.executable, "-c", CREATOR, json.dumps(arguments)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": python_path()},
    )


def test_sigkill_of_the_runner_leaves_nothing(tmp_path: Path) -> None:
    before = machine()
    with creator(tmp_path, Owner.RUNNER) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"created\n"
        world = open_world("one", folder=tmp_path / "worlds")
        busy(world)
        had = belongings(world)
        process.kill()
        process.wait()
        assert_gone(had)
    assert machine() == before
    assert clean(folder=tmp_path / "worlds") == ("one",)


def test_a_detached_world_outlives_its_creator(tmp_path: Path) -> None:
    with creator(tmp_path, Owner.DETACHED) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"created\n"
        process.kill()
        process.wait()
    world = open_world("one", folder=tmp_path / "worlds")
    assert world.owner is Owner.DETACHED
    assert world.topology == three_regions()
    assert world.execute(NODE, ["hostname"]).stdout.decode().strip() == NODE
    had = belongings(world)
    world.down()
    assert_gone(had)


@pytest.mark.parametrize("owner", list(Owner))
def test_a_creator_killed_at_any_moment_leaves_nothing(tmp_path: Path, owner: Owner) -> None:
    before = machine()
    for step in range(12):
        name = f"w{step}"
        with creator(tmp_path, owner, name) as process:
            eventually((tmp_path / "worlds" / name).exists, "the name was claimed")
            time.sleep(step * 0.02)
            process.kill()
            process.wait()
        if owner is Owner.DETACHED:
            # Either it was remembered and can be ended, or it is gone.
            for world in list_worlds(folder=tmp_path / "worlds"):
                world.down()
    eventually(lambda: not left_of(tmp_path / "worlds"), "no process of a world is left")
    assert machine() == before
    clean(folder=tmp_path / "worlds")
    assert list_worlds(folder=tmp_path / "worlds") == ()


def test_two_worlds_side_by_side_have_the_same_addresses(make_world: Make) -> None:
    one, two = make_world("one"), make_world("two")
    had = [belongings(world) for world in (one, two)]
    assert not had[0].namespaces & had[1].namespaces
    for world in (one, two):
        address = world.execute(NODE, ["hostname", "-I"]).stdout.decode().strip()
        assert address == "10.77.1.10"
    one.down()
    assert_gone(had[0])
    assert two.execute(NODE, ["true"]).returncode == 0


def test_a_name_in_use_is_refused_and_a_dead_one_is_free(make_world: Make) -> None:
    first = make_world("same")
    with pytest.raises(WorldError, match=r"already runs .* `testbed down same`"):
        make_world("same")
    assert first.alive()
    os.kill(first.pid("wan"), signal.SIGKILL)
    eventually(lambda: not first.alive(), "the first ended")
    second = make_world("same")
    first.down()
    assert second.alive()


def test_of_several_that_create_one_name_at_once_one_wins(tmp_path: Path) -> None:
    worlds: list[NamespaceWorld] = []
    refusals: list[WorldError] = []

    def attempt(number: int) -> None:
        try:
            made = create(
                "one",
                three_regions(),
                logs=tmp_path / f"logs{number}",
                folder=tmp_path / "worlds",
            )
            worlds.append(made)
        except WorldError as error:
            refusals.append(error)

    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        assert (len(worlds), len(refusals)) == (1, 4)
        assert all("already" in str(refusal) for refusal in refusals)
        assert worlds[0].execute(NODE, ["true"]).returncode == 0
    finally:
        worlds[0].down()


def test_a_process_of_the_same_number_is_not_the_world(make_world: Make, tmp_path: Path) -> None:
    world = make_world()
    remembered = state.read(tmp_path / "worlds", "one")
    assert remembered.process1 is not None
    stranger = census.Identity(os.getpid(), remembered.process1.started, census.boot())
    census.kill(stranger)  # This very test goes on: the start time did not fit.
    assert world.alive()


def test_a_refused_mount_names_the_node_and_leaves_nothing(
    make_world: Make, tmp_path: Path
) -> None:
    before = machine()
    golden = tmp_path / "golden"
    golden.mkdir()
    (golden / "log").write_text("a file where the folder of logs is mounted")
    with pytest.raises(WorldError, match=r"us-east-db1: .*File exists"):
        make_world(lowers={"us-east-db1": golden})
    eventually(lambda: not left_of(tmp_path / "worlds"), "no process of the world is left")
    assert machine() == before
    assert list_worlds(folder=tmp_path / "worlds") == ()
