"""One end of a measured connection; runs on a node, with the standard library only."""

from __future__ import annotations

import json
import socket
import struct
import sys
import time

STAMP = struct.Struct("!d")
CHUNK_BYTES = 1 << 20


def drain(port: int) -> None:
    """Accept one stream and print its rate between the first and the last byte."""
    connection = _accept(port)
    buffer = bytearray(CHUNK_BYTES)
    total = connection.recv_into(buffer)
    began = last = time.monotonic()
    while size := connection.recv_into(buffer):
        total += size
        last = time.monotonic()
    print(json.dumps({"gbit_s": [total * 8 / (last - began) / 1e9]}))


def pour(address: str, port: int, seconds: float) -> None:
    """Send as fast as it goes for so long."""
    chunk = memoryview(bytes(CHUNK_BYTES))
    with socket.create_connection((address, port)) as connection:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            connection.sendall(chunk)


def note(port: int) -> None:
    """Accept one connection and print how old each stamp was when it arrived."""
    connection = _accept(port)
    delays = []
    pending = b""
    while data := connection.recv(4096):
        arrived = time.monotonic()
        pending += data
        while len(pending) >= STAMP.size:
            delays.append((arrived - STAMP.unpack(pending[: STAMP.size])[0]) * 1000)
            pending = pending[STAMP.size :]
    print(json.dumps({"delays_ms": delays}))


def tick(address: str, port: int, count: int, every_ms: float) -> None:
    """Send the time, so many times; all nodes share one clock."""
    with socket.create_connection((address, port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(count):
            connection.sendall(STAMP.pack(time.monotonic()))
            time.sleep(every_ms / 1000)


def _accept(port: int) -> socket.socket:
    listener = socket.create_server(("", port))
    print("ready", flush=True)
    connection, _ = listener.accept()
    return connection


if __name__ == "__main__":
    verb, *rest = sys.argv[1:]
    if verb == "drain":
        drain(int(rest[0]))
    elif verb == "pour":
        pour(rest[0], int(rest[1]), float(rest[2]))
    elif verb == "note":
        note(int(rest[0]))
    else:
        tick(rest[0], int(rest[1]), int(rest[2]), float(rest[3]))
