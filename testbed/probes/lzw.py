"""What gossip compresses: LZW as Go's ``compress/lzw`` writes it, least significant bits first.

Codes begin at 9 bits and grow to 12; 256 clears the table, 257 ends the stream. See T. Welch, "A
Technique for High-Performance Data Compression", Computer 17(6), 1984. A string of the table is
kept as where it stands in what has been expanded already.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from testbed.probes.byte_kernel import Bytes, Rows, compiled, sealed

_CLEAR, _END = 256, 257
_WIDTH_MAX = 12
_BEGIN = re.compile(rb"\x82\xa4Algo\x00\xa3Buf([\xa0-\xbf\xc4-\xc6\xda\xdb])", re.DOTALL)
"""How memberlist begins a message that it compressed: a map of two, in MessagePack."""
_LENGTH_BYTES = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xDA: 2, 0xDB: 4}


def messages(data: bytes | memoryview) -> Iterator[tuple[int, bytes]]:
    """Where each compressed message of memberlist begins, and what it says.

    Args:
        data: Bytes that may hold some.
    """
    for match in _BEGIN.finditer(data):
        at, kind = match.end(), match[1][0]
        size = _LENGTH_BYTES.get(kind, 0)
        length = int.from_bytes(data[at : at + size], "big") if size else kind & 0x1F
        yield match.start(), expand(bytes(data[at + size : at + size + length]))


def expand(data: bytes) -> bytes:
    """What was compressed; of a damaged stream, what there is of it."""
    packed = sealed(np.frombuffer(data, np.uint8))
    room = 16 * len(data) + 64
    while True:
        out = np.empty(room, np.uint8)
        places = np.empty((1 << _WIDTH_MAX, 2), np.int64)
        length = int(_expand(packed, out, places))
        if length >= 0:
            return out[:length].tobytes()
        room *= 4


@compiled
def _width(high: int) -> int:
    """The bits of the next code."""
    width = 9
    while width < _WIDTH_MAX and high >= 1 << width:
        width += 1
    return width


@compiled
def _repeat(out: Bytes, source: int, target: int, size: int) -> None:
    """Write once more what was written; byte by byte, as the newest string overlaps itself."""
    for step in range(size):
        out[target + step] = out[source + step]


@compiled
def _expand(data: Bytes, out: Bytes, places: Rows) -> int:
    """Fill ``out``; how much of it was filled, -1 when it has too little room."""
    entries = written = 0
    before = -1  # where the string of the code before stands, which is written ...
    size_before = 0  # ... and how long it is
    bits = held = at = 0
    while True:
        width = _width(257 + entries + (before >= 0))
        while held < width:
            if at == len(data):
                return written
            bits |= int(data[at]) << held
            at += 1
            held += 8
        code = bits & ((1 << width) - 1)
        bits >>= width
        held -= width
        if code == _END:
            return written
        if code == _CLEAR:
            entries, before = 0, -1
            continue
        new = code - 258
        if new > entries or (new == entries and before < 0):
            return written
        size = 1 if code < _CLEAR else size_before + 1 if new == entries else places[new, 1]
        if written + size > len(out):
            return -1
        if code < _CLEAR:
            out[written] = code
        else:
            _repeat(out, before if new == entries else places[new, 0], written, size)
        if before >= 0 and 258 + entries < 1 << _WIDTH_MAX:
            # The string before and one byte more, which has just been written behind it.
            places[entries, 0], places[entries, 1] = before, size_before + 1
            entries += 1
        before, size_before = written, size
        written += size
