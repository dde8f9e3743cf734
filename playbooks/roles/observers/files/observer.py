"""Measures the one-way delay of every link that leads to or from a region, with real bytes.

One observer runs in each region. It keeps one TCP connection and one UDP flow to each other
region's observer, across the wan, and sends the time on both at a fixed pace. Whoever receives
knows how long the bytes were under way, because all nodes of a world share the monotonic clock of
their machine; it sends them back with its own time, which measures the other direction.

``http://ADDRESS:7401/`` serves the readings as JSON: for each directed link, protocol and
connection (``opened_by``: the region that opened it) when bytes last arrived, when those were
sent, how many messages arrived, the delay of the last and the median of the last few. A silent
link is one whose ``silent_ms`` grows. Only the standard library is used.
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
WINDOW = 21


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
    """How often a connection to a region was opened and given up."""

    connects: int = 0
    failures: int = 0
    connected: bool = False


class Observer:
    """Sends to every peer, answers every peer, remembers what arrived."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.region: str = settings["region"]
        self.address: str = settings["address"]
        self.peers: dict[str, str] = settings["peers"]
        self.interval_s = settings["interval_ms"] / 1000
        self.reconnect_s = settings["reconnect_ms"] / 1000
        self.readings: dict[tuple[str, str, str, str], Reading] = {}
        self.opened = {peer: Opened() for peer in self.peers}

    def arrived(self, source: str, protocol: str, opened_by: str, sent_ns: int) -> int:
        """Record a message from a region; the time of its arrival."""
        now_ns = time.monotonic_ns()
        key = (source, self.region, protocol, opened_by)
        self.readings.setdefault(key, Reading()).add(sent_ns, now_ns)
        return now_ns

    def report(self) -> dict[str, Any]:
        """The readings as plain JSON."""
        now_ns = time.monotonic_ns()
        links = []
        for (source, target, protocol, opened_by), reading in sorted(self.readings.items()):
            links.append(
                {
                    "link": f"{source}->{target}",
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

    async def probe_tcp(self, peer: str) -> None:
        """Keep a connection to a peer; give it up when nothing came back for long."""
        state = self.opened[peer]
        while True:
            try:
                reader, writer = await asyncio.wait_for(
                    asyncio.open_connection(self.peers[peer], PORT), self.reconnect_s
                )
            except (OSError, TimeoutError):
                state.failures += 1
                await asyncio.sleep(self.interval_s)
                continue
            state.connects += 1
            state.connected = True
            sender = asyncio.create_task(self.send_tcp(writer))
            try:
                while True:
                    line = await asyncio.wait_for(reader.readline(), self.reconnect_s)
                    if not line:
                        break
                    self.arrived(peer, "tcp", self.region, json.loads(line)["sent_ns"])
            except (OSError, TimeoutError, ValueError):
                pass
            state.connected = False
            sender.cancel()
            writer.transport.abort()
            # A proxy accepts for a peer that refuses: no reason to ask without a pause.
            await asyncio.sleep(self.interval_s * 4)

    async def send_tcp(self, writer: asyncio.StreamWriter) -> None:
        """Send the time at a fixed pace; skip it while the connection does not drain."""
        while not writer.is_closing():
            if writer.transport.get_write_buffer_size() == 0:
                writer.write(self.message())
            await asyncio.sleep(self.interval_s)

    async def serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one peer's connection until it ends."""
        try:
            while line := await asyncio.wait_for(reader.readline(), self.reconnect_s * 4):
                message = json.loads(line)
                self.arrived(message["region"], "tcp", message["region"], message["sent_ns"])
                if writer.transport.get_write_buffer_size() == 0:
                    writer.write(self.message())
        except (OSError, TimeoutError, ValueError):
            pass
        writer.transport.abort()

    def message(self) -> bytes:
        """One line: who sends it and when."""
        return b'{"region":"%s","sent_ns":%d}\n' % (self.region.encode(), time.monotonic_ns())

    async def serve_readings(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer one HTTP request with the readings."""
        try:
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
            body = json.dumps(self.report()).encode()
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
                b"Content-Length: %d\r\n\r\n" % len(body) + body
            )
            await writer.drain()
        except (
            OSError,
            TimeoutError,
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
        ):
            pass
        writer.close()


class Datagrams(asyncio.DatagramProtocol):
    """The UDP half of an observer: a flow to each peer and the answers to theirs."""

    def __init__(self, observer: Observer) -> None:
        self.observer = observer
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket."""
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Record a peer's time; each direction is measured by its sender's own flow."""
        try:
            message = json.loads(data)
            source, sent_ns = str(message["region"]), int(message["sent_ns"])
        except (ValueError, KeyError, TypeError):
            return
        self.observer.arrived(source, "udp", source, sent_ns)

    def error_received(self, exc: Exception) -> None:
        """A peer that refuses (its observer is down) is simply silent."""

    async def send(self) -> None:
        """Send the time to every peer at a fixed pace."""
        while True:
            for address in self.observer.peers.values():
                if self.transport is not None:
                    self.transport.sendto(self.observer.message(), (address, PORT))
            await asyncio.sleep(self.observer.interval_s)


async def observe(settings: dict[str, Any]) -> None:
    """Run one region's observer for ever."""
    observer = Observer(settings)
    datagrams = Datagrams(observer)
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(lambda: datagrams, local_addr=(observer.address, PORT))
    echo = await asyncio.start_server(observer.serve_tcp, observer.address, PORT)
    readings = await asyncio.start_server(observer.serve_readings, observer.address, READINGS_PORT)
    async with echo, readings:
        await asyncio.gather(datagrams.send(), *map(observer.probe_tcp, observer.peers))


if __name__ == "__main__":
    asyncio.run(observe(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
