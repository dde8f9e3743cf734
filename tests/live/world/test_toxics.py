"""Each toxic does to real bytes what it says, on one directed link only."""

from __future__ import annotations

import socket
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.world.namespaces import create
from testbed.world.protocol import WorldError
from testbed.world.toxics import Toxic

from .conftest import Stage, staged, three_regions

WEST, EAST = "eu-west", "us-east"
A, B = "eu-west-db1", "us-east-db1"
A_TO_B, B_TO_A = (WEST, EAST), (EAST, WEST)


def one_way_ms(sender: socket.socket, receiver: socket.socket, size: int = 1) -> float:
    """How long a message takes from one end of a connection to the other."""
    began = time.monotonic()
    sender.sendall(bytes(size))
    left = size
    while left:
        piece = receiver.recv(left)
        assert piece, "the connection was closed"
        left -= len(piece)
    return (time.monotonic() - began) * 1000


def median_ms(sender: socket.socket, receiver: socket.socket, count: int = 15) -> float:
    return statistics.median(one_way_ms(sender, receiver) for _ in range(count))


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A world whose links have different delays in their two directions."""
    delays = {A_TO_B: 40.0, B_TO_A: 15.0}
    with staged("far", three_regions(delays), tmp_path_factory.mktemp("far")) as made:
        yield made


@pytest.mark.parametrize(("opener", "other"), [(A, B), (B, A)])
def test_a_links_delay_holds_in_its_direction_whoever_connected(
    far: Stage, opener: str, other: str
) -> None:
    with far.pair(opener, other) as (client, server):
        a, b = (client, server) if opener == A else (server, client)
        assert 40 <= median_ms(a, b) < 43
        assert 15 <= median_ms(b, a) < 18


def test_latency_of_a_fault_adds_to_the_links_own(far: Stage) -> None:
    with far.pair(A, B) as (a, b):
        far.wan(lambda wan: wan.add_toxic(A_TO_B, Toxic("storm", "latency", {"delay_ms": 60})))
        assert 100 <= median_ms(a, b) < 104
        assert 15 <= median_ms(b, a) < 18
        assert far.wan(lambda wan: wan.remove_toxic(A_TO_B, "storm"))
        assert 40 <= median_ms(a, b) < 43


def test_jitter_spreads_the_delays(stage: Stage) -> None:
    toxic = Toxic("jitter", "latency", {"delay_ms": 40, "jitter_ms": 30})
    stage.wan(lambda wan: wan.add_toxic(A_TO_B, toxic))
    with stage.pair(A, B) as (a, b):
        delays = [one_way_ms(a, b) for _ in range(40)]
        assert 9 <= min(delays) < 25
        assert 55 < max(delays) < 80


def test_bandwidth_limits_one_direction(stage: Stage) -> None:
    toxic = Toxic("narrow", "bandwidth", {"rate_kbytes_s": 500})
    stage.wan(lambda wan: wan.add_toxic(A_TO_B, toxic))
    with stage.pair(A, B) as (a, b):
        assert one_way_ms(b, a, 500_000) < 500
        assert 800 < one_way_ms(a, b, 500_000) < 1600


def test_slow_close_delays_the_end(stage: Stage) -> None:
    stage.wan(lambda wan: wan.add_toxic(A_TO_B, Toxic("slow", "slow_close", {"delay_ms": 500})))
    with stage.pair(A, B) as (a, b):
        a.close()
        began = time.monotonic()
        assert b.recv(1) == b""
        assert 0.4 < time.monotonic() - began < 1.5


def test_timeout_swallows_bytes_then_closes(stage: Stage) -> None:
    with stage.pair(A, B) as (a, b):
        stage.wan(lambda wan: wan.add_toxic(A_TO_B, Toxic("t", "timeout", {"timeout_ms": 500})))
        began = time.monotonic()
        a.sendall(b"swallowed")
        assert b.recv(1) == b""
        assert 0.3 < time.monotonic() - began < 1.5


def test_timeout_without_end_closes_when_it_is_removed(stage: Stage) -> None:
    with stage.pair(A, B) as (a, b):
        stage.wan(lambda wan: wan.add_toxic(A_TO_B, Toxic("t", "timeout", {"timeout_ms": 0})))
        a.sendall(b"swallowed")
        b.settimeout(0.6)
        with pytest.raises(TimeoutError):
            b.recv(1)
        stage.wan(lambda wan: wan.remove_toxic(A_TO_B, "t"))
        b.settimeout(5)
        assert b.recv(1) == b""


def test_reset_peer_resets_connections_opened_after_it(stage: Stage) -> None:
    stage.wan(lambda wan: wan.add_toxic(A_TO_B, Toxic("r", "reset_peer", {"timeout_ms": 200})))
    with stage.pair(A, B) as (a, b):
        a.sendall(b"x")
        with pytest.raises(ConnectionResetError):
            a.recv(1)
        with pytest.raises(ConnectionResetError):
            b.recv(1)


def test_reset_peer_closes_open_connections_at_their_next_bytes(stage: Stage) -> None:
    with stage.pair(A, B) as (a, b):
        stage.wan(lambda wan: wan.add_toxic(A_TO_B, Toxic("r", "reset_peer", {"timeout_ms": 0})))
        a.sendall(b"x")
        assert b.recv(1) == b""


def test_slicer_cuts_messages_into_pieces(stage: Stage) -> None:
    parameters = {"average_size_bytes": 10, "size_variation_bytes": 0, "delay_us": 20_000}
    stage.wan(lambda wan: wan.add_toxic(A_TO_B, Toxic("slicer", "slicer", parameters)))
    with stage.pair(A, B) as (a, b):
        a.sendall(bytes(100))
        pieces: list[int] = []
        while sum(pieces) < 100:
            pieces.append(len(b.recv(100)))
        assert len(pieces) >= 5


def test_limit_data_closes_after_so_many_bytes(stage: Stage) -> None:
    stage.wan(lambda wan: wan.add_toxic(A_TO_B, Toxic("l", "limit_data", {"limit_bytes": 1000})))
    with stage.pair(A, B) as (a, b):
        a.sendall(bytes(5000))
        got = 0
        while piece := b.recv(5000):
            got += len(piece)
        assert got == 1000


def test_toxics_are_listed_by_link_and_removed_by_name(far: Stage) -> None:
    own = Toxic("link-latency", "latency", {"delay_ms": 40, "jitter_ms": 0})
    added = Toxic("narrow", "bandwidth", {"rate_kbytes_s": 100})
    assert far.wan(lambda wan: wan.toxics(A_TO_B)) == (own,)
    far.wan(lambda wan: wan.add_toxic(A_TO_B, added))
    assert far.wan(lambda wan: wan.toxics(A_TO_B)) == (own, added)
    assert [one.name for one in far.wan(lambda wan: wan.toxics(B_TO_A))] == ["link-latency"]
    reading = far.wan(lambda wan: wan.readings())[1]
    assert ((reading.source, reading.target), reading.toxics) == (A_TO_B, (own, added))
    with pytest.raises(WorldError, match="on eu-west->us-east already"):
        far.wan(lambda wan: wan.add_toxic(A_TO_B, added))
    with pytest.raises(WorldError, match="belong to the inventory"):
        far.wan(lambda wan: wan.add_toxic(A_TO_B, own))
    with pytest.raises(WorldError, match="no such link: eu-west->mars"):
        far.wan(lambda wan: wan.add_toxic((WEST, "mars"), added))
    assert far.wan(lambda wan: wan.remove_toxic(A_TO_B, "narrow"))
    assert not far.wan(lambda wan: wan.remove_toxic(A_TO_B, "narrow"))
    assert far.wan(lambda wan: wan.toxics(A_TO_B)) == (own,)


def test_without_toxiproxy_the_error_says_what_to_do(tmp_path: Path) -> None:
    world = create("bare", three_regions(), logs=tmp_path / "logs", folder=tmp_path / "worlds")
    try:
        bare = Stage(world)
        with pytest.raises(WorldError, match=r"Toxiproxy does not answer on 127\.0\.0\.1:8474"):
            bare.wan(lambda wan: wan.toxics(A_TO_B))
        with pytest.raises(WorldError, match="is the wan of this world provisioned"):
            bare.wan(lambda wan: wan.cut([A_TO_B]))
    finally:
        world.down()
