"""A trial of a link with real bytes: run in a node, talks to another region's observer.

Standard library only: its text is handed to the node's Python. Reads one JSON request on standard
input and writes one JSON reply. A request names the observer's ``address`` and ``port``, a
``limit_s``, and what to try:

* ``{"try": "ping", "connections": n}``: a message and its answer on each of n connections, once to
  warm up and once to measure. ``forward_ms`` and ``backward_ms``: the one-way delays of those that
  were answered in time, as all nodes share the monotonic clock.
* ``{"try": "push", "bytes": n, "lines": k}``: n bytes in k lines, each answered. ``seconds`` from
  the first byte to the last answer, less the round trip measured before; ``answered`` lines.
* ``{"try": "close"}``: half-closes after one answered message. ``seconds`` until the end arrives.
* ``{"try": "ask", "connections": n}``: asks a PostgreSQL server, in an observer's place, whether it
  has TLS, which it says before anything else. ``answered``: on how many connections it did.
* ``{"try": "stay", "seconds": s}``: sends a message each 20 ms. ``seconds`` until the connection
  ended, and ``ended``: ``open``, ``end`` or ``reset``.
"""

from __future__ import annotations

import contextlib
import json
import selectors
import socket
import sys
import time
from typing import Any

NAME = "trial"
"""Not a region: the observer answers what a trial sends, and counts none of it."""

SSL_REQUEST = bytes((0, 0, 0, 8, 4, 210, 22, 47))
"""PostgreSQL's own packet of that name: its length, and the code 80877103."""


def message(padding: int = 0) -> bytes:
    """One line for an observer: who sends it and when."""
    return b'{"region":"%s","sent_ns":%d,"pad":"%s"}\n' % (
        NAME.encode(),
        time.monotonic_ns(),
        b"x" * padding,
    )


def connect(request: dict[str, Any], deadline: float) -> socket.socket:
    """An open connection that gives up at the deadline."""
    left = max(0.01, deadline - time.monotonic())
    connection = socket.create_connection((request["address"], request["port"]), timeout=left)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def receive(connection: socket.socket, deadline: float) -> bytes:
    """What has arrived next; empty at the end of the stream. Raises TimeoutError."""
    connection.settimeout(max(0.001, deadline - time.monotonic()))
    return connection.recv(65536)


def exchange(connection: socket.socket, deadline: float) -> float:
    """Seconds of one message and its answer."""
    began = time.monotonic()
    connection.sendall(message())
    answer = b""
    while not answer.endswith(b"\n"):
        piece = receive(connection, deadline)
        if not piece:
            raise ConnectionResetError
        answer += piece
    return time.monotonic() - began


class Pinged:
    """A connection that is being measured."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.answers = 0
        self.sent_ns = 0
        self.arrived = b""
        self.send()

    def send(self) -> None:
        """Send the next message."""
        self.arrived, self.sent_ns = b"", time.monotonic_ns()
        self.connection.sendall(message())

    def take(self) -> tuple[int, int] | None:
        """Read; when the second answer is whole, when it turned round and when it came back.

        Raises:
            OSError: The connection has ended.
        """
        piece = self.connection.recv(4096)
        now_ns = time.monotonic_ns()
        if not piece:
            raise ConnectionResetError
        self.arrived += piece
        if not self.arrived.endswith(b"\n"):
            return None
        self.answers += 1
        if self.answers == 2:
            return json.loads(self.arrived)["sent_ns"], now_ns
        self.send()
        return None


def ping(request: dict[str, Any], deadline: float) -> dict[str, Any]:
    """One-way delays on fresh connections, all at once."""
    forward: list[float] = []
    backward: list[float] = []
    with selectors.DefaultSelector() as selector, contextlib.ExitStack() as opened:
        for _ in range(request["connections"]):
            connection = opened.enter_context(connect(request, deadline))
            selector.register(connection, selectors.EVENT_READ, Pinged(connection))
        while selector.get_map() and time.monotonic() < deadline:
            for key, _ in selector.select(max(0.0, deadline - time.monotonic())):
                pinged: Pinged = key.data
                try:
                    times = pinged.take()
                except OSError:
                    selector.unregister(pinged.connection)
                    continue
                if times is not None:
                    forward.append((times[0] - pinged.sent_ns) / 1e6)
                    backward.append((times[1] - times[0]) / 1e6)
                    selector.unregister(pinged.connection)
    return {"forward_ms": forward, "backward_ms": backward}


def push(request: dict[str, Any], deadline: float) -> dict[str, Any]:
    """How long a bounded burst takes to arrive."""
    lines, size = request["lines"], request["bytes"] // request["lines"]
    burst = b"".join(message(max(0, size - len(message()))) for _ in range(lines))
    with connect(request, deadline) as connection:
        round_trip = exchange(connection, deadline)
        began = time.monotonic()
        answered, ended = transfer(connection, burst, lines, deadline)
        seconds = time.monotonic() - began - round_trip
    return {
        "bytes": len(burst),
        "seconds": max(1e-6, seconds),
        "round_trip_s": round_trip,
        "answered": answered,
        "ended": ended,
    }


def transfer(
    connection: socket.socket, burst: bytes, lines: int, deadline: float
) -> tuple[int, str]:
    """Send everything and count answers; how many came, and how the connection is then."""
    connection.setblocking(False)
    answered, sent = 0, 0
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while answered < lines and time.monotonic() < deadline:
            for _, events in selector.select(max(0.0, deadline - time.monotonic())):
                try:
                    if events & selectors.EVENT_WRITE:
                        sent += connection.send(burst[sent : sent + 65536])
                    piece = connection.recv(65536) if events & selectors.EVENT_READ else None
                except OSError:
                    return answered, "reset"
                if piece == b"":
                    return answered, "end"
                answered += piece.count(b"\n") if piece else 0
                if sent == len(burst):
                    selector.modify(connection, selectors.EVENT_READ)
    return answered, "open"


def close(request: dict[str, Any], deadline: float) -> dict[str, Any]:
    """How long the end of a stream takes to come back."""
    with connect(request, deadline) as connection:
        exchange(connection, deadline)
        connection.shutdown(socket.SHUT_WR)
        began = time.monotonic()
        with contextlib.suppress(ConnectionResetError):
            while receive(connection, deadline):
                pass
        return {"seconds": time.monotonic() - began}


def ask(request: dict[str, Any], deadline: float) -> dict[str, Any]:
    """On how many fresh connections a PostgreSQL server answers."""
    answered = 0
    with contextlib.ExitStack() as opened:
        asked = [
            opened.enter_context(connect(request, deadline)) for _ in range(request["connections"])
        ]
        for connection in asked:
            connection.sendall(SSL_REQUEST)
        for connection in asked:
            with contextlib.suppress(OSError):
                answered += receive(connection, deadline) in (b"N", b"S")
    return {"answered": answered}


def stay(request: dict[str, Any], deadline: float) -> dict[str, Any]:
    """How long a connection with traffic stays open."""
    with connect(request, deadline) as connection:
        began = time.monotonic()
        ended = "open"
        while ended == "open" and time.monotonic() - began < request["seconds"]:
            ended = beat(connection)
        return {"seconds": time.monotonic() - began, "ended": ended}


def beat(connection: socket.socket) -> str:
    """Send a message and listen for a moment; how the connection is then."""
    try:
        connection.sendall(message())
        return "open" if receive(connection, time.monotonic() + 0.02) else "end"
    except TimeoutError:
        return "open"
    except OSError:
        return "reset"


TRIALS = {"ask": ask, "ping": ping, "push": push, "close": close, "stay": stay}


def main() -> None:
    """Read the request, try, reply."""
    request = json.load(sys.stdin)
    deadline = time.monotonic() + request["limit_s"]
    try:
        reply = TRIALS[request["try"]](request, deadline)
    except OSError as error:
        reply = {"failed": f"{type(error).__name__}: {error}"}
    json.dump(reply, sys.stdout)


if __name__ == "__main__":
    main()
