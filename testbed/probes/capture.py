"""What the tap recorded, as packets: where each one's bytes lie, when, from whom and to whom."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from testbed.probes.byte_kernel import Bytes, Rows, compiled, half, sealed, word

TIME, SOURCE, TARGET, PROTOCOL, SOURCE_PORT, TARGET_PORT, SEQUENCE, FLAGS, START, LENGTH = range(10)
"""Columns of a packet: ns, addresses and ports as numbers, TCP's sequence number and flags, and
the span of its payload. A fragment has ports of -1, and its payload begins behind the IP header."""
_COLUMNS = 10

TCP, UDP = 6, 17
SYN = 0x02


@dataclass(frozen=True, slots=True)
class Capture:
    """What one region's nodes sent to other regions.

    Args:
        data: The file with the kernel's blocks.
        packets: A row a packet, columns as above, in the order of time.
        problems: Why it is not complete; empty when it is.
    """

    data: Bytes
    packets: npt.NDArray[np.int64]
    problems: tuple[str, ...]


def read_capture(folder: Path, region: str) -> Capture:
    """A region's part of a recording; whatever is wrong with it is among its problems.

    Args:
        folder: Of the tap.
        region: The region that sent.
    """
    path = folder / f"{region}.blocks"
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        reason = f"there is no recording: {error.strerror}"
        return Capture(np.empty(0, np.uint8), np.empty((0, _COLUMNS), np.int64), (reason,))
    counts = _counts(folder)
    said: dict[str, int] = counts.get("regions", {}).get(region, {})
    problems = []
    total = int(_count(sealed(data[:])))
    packets = np.zeros((max(total, 0), _COLUMNS), np.int64)
    cut_short = _read(sealed(data[:]), packets) if total > 0 else 0
    packets[:, TIME] -= int(counts.get("wall_minus_monotonic_ns", 0))
    if not said:
        problems.append("the tap ended early")
    elif said["drops"] or said["freezes"]:
        problems.append(f"the kernel dropped {said['drops']} packets before they were recorded")
    if said and said["packets"] - said["drops"] != total:
        problems.append(f"{said['packets']} packets were counted, {total} are in the recording")
    if total < 0:
        problems.append("the recording is damaged")
    if cut_short:
        problems.append(f"{cut_short} packets were recorded only in part")
    return Capture(data, packets, tuple(problems))


def _counts(folder: Path) -> dict[str, Any]:
    try:
        document = json.loads((folder / "counts.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


@compiled
def _network_half(data: Bytes, at: int) -> int:
    return int(data[at]) << 8 | int(data[at + 1])


@compiled
def _network_word(data: Bytes, at: int) -> int:
    high, low = _network_half(data, at), _network_half(data, at + 2)
    return int(high << 16 | low)


@compiled
def _count(data: Bytes) -> int:
    """Packets of all blocks; -1 when a block is cut short."""
    position = 0
    total = 0
    while position < len(data):
        if position + 48 > len(data):
            return -1
        length = word(data, position + 20)
        if length < 48 or position + length > len(data):
            return -1
        total += word(data, position + 12)
        position += length
    return total


@compiled
def _read(data: Bytes, packets: Rows) -> int:
    """Fill in the packets; how many of them are shorter than they were."""
    position = 0
    number = 0
    cut_short = 0
    while position < len(data):
        at = position + word(data, position + 16)
        for _ in range(word(data, position + 12)):
            kept = word(data, at + 12)
            if kept < word(data, at + 16):
                cut_short += 1
            row = packets[number]
            row[0] = word(data, at + 4) * 1_000_000_000 + word(data, at + 8)
            start = at + half(data, at + 26)
            _header(data, start, start + kept, row)
            number += 1
            at += word(data, at)
        position += word(data, position + 20)
    return cut_short


@compiled
def _header(data: Bytes, start: int, end: int, row: Rows) -> None:
    """Read the headers of IP, TCP and UDP."""
    row[1] = _network_word(data, start + 12)
    row[2] = _network_word(data, start + 16)
    row[3] = data[start + 9]
    # A packet that the kernel has put together may be longer than the header can say.
    said = _network_half(data, start + 2)
    if 0 < said < end - start and end - start < 65536:
        end = start + said
    body = start + (int(data[start]) & 0x0F) * 4
    fragment = _network_half(data, start + 6) & 0x3FFF
    row[4] = -1
    row[5] = -1
    if not fragment and row[3] == 6 and body + 20 <= end:
        row[4] = _network_half(data, body)
        row[5] = _network_half(data, body + 2)
        row[6] = _network_word(data, body + 4)
        row[7] = data[body + 13]
        body += (int(data[body + 12]) >> 4) * 4
    elif not fragment and row[3] == 17 and body + 8 <= end:
        row[4] = _network_half(data, body)
        row[5] = _network_half(data, body + 2)
        body += 8
    row[8] = body
    row[9] = max(end - body, 0)
