"""Replication streams of a real server, and Consul's own files, searched for canaries."""

from __future__ import annotations

import select
import socket
import subprocess
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from testbed.history.residency import Found
from testbed.probes.at_rest import search_at_rest
from testbed.probes.capture import Capture
from testbed.probes.flows import Flow
from testbed.probes.in_motion import _search_link
from testbed.probes.node_files import Folder
from testbed.probes.patterns import patterns_of
from testbed.probes.scanner import Scanner
from testbed.toolchain.programs import locate
from testbed.workloads.canary import Canaries
from tests.live.probes.conftest import Server
from tests.live.world.conftest import eventually

pytestmark = pytest.mark.live


def stream(server: Server, command: str, *, replication: str) -> bytes:
    """What a server sends to a replication client within a moment of silence."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(server.folder / ".s.PGSQL.5432"))
        names = f"user\0postgres\0database\0postgres\0replication\0{replication}\0\0".encode()
        client.sendall((len(names) + 8).to_bytes(4, "big") + (196608).to_bytes(4, "big") + names)
        query = command.encode() + b"\0"
        client.sendall(b"Q" + (len(query) + 4).to_bytes(4, "big") + query)
        received = b""
        while select.select([client], [], [], 1.0)[0]:
            part = client.recv(1 << 20)
            if not part:
                break
            received += part
    return received


def changes(server: Server, *options: str) -> bytes:
    """What a subscriber to the publication `telling` is sent; both it and its slot are dropped."""
    given = ", ".join(("proto_version '1'", "publication_names 'telling'", *options))
    command = f"START_REPLICATION SLOT telling LOGICAL 0/0 ({given})"
    sent = stream(server, command, replication="database")
    eventually(lambda: _dropped(server), "the slot is free")
    with server.connect() as connection:
        connection.execute("DROP PUBLICATION telling")
    return sent


def search(server: Server, data: bytes) -> Found:
    count = len(data)
    flow = Flow(1, 2, "tcp", 5432, 40000, np.frombuffer(data, np.uint8),
                np.array([0]), np.array([7]), 1, 0)  # fmt: skip
    every = [canary for canaries in server.planted.values() for canary in canaries]
    nothing = Capture(np.empty(0, np.uint8), np.empty((0, 10), np.int64), ())
    found = _search_link("eu->us", [flow], nothing, Scanner(patterns_of(every)), 0)
    assert found.searched[0].bytes == count
    return found


def test_a_physical_stream_is_read_as_the_log_that_it_is(server: Server) -> None:
    with server.connect() as connection:
        row = connection.execute("SELECT pg_current_wal_lsn()::text").fetchone()
        assert row is not None
        connection.execute("CREATE TABLE sent (id serial PRIMARY KEY, t text)")
        for canary in server.plant("sent plainly"):
            connection.execute("INSERT INTO sent (t) VALUES (%s)", (canary.token,))
        for canary in server.plant("sent compressed"):
            text = "abcdefgh" * 200 + canary.token + "xyz" * 300
            connection.execute("INSERT INTO sent (t) VALUES (%s)", (text,))
    high, low = row[0].split("/")
    start = f"{high}/{int(low, 16) & ~0x1FFF:X}"
    data = stream(server, f"START_REPLICATION PHYSICAL {start}", replication="true")
    found = search(server, data)
    for purpose in ("sent plainly", "sent compressed"):
        tokens = {canary.token for canary in server.planted[purpose]}
        assert tokens <= {finding.canary for finding in found.findings}
    assert any("physical replication" in finding.how for finding in found.findings)


def test_a_logical_stream_names_its_changes(server: Server) -> None:
    with server.connect() as connection:
        connection.execute("CREATE TABLE told (id serial PRIMARY KEY, t text, hidden text)")
        connection.execute("CREATE PUBLICATION telling FOR TABLE told (id, t) WHERE (id <= 5)")
        connection.execute("SELECT pg_create_logical_replication_slot('telling', 'pgoutput')")
        told, filtered = server.plant("told", 5), server.plant("filtered", 5)
        hidden = server.plant("hidden", 10)
        for canary, secret in zip([*told, *filtered], hidden, strict=True):
            row = (canary.token, secret.token)
            connection.execute("INSERT INTO told (t, hidden) VALUES (%s, %s)", row)
    found = search(server, changes(server))
    wanted = {canary.token for canary in told}
    assert {finding.canary for finding in found.findings} == wanted
    assert {finding.how for finding in found.findings} == {"PostgreSQL logical replication, insert"}


@pytest.mark.parametrize("identity", ["DEFAULT", "FULL"])
def test_a_row_that_is_pinned_takes_its_whole_identity_along(server: Server, identity: str) -> None:
    """What crosses of an update out of the row filter is a delete: the old row, if that is it."""
    old, new = server.plant("until pinned", 3), server.plant("since pinned", 3)
    with server.connect() as connection:
        connection.execute("CREATE TABLE pinning (id int, residency text, name text,"
                           " PRIMARY KEY (id, residency))")  # fmt: skip
        connection.execute(f"ALTER TABLE pinning REPLICA IDENTITY {identity}".encode())
        connection.execute("CREATE PUBLICATION telling FOR TABLE pinning WHERE (residency = 'ANY')")
        for number, canary in enumerate(old):
            connection.execute("INSERT INTO pinning VALUES (%s, 'ANY', %s)", (number, canary.token))
        connection.execute("SELECT pg_create_logical_replication_slot('telling', 'pgoutput')")
        for number, canary in enumerate(new):
            connection.execute("UPDATE pinning SET residency = 'EU', name = %s WHERE id = %s",
                               (canary.token, number))  # fmt: skip
    sent = changes(server)
    found = search(server, sent)
    with server.connect() as connection:
        connection.execute("DROP TABLE pinning")
    assert sent.count(b"ANY") >= len(old)
    tokens = {canary.token for canary in old} if identity == "FULL" else set()
    assert {finding.canary for finding in found.findings} == tokens
    assert {finding.how for finding in found.findings} == {
        "PostgreSQL logical replication, delete" for _ in tokens
    }


def test_a_binary_stream_has_numbers_the_other_way_round(server: Server) -> None:
    canaries = server.plant("binary", 5)
    with server.connect() as connection:
        connection.execute("CREATE TABLE figures (id bigint PRIMARY KEY, u uuid, n numeric)")
        connection.execute("CREATE PUBLICATION telling FOR TABLE figures")
        connection.execute("SELECT pg_create_logical_replication_slot('telling', 'pgoutput')")
        for canary in canaries:
            row = (canary.bigint, canary.uuid, canary.numeric)
            connection.execute("INSERT INTO figures VALUES (%s, %s, %s)", row)
    found = search(server, changes(server, "binary 'true'"))
    for canary in canaries:
        encodings = {one.encoding for one in found.findings if one.canary == canary.token}
        assert encodings == {"bigint big-endian", "uuid raw", "numeric big-endian"}


def _dropped(server: Server) -> bool:
    with server.connect() as connection:
        row = connection.execute(
            "SELECT active FROM pg_replication_slots WHERE slot_name = 'telling'"
        ).fetchone()
        if row is None or row[0]:
            return False
        connection.execute("SELECT pg_drop_replication_slot('telling')")
    return True


def test_consul_keeps_what_was_overwritten_and_deleted(tmp_path: Path) -> None:
    source = Canaries(11)
    canaries = [source.make("settings", "s", str(n), jurisdiction="EU") for n in range(3)]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ports = [f"-{name}-port={port + number}" for number, name in
             enumerate(("server", "serf-lan", "serf-wan"), 1)]  # fmt: skip
    command = [str(locate("consul").path), "agent", "-server", "-bootstrap-expect=1",
               f"-data-dir={tmp_path / 'data'}", "-bind=127.0.0.1", f"-http-port={port}",
               "-dns-port=-1", "-grpc-port=-1", *ports, "-node=one"]  # fmt: skip
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        eventually(lambda: _put(port, "a", canaries[0].token), "Consul takes a value", 30)
        assert _put(port, "a", canaries[1].token)
        assert _put(port, "b", canaries[2].token)
        _call(port, "DELETE", "b", b"")
        found = search_at_rest(
            {"one": [Folder(tmp_path / "data", "/srv/consul")]}, patterns_of(canaries)
        )
    finally:
        process.terminate()
        process.wait(20)
    in_log = {one.canary for one in found.findings if one.how == "Consul's raft log"}
    assert in_log == {canary.token for canary in canaries}


def _call(port: int, method: str, key: str, body: bytes) -> bytes:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/kv/{key}", data=body or None, method=method
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        content: bytes = answer.read()
        return content


def _put(port: int, key: str, value: str) -> bool:
    try:
        return _call(port, "PUT", key, value.encode()).strip() == b"true"
    except OSError:
        return False
