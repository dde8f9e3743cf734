"""Large values that PostgreSQL stores in pieces, joined again.

A value beyond about 2 kB goes to its table's TOAST table: rows of (chunk_id, chunk_seq, data), on
pages of that table and, as inserted, in the write-ahead log. Only joined in order can a compressed
one be decoded, and only joined is a text whole that lies across two pieces. Which files are TOAST
tables is not asked: every row of that shape is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from testbed.probes.byte_kernel import Bytes, Rows, compiled, half, sealed, word
from testbed.probes.pglz import RATIO_MAX, decode

PAGE = 8192
_ROWS = 1 << 16
_RAW_MAX = 1 << 30


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a large value.

    Args:
        source: The file that it lies in.
        offset: Where.
        data: Its bytes.
    """

    source: str
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Joined:
    """A large value, as it was stored and, where it was compressed, decoded.

    Args:
        source: The file of its first piece.
        offset: Where that begins.
        stored: Its pieces in order.
        value: The decoded value; empty when it was not compressed.
    """

    source: str
    offset: int
    stored: bytes
    value: bytes


class Pieces:
    """Pieces collected from many files, joined at the end."""

    def __init__(self) -> None:
        self._pieces: dict[tuple[str, int], dict[int, Piece]] = {}

    def add_pages(self, table: str, source: str, data: Bytes) -> None:
        """Collect from pages of 8 kB.

        Args:
            table: Keeps the values of different tables apart.
            source: The file.
            data: Whole pages.
        """
        self._add(table, source, data, _on_pages)

    def add_log(self, table: str, source: str, data: Bytes) -> None:
        """Collect from a write-ahead log without its page headers."""
        self._add(table, source, data, _in_log)

    def _add(self, table: str, source: str, data: Bytes, find: object) -> None:
        data = sealed(data[:])
        position = 0
        while position < len(data):
            rows = np.empty((_ROWS, 4), np.int64)
            position, count = find(data, position, rows)  # type: ignore[operator]
            for identity, number, offset, length in rows[:count].tolist():
                piece = Piece(source, offset, data[offset : offset + length].tobytes())
                self._pieces.setdefault((table, identity), {}).setdefault(number, piece)

    def joined(self) -> Iterator[Joined]:
        """Every value of which the first piece was found, up to the first one that was not."""
        for pieces in self._pieces.values():
            if 0 not in pieces:
                continue
            count = next(number for number in range(len(pieces) + 1) if number not in pieces)
            stored = b"".join(pieces[number].data for number in range(count))
            first = pieces[0]
            yield Joined(first.source, first.offset, stored, _decoded(stored))


def _decoded(stored: bytes) -> bytes:
    raw = int.from_bytes(stored[:4], "little")
    if len(stored) < 8 or raw >= _RAW_MAX or raw > len(stored) * RATIO_MAX:
        return b""
    return decode(np.frombuffer(stored, np.uint8)[4:], raw)


@compiled
def _piece(data: Bytes, at: int, end: int, rows: Rows, count: int) -> int:
    """Take (chunk_id, chunk_seq, varlena) at a position if it is one; the new count."""
    if at + 12 > end:
        return count
    identity = word(data, at)
    number = word(data, at + 4)
    if identity == 0 or number > 1 << 20:
        return count
    first = int(data[at + 8])
    if first & 1:
        start = at + 9
        stop = at + 8 + (first >> 1)
    elif first & 3 == 0:
        start = at + 12
        stop = at + 8 + (word(data, at + 8) >> 2)
    else:
        return count
    if stop <= start or stop > end or stop - start > PAGE:
        return count
    rows[count, 0] = identity
    rows[count, 1] = number
    rows[count, 2] = start
    rows[count, 3] = stop - start
    return count + 1


@compiled
def _on_pages(data: Bytes, position: int, rows: Rows) -> tuple[int, int]:
    count = 0
    while position + PAGE <= len(data):
        lower = half(data, position + 12)
        if 24 <= lower <= PAGE:
            if count + (lower - 24) // 4 > len(rows):
                return position, count
            for pointer in range(position + 24, position + lower - 3, 4):
                line = word(data, pointer)
                offset = line & 0x7FFF
                length = line >> 17
                if length < 36 or offset + length > PAGE:
                    continue
                tuple_at = position + offset
                attributes = half(data, tuple_at + 18) & 0x7FF
                if attributes == 3 and data[tuple_at + 22] == 24:
                    count = _piece(data, tuple_at + 24, tuple_at + length, rows, count)
        position += PAGE
    return len(data), count


@compiled
def _in_log(data: Bytes, position: int, rows: Rows) -> tuple[int, int]:
    """Rows as an insert's record holds them: a short header, then all that follows byte 23."""
    count = 0
    while position + 18 < len(data):
        if count == len(rows):
            return position, count
        # Three columns, a header of 24 bytes, no null.
        shaped = data[position] == 3 and data[position + 4] == 24 and data[position + 5] == 0
        if shaped and data[position + 1] & 7 == 0:
            count = _piece(data, position + 6, len(data), rows, count)
        position += 1
    return len(data), count
