"""A cut stops every byte of its direction, on every leg, and nothing else."""

from __future__ import annotations

import array
import contextlib
import fcntl
import select
import socket
import termios
import threading
import time
from collections.abc import Iterator

import pytest

from testbed.world.addressing import listeners
from testbed.world.protocol import WorldError
from testbed.world.toxics import Toxic

from .conftest import PORT, Stage, eventually

WEST, EAST, CENTRAL = "eu-west", "us-east", "eu-central"
A, B, C = "eu-west-db1", "us-east-db1", "eu-central-db1"
A_TO_B, B_TO_A = (WEST, EAST), (EAST, WEST)
QUIET_S = 0.8
"""Longer than several retransmissions of a fresh connection."""


def silent(receiver: socket.socket, seconds: float = QUIET_S) -> bool:
    """True when nothing can be read for that time."""
    return not select.select([receiver], [], [], seconds)[0]


def receive(receiver: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = receiver.recv(size - len(data))
        assert piece, "the connection was closed"
        data += piece
    return data


@contextlib.contextmanager
def datagrams(stage: Stage) -> Iterator[tuple[socket.socket, socket.socket]]:
    """UDP sockets of A and of B."""
    kind = socket.SOCK_DGRAM
    with stage.endpoint(A, kind) as a, stage.endpoint(B, kind) as b:
        for one in (a, b):
            one.bind(("0.0.0.0", 8301))
            one.settimeout(5)
        yield a, b


@pytest.mark.parametrize("opener", ["sender", "receiver"])
def test_one_way_cut_on_an_open_connection(stage: Stage, opener: str) -> None:
    ends = (A, B) if opener == "sender" else (B, A)
    with stage.pair(*ends) as (client, server):
        a, b = (client, server) if opener == "sender" else (server, client)
        a.sendall(b"before")
        assert receive(b, 6) == b"before"
        b.sendall(b"echo")
        assert receive(a, 4) == b"echo"

        stage.wan(lambda wan: wan.cut([A_TO_B]))
        delivered = _delivered(stage, A_TO_B)
        a.sendall(b"during")
        b.sendall(b"against the cut")
        assert receive(a, 15) == b"against the cut"
        assert silent(b)
        assert stage.wan(lambda wan: wan.dropped(A_TO_B)).packets > 0
        assert stage.wan(lambda wan: wan.dropped(B_TO_A)).packets == 0
        assert _delivered(stage, A_TO_B) == delivered

        dropped = stage.wan(lambda wan: wan.heal([A_TO_B]))
        assert dropped[A_TO_B].packets > 0
        assert receive(b, 6) == b"during"
        a.sendall(b"after")
        assert receive(b, 5) == b"after"


@pytest.mark.parametrize("opener", ["sender", "receiver"])
def test_what_toxiproxy_holds_stays_there(stage: Stage, opener: str) -> None:
    slow = Toxic("slow", "latency", {"delay_ms": 700})
    with stage.pair(*((A, B) if opener == "sender" else (B, A))) as (client, server):
        a, b = (client, server) if opener == "sender" else (server, client)
        stage.wan(lambda wan: wan.add_toxic(A_TO_B, slow))
        a.sendall(b"held")
        # Toxiproxy has acknowledged it once nothing is left in the sender's queue.
        eventually(lambda: _unacknowledged(a) == 0, "Toxiproxy took the bytes")
        stage.wan(lambda wan: wan.cut([A_TO_B]))
        assert silent(b, 2.0)
        stage.wan(lambda wan: wan.heal([A_TO_B]))
        assert receive(b, 4) == b"held"


def test_the_other_direction_flows_until_its_window_is_full(stage: Stage) -> None:
    with stage.pair(A, B) as (a, b):
        stage.wan(lambda wan: wan.cut([A_TO_B]))
        b.setblocking(False)
        sent = received = 0
        idle_since = time.monotonic()
        a.setblocking(False)
        while time.monotonic() - idle_since < QUIET_S:
            with contextlib.suppress(BlockingIOError):
                sent += b.send(bytes(65536))
            with contextlib.suppress(BlockingIOError):
                received += len(a.recv(65536))
                idle_since = time.monotonic()
        # Some arrived, then the lost acknowledgements stopped the sender.
        assert 0 < received < sent


def test_two_way_cut_on_an_open_connection(stage: Stage) -> None:
    with stage.pair(A, B) as (a, b):
        stage.wan(lambda wan: wan.cut([A_TO_B, B_TO_A]))
        a.sendall(b"ping")
        b.sendall(b"pong")
        assert silent(a)
        assert silent(b)
        assert set(stage.wan(lambda wan: wan.cuts())) == {A_TO_B, B_TO_A}
        stage.wan(lambda wan: wan.heal([A_TO_B, B_TO_A]))
        assert receive(b, 4) == b"ping"
        assert receive(a, 4) == b"pong"


@pytest.mark.parametrize(("source", "target"), [(A, B), (B, A)])
def test_one_way_cut_forbids_new_connections_both_ways(
    stage: Stage, source: str, target: str
) -> None:
    with stage.listen(target) as listener, stage.endpoint(source) as client:
        stage.wan(lambda wan: wan.cut([A_TO_B]))
        client.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.connect((stage.topology.node(target).address, PORT))
        assert not select.select([listener], [client], [], QUIET_S)[1]
        assert silent(listener, 0)
        stage.wan(lambda wan: wan.heal([A_TO_B]))
        # The next retransmission of the SYN gets through: nothing was refused.
        assert select.select([], [client], [], 10)[1]
        assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        server, _ = listener.accept()
        server.close()


def test_one_way_cut_for_datagrams(stage: Stage) -> None:
    with datagrams(stage) as (a, b):
        a.sendto(b"before", (stage.topology.node(B).address, 8301))
        assert b.recv(100) == b"before"
        stage.wan(lambda wan: wan.cut([A_TO_B]))
        a.sendto(b"lost", (stage.topology.node(B).address, 8301))
        b.sendto(b"passes", (stage.topology.node(A).address, 8301))
        assert a.recv(100) == b"passes"
        assert silent(b)
        assert stage.wan(lambda wan: wan.dropped(A_TO_B)).packets >= 1
        stage.wan(lambda wan: wan.heal([A_TO_B]))
        a.sendto(b"after", (stage.topology.node(B).address, 8301))
        assert b.recv(100) == b"after"


def test_the_third_region_and_the_own_region_notice_nothing(stage: Stage) -> None:
    stage.wan(lambda wan: wan.cut([A_TO_B, B_TO_A]))
    for source, target in ((A, C), (C, B), ("us-east-lb1", B)):
        with stage.pair(source, target) as (client, server):
            client.sendall(b"hello")
            assert receive(server, 5) == b"hello"


def test_the_runner_reaches_every_region_during_a_cut(stage: Stage) -> None:
    stage.wan(lambda wan: wan.cut([A_TO_B, B_TO_A]))
    for node in (A, B, C):
        with stage.listen(node) as listener, stage.endpoint("wan") as client:
            client.settimeout(5)
            client.connect((stage.topology.node(node).address, PORT))
            server, address = listener.accept()
            server.close()
            assert address[0] == stage.topology.region(stage.topology.node(node).region).gateway


def test_connections_survive_a_cut_of_twenty_seconds(stage: Stage) -> None:
    with stage.pair(A, B) as (a, b), datagrams(stage):
        both = [A_TO_B, B_TO_A]
        stage.wan(lambda wan: wan.cut(both))
        a.sendall(b"request")
        b.sendall(b"response")
        assert silent(b, 20)
        assert silent(a, 0)
        healed = time.monotonic()
        stage.wan(lambda wan: wan.heal(both))
        a.settimeout(40)
        b.settimeout(40)
        assert receive(b, 7) == b"request"
        assert receive(a, 8) == b"response"
        # Retransmission doubles its wait: the next one comes within the time that the cut held.
        assert time.monotonic() - healed < 30
        b.sendall(b"again")
        assert receive(a, 5) == b"again"


def test_many_connections_at_once_are_cut_and_healed_together(stage: Stage) -> None:
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(stage.listen(B))
        clients, servers = [], []
        for _ in range(20):
            clients.append(stack.enter_context(stage.connect(A, B)))
            servers.append(stack.enter_context(listener.accept()[0]))
        stage.wan(lambda wan: wan.cut([A_TO_B]))
        for client in clients:
            client.sendall(b"x")
        assert not select.select(servers, [], [], QUIET_S)[0]
        stage.wan(lambda wan: wan.heal([A_TO_B]))
        for server in servers:
            server.settimeout(10)
            assert receive(server, 1) == b"x"


def test_a_stream_loses_and_doubles_nothing_over_many_short_cuts(stage: Stage) -> None:
    content = bytes(range(256)) * 4096
    with stage.pair(A, B) as (a, b):
        a.settimeout(60)
        b.settimeout(60)
        sender = threading.Thread(target=a.sendall, args=(content,))
        sender.start()
        got = bytearray()
        for _ in range(8):
            stage.wan(lambda wan: wan.cut([A_TO_B]))
            got += _drain(b)
            stage.wan(lambda wan: wan.heal([A_TO_B]))
            got += _drain(b)
        got += receive(b, len(content) - len(got))
        sender.join(60)
        assert bytes(got) == content


def test_cut_and_heal_are_idempotent_and_refuse_unknown_links(stage: Stage) -> None:
    stage.wan(lambda wan: wan.cut([A_TO_B]))
    stage.wan(lambda wan: wan.cut([A_TO_B]))
    assert list(stage.wan(lambda wan: wan.heal([A_TO_B, B_TO_A]))) == [A_TO_B]
    assert stage.wan(lambda wan: wan.heal([A_TO_B])) == {}
    with pytest.raises(WorldError, match="no such link: eu-west->mars, mars->eu-west"):
        stage.wan(lambda wan: wan.cut([A_TO_B, (WEST, "mars"), ("mars", WEST)]))
    assert stage.wan(lambda wan: wan.cuts()) == ()


def test_an_undeclared_port_is_refused_between_regions_only(stage: Stage) -> None:
    with stage.listen(B, 9999), pytest.raises(ConnectionRefusedError):
        stage.connect(A, B, 9999)
    with stage.listen(B, 9999), stage.connect("us-east-lb1", B, 9999):
        pass


def test_a_listener_of_another_link_is_no_way_around(stage: Stage) -> None:
    other = next(
        one for one in listeners(stage.topology) if (one.source, one.target) == (CENTRAL, EAST)
    )
    with stage.endpoint(A) as client:
        client.settimeout(5)
        with pytest.raises(ConnectionRefusedError):
            client.connect((other.gateway, other.port))


def _drain(receiver: socket.socket) -> bytes:
    data = b""
    while select.select([receiver], [], [], 0.05)[0] and len(data) < 65536:
        data += receiver.recv(16384)
    return data


def _delivered(stage: Stage, pair: tuple[str, str]) -> int:
    for reading in stage.wan(lambda wan: wan.readings()):
        if (reading.source, reading.target) == pair:
            return int(reading.delivered.packets)
    raise AssertionError(pair)


def _unacknowledged(one: socket.socket) -> int:
    size = array.array("i", [0])
    fcntl.ioctl(one, termios.TIOCOUTQ, size)
    return size[0]
