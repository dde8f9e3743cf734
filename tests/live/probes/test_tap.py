"""The tap and the search of nodes' files, in a world with Toxiproxy and nothing else."""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.history.residency import Canary, Finding, Found, OnWire, Searched
from testbed.probes.at_rest import search_at_rest
from testbed.probes.in_motion import search_in_motion
from testbed.probes.node_files import folders_of
from testbed.probes.patterns import patterns_of
from testbed.probes.protocols import CLIENT, DATAGRAMS, SERVER
from testbed.probes.tap import Tap
from testbed.toolchain.programs import locate
from testbed.workloads.canary import Canaries
from testbed.world.protocol import WorldError
from tests.live.world.conftest import PORT, Stage, eventually, staged, three_regions

pytestmark = pytest.mark.live

EU, US = "eu-west-db1", "us-east-db1"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged("tapped", three_regions(), tmp_path_factory.mktemp("tapped")) as made:
        yield made


@pytest.fixture
def canaries() -> Iterator[Canary]:
    source = Canaries(random.randrange(1 << 30))
    return iter(lambda: source.make("customers", "s", "r", jurisdiction="EU"), None)


CONSUL = "http://127.0.0.1:8500/v1/"
ASK = """
import sys
from urllib.request import Request, urlopen
request = Request(sys.argv[2], sys.argv[3].encode() or None, method=sys.argv[1])
print(urlopen(request, timeout=5).read().decode())
"""


@contextlib.contextmanager
def gossip(stage: Stage) -> Iterator[None]:
    """A Consul server in the EU and an agent in the US, which know each other."""
    with contextlib.ExitStack() as running:
        for node, how in ((EU, ["-server", "-bootstrap-expect=1"]), (US, [])):
            argv = [
                str(locate("consul").path), "agent", *how, f"-node={node}", "-data-dir=/srv/consul",
                f"-bind={stage.topology.node(node).address}", f"-serf-lan-port={PORT}",
                "-serf-wan-port=-1", "-dns-port=-1", "-grpc-port=-1",
                f"-retry-join={stage.topology.node(EU).address}:{PORT}",
            ]  # fmt: skip
            process = subprocess.Popen(stage.world.argv(node, argv), stdout=subprocess.DEVNULL)
            running.callback(process.wait, 20)
            running.callback(process.terminate)
        eventually(lambda: "us-east-db1" in ask(stage, EU, "GET", "agent/members"), "a member", 30)
        eventually(lambda: "8300" in ask(stage, EU, "GET", "status/leader"), "a leader", 30)
        yield


def ask(stage: Stage, node: str, method: str, path: str, body: str = "") -> str:
    """What a node's own Consul answers; empty when it does not."""
    argv = [sys.executable, "-c", ASK, method, CONSUL + path, body]
    return stage.world.execute(node, argv).stdout.decode()


def receive(connection: socket.socket, count: int) -> None:
    while count:
        count -= len(connection.recv(min(count, 1 << 20)))


def of(found: Found, canary: Canary) -> list[Finding]:
    return [finding for finding in found.findings if finding.canary == canary.token]


def looked(found: Found, link: str) -> Searched:
    return next(one for one in found.searched if one.place == link)


def test_every_byte_is_seen_once_on_its_own_link(
    stage: Stage, canaries: Iterator[Canary], tmp_path: Path
) -> None:
    asked, answered, datagram, silent = (next(canaries) for _ in range(4))
    tap = Tap.start(stage.world, tmp_path / "tap")
    with stage.pair(EU, US) as (client, server):
        client.sendall(bytes(100_000) + asked.token.encode())
        receive(server, 100_024)
        server.sendall(bytes(1000) + answered.token.encode())
        receive(client, 1024)
    with (
        stage.endpoint(US, socket.SOCK_DGRAM) as inlet,
        stage.endpoint(EU, socket.SOCK_DGRAM) as outlet,
    ):
        inlet.bind(("0.0.0.0", 9000))
        inlet.settimeout(10)
        outlet.sendto(datagram.token.encode(), (stage.topology.node(US).address, 9000))
        inlet.recv(100)
    tap.stop()
    patterns = patterns_of([asked, answered, datagram, silent])
    found = search_in_motion(tmp_path / "tap", stage.topology, patterns)
    seen = [
        (finding.where.link, finding.where.direction, finding.where.offset, finding.count)
        for canary in (asked, answered, datagram)
        for finding in of(found, canary)
        if isinstance(finding.where, OnWire)
    ]
    assert seen == [
        ("eu-west->us-east", CLIENT, 100_000, 1),
        ("us-east->eu-west", SERVER, 1000, 1),
        ("eu-west->us-east", DATAGRAMS, 0, 1),
    ]
    assert of(found, silent) == []
    assert len(found.searched) == 6
    assert not any(one.unsearchable for one in found.searched)
    assert looked(found, "eu-central->us-east").packets == 0
    assert looked(found, "eu-west->us-east").bytes == 100_048
    assert of(found, asked)[0].time_ns > 0


def test_what_a_cut_swallows_was_sent_all_the_same(
    stage: Stage, canaries: Iterator[Canary], tmp_path: Path
) -> None:
    canary = next(canaries)
    with stage.pair(EU, US) as (client, server):
        tap = Tap.start(stage.world, tmp_path / "tap")
        stage.wan(lambda wan: wan.cut([("eu-west", "us-east")]))
        client.sendall(canary.token.encode())
        stage.wan(lambda wan: wan.heal([("eu-west", "us-east")]))
        receive(server, 24)
        tap.stop()
    found = search_in_motion(tmp_path / "tap", stage.topology, patterns_of([canary]))
    assert [finding.count for finding in of(found, canary)] == [1]
    assert looked(found, "eu-west->us-east").unsearchable == ()


def test_an_encrypted_connection_is_never_clean(
    stage: Stage, canaries: Iterator[Canary], tmp_path: Path
) -> None:
    tap = Tap.start(stage.world, tmp_path / "tap")
    with stage.pair(EU, US) as (client, server):
        hello = ssl.MemoryBIO()
        engine = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), hello, server_hostname="x")
        with pytest.raises(ssl.SSLWantReadError):
            engine.do_handshake()
        sent = hello.read()
        client.sendall(sent)
        receive(server, len(sent))
    tap.stop()
    found = search_in_motion(tmp_path / "tap", stage.topology, patterns_of([next(canaries)]))
    (hidden,) = looked(found, "eu-west->us-east").unsearchable
    assert "TLS" in hidden.reason


def test_a_tap_that_was_killed_says_so(
    stage: Stage, canaries: Iterator[Canary], tmp_path: Path
) -> None:
    tap = Tap.start(stage.world, tmp_path / "tap")
    os.kill(tap._process.pid, signal.SIGKILL)
    with pytest.raises(WorldError, match="ended early"):
        tap.stop()
    found = search_in_motion(tmp_path / "tap", stage.topology, patterns_of([next(canaries)]))
    assert all(one.unsearchable[0].reason == "the tap ended early" for one in found.searched)


def test_a_tap_that_cannot_keep_up_says_so(
    stage: Stage, canaries: Iterator[Canary], tmp_path: Path
) -> None:
    tap = Tap.start(stage.world, tmp_path / "tap")
    os.kill(tap._process.pid, signal.SIGSTOP)
    with stage.pair(EU, US) as (client, server):
        for _ in range(200):
            client.sendall(bytes(1 << 20))
            receive(server, 1 << 20)
    os.kill(tap._process.pid, signal.SIGCONT)
    tap.stop()
    found = search_in_motion(tmp_path / "tap", stage.topology, patterns_of([next(canaries)]))
    reasons = {one.reason for one in looked(found, "eu-west->us-east").unsearchable}
    assert any("dropped" in reason for reason in reasons)


def test_an_event_of_consul_goes_abroad_and_into_no_file(
    stage: Stage, canaries: Iterator[Canary], tmp_path: Path
) -> None:
    plain, padded = next(canaries), next(canaries)
    payloads = (plain.token, "abcd" * 40 + padded.token + "abcd" * 40)
    with gossip(stage):
        tap = Tap.start(stage.world, tmp_path / "tap")
        for number, payload in enumerate(payloads):
            assert ask(stage, EU, "PUT", f"event/fire/told{number}", payload)
        told = re.compile(r"told\d")
        eventually(
            lambda: len(set(told.findall(ask(stage, US, "GET", "event/list")))) == len(payloads),
            "both are told",
            30,
        )
        tap.stop()
    written = patterns_of([plain, padded])
    found = search_in_motion(tmp_path / "tap", stage.topology, written)
    for canary in (plain, padded):
        assert "eu-west->us-east" in {
            one.where.link for one in of(found, canary) if isinstance(one.where, OnWire)
        }
    assert any("LZW" in one.where.inside for one in of(found, padded))
    assert search_at_rest(folders_of(stage.world), written).findings == ()


def test_the_files_of_every_node_are_read(stage: Stage, canaries: Iterator[Canary]) -> None:
    kept, unlinked, logged, elsewhere = (next(canaries) for _ in range(4))
    world = stage.world
    script = (
        f"mkdir -p /srv/a/b; echo x{kept.token} > /srv/a/b/file; "
        f"echo {logged.token} > /srv/log/one.log; "
        f"exec 9>/srv/held; echo {unlinked.token} >&9; rm /srv/held; echo ready; exec sleep 60"
    )
    with subprocess.Popen(world.argv(EU, ["sh", "-c", script]), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        written = patterns_of([kept, unlinked, logged, elsewhere])
        found = eventually(
            lambda: search_at_rest(folders_of(world), written), "the nodes were searched"
        )
        world.signal(world.processes(EU), signal.SIGKILL)
    places = {
        (finding.canary, finding.where.node, finding.where.file, finding.where.offset)
        for finding in found.findings
        if not isinstance(finding.where, OnWire)
    }
    assert places == {
        (kept.token, EU, "/srv/a/b/file", 1),
        (logged.token, EU, "/srv/log/one.log", 0),
        (unlinked.token, EU, "/srv/held (deleted)", 0),
    }
    assert [one.place for one in found.searched] == [node.name for node in world.topology.nodes]
    assert not any(one.unsearchable for one in found.searched)
