"""Measures the one-way delay of every link that leads to or from a region, with real bytes.

One observer runs in each region. It keeps one TCP connection and one UDP flow to each other
region's observer, across the wan. Both ends of a connection send the time at a fixed pace, whether
they hear anything or not; whoever receives knows how long the bytes were under way, because all
nodes of a world share the monotonic clock of their machine.

``http://ADDRESS:7401/`` serves the readings as JSON: for each directed link, protocol and
connection (``opened_by``: the region that opened it) when bytes last arrived, when those were
sent, how many messages arrived, the delay of the last and the median of the last few. A silent
link is one whose ``silent_ms`` grows. Only the standard library is used, and little of the CPU:
one timer sends everything.
"""

# ruff: noqa: INP001 - a script that is copied to the nodes

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

PORT = 7400
READINGS_PORT = 7401
WINDOW = 11
RETRY_S = 0.2
CONNECT_S_MAX = 0.5
"""The wan answers at once or not at all; asking anew is faster than the kernel's own repetition."""


@dataclass
class Reading:
    """What has arrived over one directed link by one way."""

    received: int = 0
    sent_ns: int = 0
    received_ns: int = 0
    delays_ns: deque[int] = field(default_factory=lambda: deque(maxlen=WINDOW))

    def add(self, sent_ns: int, now_ns: int) -> None:
        """Record a message that was sent at one time and arrived at another."""
        self.received += 1
        self.sent_ns, self.received_ns = sent_ns, now_ns
        self.delays_ns.append(now_ns - sent_ns)


@dataclass
class Opened:
    """How often a connection to a region was opened, and how often in vain."""

    connects: int = 0
    failures: int = 0
    connected: bool = False


class Observer:
    """Sends to every peer at a fixed pace and remembers what arrived."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.region: str = settings["region"]
        self.address: str = settings["address"]
        self.peers: dict[str, str] = settings["peers"]
        self.interval_s = settings["interval_ms"] / 1000
        self.silence_s = settings["reconnect_ms"] / 1000
        self.readings: dict[tuple[str, str, str], Reading] = {}
        self.opened = {peer: Opened() for peer in self.peers}
        self.connections: set[Connection] = set()
        self.datagrams: asyncio.DatagramTransport | None = None

    def arrived(self, line: bytes, protocol: str, opened_by: str | None) -> str:
        """Record a message; the region that sent it.

        Raises:
            ValueError: It is no message of an observer.
        """
        name, _, sent = line.partition(b" ")
        source, sent_ns = name.decode(), int(sent)
        key = (source, protocol, opened_by or source)
        reading = self.readings.get(key)
        if reading is None:
            reading = self.readings[key] = Reading()
        reading.add(sent_ns, time.monotonic_ns())
        return source

    async def send(self) -> None:
        """Send the time over everything that is open, for ever."""
        while True:
            now = time.monotonic()
            message = f"{self.region} {time.monotonic_ns()}\n".encode()
            for connection in tuple(self.connections):
                connection.send(message, now)
            if self.datagrams is not None:
                for address in self.peers.values():
                    self.datagrams.sendto(message, (address, PORT))
            await asyncio.sleep(self.interval_s)

    async def keep_open(self, peer: str) -> None:
        """Open a connection to a peer, and another one whenever it was given up."""
        state, loop = self.opened[peer], asyncio.get_running_loop()
        while True:
            try:
                _, connection = await asyncio.wait_for(
                    loop.create_connection(lambda: Connection(self, peer), self.peers[peer], PORT),
                    CONNECT_S_MAX,
                )
            except (OSError, TimeoutError):
                state.failures += 1
            else:
                state.connects += 1
                state.connected = True
                await connection.closed.wait()
                state.connected = False
            # A proxy accepts for a peer that refuses: no reason to ask without a pause.
            await asyncio.sleep(RETRY_S)

    def report(self) -> dict[str, Any]:
        """The readings as plain JSON."""
        now_ns = time.monotonic_ns()
        links = []
        for (source, protocol, opened_by), reading in sorted(self.readings.items()):
            links.append(
                {
                    "link": f"{source}->{self.region}",
                    "protocol": protocol,
                    "opened_by": opened_by,
                    "received": reading.received,
                    "sent_ns": reading.sent_ns,
                    "received_ns": reading.received_ns,
                    "silent_ms": (now_ns - reading.received_ns) / 1e6,
                    "delay_ms": reading.delays_ns[-1] / 1e6,
                    "delay_ms_median": statistics.median(reading.delays_ns) / 1e6,
                }
            )
        opened = {peer: vars(state) for peer, state in self.opened.items()}
        return {"region": self.region, "now_ns": now_ns, "readings": links, "opened": opened}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one HTTP request with the readings."""
        try:
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
            body = json.dumps(self.report()).encode()
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
                b"Content-Length: %d\r\n\r\n" % len(body) + body
            )
            await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        writer.close()


class Connection(asyncio.Protocol):
    """One end of a TCP connection; given up when it was silent for long.

    Args:
        observer: Whose end it is.
        peer: The region that it was opened to; None for one that a peer opened.
    """

    def __init__(self, observer: Observer, peer: str | None) -> None:
        self.observer = observer
        self.opened_by = None if peer is None else observer.region
        # The end that cannot open it again waits longer, and sees the other one give up.
        self.silence_s = observer.silence_s * (4 if peer is None else 1)
        self.closed = asyncio.Event()
        self.transport: asyncio.Transport | None = None
        self.heard_at = time.monotonic()
        self.rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take part in what is sent; on a connection from outside once an observer has spoken."""
        self.transport = cast(asyncio.Transport, transport)
        if self.opened_by is not None:
            self.observer.connections.add(self)

    def send(self, message: bytes, now: float) -> None:
        """Send, unless the last message still waits; give up what was silent for too long."""
        assert self.transport is not None
        if now - self.heard_at > self.silence_s:
            self.transport.abort()
        elif self.transport.get_write_buffer_size() == 0:
            self.transport.write(message)

    def data_received(self, data: bytes) -> None:
        """Record every whole line; answer those of a trial, which are JSON, one by one."""
        assert self.transport is not None
        self.heard_at = time.monotonic()
        *lines, self.rest = (self.rest + data).split(b"\n")
        try:
            for line in lines:
                if line.startswith(b"{"):
                    self.transport.write(b'{"sent_ns":%d}\n' % time.monotonic_ns())
                else:
                    self.observer.arrived(line, "tcp", self.opened_by)
                    self.observer.connections.add(self)
        except ValueError:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Take no part any more."""
        self.observer.connections.discard(self)
        self.closed.set()


class Datagrams(asyncio.DatagramProtocol):
    """The UDP half of an observer."""

    def __init__(self, observer: Observer) -> None:
        self.observer = observer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand the socket over."""
        self.observer.datagrams = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Record a peer's time; what is not an observer's is ignored."""
        try:
            self.observer.arrived(data, "udp", None)
        except ValueError:
            return

    def error_received(self, exc: Exception) -> None:
        """A peer that refuses (its observer is down) is simply silent."""


async def observe(settings: dict[str, Any]) -> None:
    """Run one region's observer for ever."""
    observer = Observer(settings)
    loop = asyncio.get_running_loop()
    here = observer.address
    await loop.create_datagram_endpoint(lambda: Datagrams(observer), local_addr=(here, PORT))
    incoming = await loop.create_server(lambda: Connection(observer, None), here, PORT)
    readings = await asyncio.start_server(observer.serve, here, READINGS_PORT)
    async with incoming, readings:
        await asyncio.gather(observer.send(), *map(observer.keep_open, observer.peers))


if __name__ == "__main__":
    asyncio.run(observe(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
