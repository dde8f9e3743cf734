"""Worlds of real namespaces, and sockets of their nodes held by the test itself."""

from __future__ import annotations

import array
import contextlib
import ctypes
import json
import os
import pickle
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from testbed.toolchain.programs import locate
from testbed.topology.document import to_document
from testbed.topology.model import Deployment, Link, Node, Region, Topology
from testbed.world.entry import namespace
from testbed.world.namespaces import NamespaceWorld, create
from testbed.world.wan import Wan

PORT = 7400
"""The one TCP port that other regions may reach."""

ROOT = Path(__file__).parents[3]


def three_regions(delays_ms: dict[tuple[str, str], float] | None = None) -> Topology:
    regions = tuple(
        Region(name, "EU" if name.startswith("eu") else "US", number)
        for number, name in enumerate(("eu-west", "eu-central", "us-east"), 1)
    )
    links = tuple(
        Link(a.name, b.name, (delays_ms or {}).get((a.name, b.name), 0.0))
        for a in regions
        for b in regions
        if a is not b
    )
    nodes = tuple(
        Node(f"{region.name}-{kind}1", region.name, f"10.77.{region.number}.{last}", frozenset(), p)
        for region in regions
        for kind, last, p in (("db", 10, (PORT,)), ("lb", 11, ()))
    )
    return Topology(regions, links, nodes)


class Stage:
    """A provisioned world: Toxiproxy runs, rules and listeners are in place."""

    def __init__(self, world: NamespaceWorld) -> None:
        self.world = world
        self.topology = world.topology

    def wan(self, action: Callable[[Any], Any]) -> Any:
        """Run an action on a ``Wan`` in the wan's network namespace."""

        def act() -> Any:
            return action(Wan(self.topology))

        return inside(self.world.pid("wan"), act)

    def endpoint(self, node: str, kind: int = socket.SOCK_STREAM) -> socket.socket:
        """A socket that belongs to a node's network namespace."""
        return socket_of(self.world.pid(node), kind)

    def listen(self, node: str, port: int = PORT) -> socket.socket:
        listener = self.endpoint(node)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("0.0.0.0", port))
        listener.listen()
        listener.settimeout(10)
        return listener

    def connect(self, source: str, target: str, port: int = PORT) -> socket.socket:
        client = self.endpoint(source)
        client.settimeout(10)
        try:
            client.connect((self.topology.node(target).address, port))
        except OSError:
            client.close()
            raise
        return client

    @contextlib.contextmanager
    def pair(self, source: str, target: str) -> Iterator[tuple[socket.socket, socket.socket]]:
        """An open connection across the wan: the end that opened it and the other."""
        with self.listen(target) as listener, self.connect(source, target) as client:
            server, _ = listener.accept()
            with server:
                server.settimeout(10)
                yield client, server


def inside(pid: int, action: Callable[[], Any]) -> Any:
    """The result of an action in a child that has entered the user and network namespaces."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _enter(pid)
            answer: tuple[bool, Any] = (True, action())
        except BaseException as error:  # noqa: BLE001 - raised again in the parent
            answer = (False, error)
        with os.fdopen(writer, "wb") as pipe:
            pickle.dump(answer, pipe)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        done, result = pickle.load(pipe)
    os.waitpid(child, 0)
    if not done:
        raise result
    return result


def socket_of(pid: int, kind: int) -> socket.socket:
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        _enter(pid)
        made = socket.socket(socket.AF_INET, kind)
        rights = array.array("i", [made.fileno()])
        theirs.sendmsg([b"s"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        os._exit(0)
    with ours, theirs:
        _, ancillary, _, _ = ours.recvmsg(1, socket.CMSG_LEN(array.array("i").itemsize))
        os.waitpid(child, 0)
        handle = array.array("i", ancillary[0][2])[0]
    return socket.socket(fileno=handle)


def _enter(pid: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    for kind in ("user", "net"):
        if namespace(pid, kind) == namespace("self", kind):
            continue
        handle = os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY)
        if libc.setns(handle, 0) != 0:
            raise OSError(ctypes.get_errno(), f"setns {pid} {kind}")
        os.close(handle)


def eventually(condition: Callable[[], Any], what: str, timeout_s: float = 10.0) -> Any:
    """Wait for a condition with a deadline; what it returned."""
    deadline = time.monotonic() + timeout_s
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s:g} s: {what}")
        time.sleep(0.01)
    return result


def apply(world: NamespaceWorld, *arguments: str) -> dict[str, Any]:
    """Run the wan's apply program as the role does."""
    deployment = Deployment("test", Path(), world.topology, {})
    done = world.execute(
        "wan",
        [sys.executable, "-m", "testbed.world.wan_apply", *arguments],
        stdin=json.dumps(to_document(deployment)).encode(),
        env={"PYTHONPATH": python_path()},
    )
    answer = json.loads(done.stdout)
    assert isinstance(answer, dict)
    assert done.returncode == (3 if "error" in answer else 0), done.stderr
    return answer


def python_path() -> str:
    """Where a Python on a node finds this very testbed."""
    return os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])


def run_toxiproxy(world: NamespaceWorld) -> subprocess.Popen[bytes]:
    program = locate("toxiproxy-server").path
    with (world.logs / "wan" / "toxiproxy.log").open("wb") as log:
        process = subprocess.Popen(
            world.argv("wan", [str(program), "-host=127.0.0.1", "-port=8474"]),
            stdout=log,
            stderr=log,
        )
    eventually(lambda: inside(world.pid("wan"), _answers), "Toxiproxy answers")
    return process


def _answers() -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", 8474)) == 0


@contextlib.contextmanager
def staged(name: str, topology: Topology, folder: Path) -> Iterator[Stage]:
    world = create(name, topology, logs=folder / "logs", folder=folder / "worlds")
    try:
        process = run_toxiproxy(world)
        assert apply(world)["changed"]
        yield Stage(world)
    finally:
        world.down()
        process.wait(10)


@pytest.fixture
def topology() -> Topology:
    return three_regions()


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Callable[..., NamespaceWorld]]:
    """Creates worlds below the test's folder and ends them."""
    worlds: list[NamespaceWorld] = []

    def make(name: str = "one", **arguments: Any) -> NamespaceWorld:
        arguments.setdefault("topology", three_regions())
        arguments.setdefault("logs", tmp_path / "logs" / name)
        worlds.append(create(name, folder=tmp_path / "worlds", **arguments))
        return worlds[-1]

    yield make
    for world in worlds:
        world.down()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One provisioned world a module, with no delay on its links; healed after each test."""
    with staged("stage", three_regions(), tmp_path_factory.mktemp("stage")) as made:
        yield made


@pytest.fixture(autouse=True)
def _healed(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "stage" in request.fixturenames:
        made: Stage = request.getfixturevalue("stage")
        made.wan(lambda wan: wan.agree())
