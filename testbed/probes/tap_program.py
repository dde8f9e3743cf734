"""Records every packet that a region's nodes send to other regions; runs in the wan's network.

A program of its own that needs only the standard library. It listens on each region's bridge for
what comes in from its nodes with a destination in another region: so every byte is seen once, on
its own directed link, before the wan translates or proxies it, and also when a cut then drops it.
The kernel fills a ring of blocks (TPACKET_V3, ``Documentation/networking/packet_mmap.rst``); whole
blocks go to a file, so that no packet costs an instruction here. What did not fit into the ring is
counted by the kernel, and recorded.

Usage: ``tap_program.py FOLDER REGION=BRIDGE=NETWORK ...``; ends on SIGTERM.
"""

from __future__ import annotations

import contextlib
import ctypes
import ipaddress
import json
import mmap
import os
import select
import signal
import socket
import struct
import sys
import time
from pathlib import Path
from types import FrameType

BLOCK_BYTES = 1 << 20
BLOCKS = 96
RETIRE_MS = 20
"""A block that is not full is handed over after this time."""

_SOL_PACKET = 263
_RX_RING, _STATISTICS, _VERSION, _V3 = 5, 6, 10, 2
_ETH_P_IP = 0x0800
_ATTACH_FILTER = 26
_PACKET_TYPE = 0xFFFFF000 + 4
_OUTGOING = 4
_WORLD, _WORLD_MASK = 0x0A4D0000, 0xFFFF0000
"""Every region's network lies in 10.77.0.0/16."""


class Ring:
    """What one region sends abroad.

    Args:
        region: Its name.
        bridge: Its interface in the wan.
        network: Its network in CIDR form.
        folder: Where ``REGION.blocks`` is written.
    """

    def __init__(self, region: str, bridge: str, network: str, folder: Path) -> None:
        self.region = region
        self._file = (folder / f"{region}.blocks").open("wb", buffering=0)
        # Without the link layer's header; nothing arrives before it is bound.
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        self.socket.setsockopt(_SOL_PACKET, _VERSION, _V3)
        frames = BLOCK_BYTES * BLOCKS // 2048
        request = struct.pack("=7I", BLOCK_BYTES, BLOCKS, 2048, frames, RETIRE_MS, 0, 0)
        self.socket.setsockopt(_SOL_PACKET, _RX_RING, request)
        self._attach(ipaddress.IPv4Network(network))
        self._memory = mmap.mmap(self.socket.fileno(), BLOCK_BYTES * BLOCKS)
        self._next = 0
        self.packets = self.drops = self.freezes = self.blocks = 0
        self.socket.bind((bridge, _ETH_P_IP))

    def _attach(self, network: ipaddress.IPv4Network) -> None:
        """Let the kernel keep what comes in from this region for another one."""
        own, mask = int(network.network_address), int(network.netmask)
        load, load_byte, keep_bits, equal, give = 0x20, 0x30, 0x54, 0x15, 0x06
        # (code, jump if true, jump if false, constant); jumps count instructions.
        program = [
            (load_byte, 0, 0, _PACKET_TYPE),
            (equal, 9, 0, _OUTGOING),
            (load, 0, 0, 12),
            (keep_bits, 0, 0, mask),
            (equal, 0, 6, own),
            (load, 0, 0, 16),
            (keep_bits, 0, 0, mask),
            (equal, 3, 0, own),
            (load, 0, 0, 16),
            (keep_bits, 0, 0, _WORLD_MASK),
            (equal, 1, 0, _WORLD),
            (give, 0, 0, 0),
            (give, 0, 0, 0x7FFFFFFF),
        ]
        self._filter(program)

    def shut(self) -> None:
        """Let nothing more in, so that what was counted is what will have been written."""
        self._filter([(0x06, 0, 0, 0)])

    def _filter(self, program: list[tuple[int, int, int, int]]) -> None:
        code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
        held = ctypes.create_string_buffer(code)
        described = struct.pack("@HxxxxxxQ", len(program), ctypes.addressof(held))
        self.socket.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, described)

    def drain(self) -> None:
        """Write every block that the kernel has handed over."""
        while True:
            start = self._next * BLOCK_BYTES
            status, _, _, length = struct.unpack_from("=4I", self._memory, start + 8)
            if not status & 1:
                return
            with memoryview(self._memory) as view, view[start : start + length] as block:
                written = 0
                while written < length:
                    written += os.write(self._file.fileno(), block[written:])
            struct.pack_into("=I", self._memory, start + 8, 0)
            self.blocks += 1
            self._next = (self._next + 1) % BLOCKS

    def count(self) -> None:
        """Add what the kernel counted since it was last asked."""
        said = self.socket.getsockopt(_SOL_PACKET, _STATISTICS, 12)
        packets, drops, freezes = struct.unpack("=3I", said)
        self.packets += packets
        self.drops += drops
        self.freezes += freezes


def main(arguments: list[str]) -> int:
    """Record until SIGTERM, then write ``counts.json``."""
    folder = Path(arguments[0])
    ended: list[int] = []

    def end(number: int, _frame: FrameType | None) -> None:
        ended.append(number)

    signal.signal(signal.SIGTERM, end)
    with contextlib.suppress(OSError):  # needs rights that a user's own namespace does not give
        os.setpriority(os.PRIO_PROCESS, 0, -15)
    rings = []
    for argument in arguments[1:]:
        region, bridge, network = argument.split("=")
        rings.append(Ring(region, bridge, network, folder))
    begun_ns = time.monotonic_ns()
    # Packets carry the wall clock's time; runs count from the monotonic one.
    wall_minus_monotonic_ns = time.time_ns() - time.monotonic_ns()
    print("ready", flush=True)
    poll = select.poll()
    for ring in rings:
        poll.register(ring.socket, select.POLLIN | select.POLLERR)
    while not ended:
        poll.poll(RETIRE_MS)
        for ring in rings:
            ring.drain()
    for ring in rings:
        ring.shut()
    # The last blocks are handed over by the kernel's timer.
    until = time.monotonic() + 10 * RETIRE_MS / 1000
    while time.monotonic() < until:
        poll.poll(RETIRE_MS)
        for ring in rings:
            ring.drain()
    counts = {
        "begun_ns": begun_ns,
        "ended_ns": time.monotonic_ns(),
        "wall_minus_monotonic_ns": wall_minus_monotonic_ns,
        "regions": {ring.region: _counted(ring) for ring in rings},
    }
    written = folder / "counts.json.new"
    written.write_text(json.dumps(counts), encoding="utf-8")
    written.rename(folder / "counts.json")
    return 0


def _counted(ring: Ring) -> dict[str, int]:
    ring.count()
    return {
        "packets": ring.packets,
        "drops": ring.drops,
        "freezes": ring.freezes,
        "blocks": ring.blocks,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
