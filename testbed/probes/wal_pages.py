"""The write-ahead log without its page headers, and the compressed page images inside it.

A segment is pages of 8 kB, each with a header of 24 bytes (40 on the first) that cuts in two what
crosses it. Segments that were recycled are read like all others, whatever their name promises:
their pages hold old records until they are written again.

The formats are those of ``access/xlog_internal.h``, ``access/xlogrecord.h`` of PostgreSQL 15 to 18.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from testbed.probes.byte_kernel import Bytes, Rows, compiled, half, sealed, word
from testbed.probes.pglz import decode_into

PAGE = 8192
_SHORT, _LONG = 24, 40
_LONG_FLAG = 0x02
_MAGIC_HIGH = 0xD1
_NAME = re.compile(r"[0-9A-F]{24}(\.\w+)?")
_ROWS = 256
_BLOCKS_MAX = 33
_HAS_IMAGE, _SAME_RELATION = 0x10, 0x80
_HAS_HOLE, _COMPRESSED_PGLZ, _COMPRESSED = 0x01, 0x04, 0x1C


def is_wal(name: str, data: Bytes) -> bool:
    """Whether a file is a segment: by its name, or by the beginning of its first page."""
    return bool(_NAME.fullmatch(name)) or (
        len(data) >= PAGE and len(data) % PAGE == 0 and int(data[1]) == _MAGIC_HIGH
    )


@dataclass(frozen=True, slots=True)
class Stripped:
    """A segment without page headers.

    Args:
        data: Its bytes.
        starts: Where each page's content begins in ``data``.
        sources: Where that lies in the segment.
    """

    data: Bytes
    starts: Rows
    sources: Rows

    def source(self, offset: int) -> int:
        """Where a byte lies in the segment."""
        page = np.searchsorted(self.starts, offset, side="right") - 1
        return int(self.sources[page] + offset - self.starts[page])


class Borders:
    """Where two segments of a log meet: what lies across them is whole in neither.

    Which follows which is told by the addresses in their page headers. Names do not tell: one that
    was recycled has its next name already, and old records.

    Args:
        length: Of either side of a border, at most.
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._begins: dict[tuple[str, int], Bytes] = {}
        self._ends: dict[tuple[str, int], Bytes] = {}

    def add(self, log: str, segment: Bytes, data: Bytes) -> Iterator[tuple[Bytes, int]]:
        """Take a segment; the borders that it shares with those that were taken before.

        Args:
            log: The folder that the log's segments lie in.
            segment: As it is in its file.
            data: Without page headers.

        Returns:
            For each the bytes of both sides, and where they meet.
        """
        if len(segment) < 2 * PAGE or len(segment) % PAGE:
            return
        begin = log, _address(segment[:PAGE])
        end = log, _address(segment[-PAGE:]) + PAGE
        self._begins[begin] = data[: self._length].copy()
        self._ends[end] = data[-self._length :].copy()
        for border in (begin, end):
            if border in self._ends and border in self._begins:
                before = self._ends[border]
                both = np.concatenate((before, self._begins[border]))
                yield sealed(both), len(before)


def _address(page: Bytes) -> int:
    """Where in the log a page was written, as its header says."""
    return int.from_bytes(page[8:16].tobytes(), "little")


def strip(data: Bytes) -> Stripped:
    """Take the page headers out of a segment; a page that has none is kept whole."""
    parts, starts, sources = [], [], []
    length = 0
    for page in range(0, len(data), PAGE):
        header = 0
        if len(data) - page >= _LONG and data[page + 1] == _MAGIC_HIGH:
            header = _LONG if data[page + 2] & _LONG_FLAG else _SHORT
        part = data[page + header : page + PAGE]
        parts.append(part)
        starts.append(length)
        sources.append(page + header)
        length += len(part)
    joined = np.concatenate(parts) if parts else np.empty(0, np.uint8)
    return Stripped(sealed(joined), np.array(starts, np.int64), np.array(sources, np.int64))


@dataclass(frozen=True, slots=True)
class Images:
    """Page images that were compressed, decoded to whole pages of 8 kB.

    Args:
        data: The pages.
        sources: Where each one's compressed image lies in the stripped log.
        foreign: How many were compressed by a method that is not pglz (lz4, zstd).
    """

    data: Bytes
    sources: Rows
    foreign: int

    def source(self, offset: int) -> int:
        """Where the image that holds a decoded byte lies in the stripped log."""
        return int(self.sources[offset // PAGE])


def images(data: Bytes) -> Iterator[Images]:
    """The compressed page images of a stripped log, in batches."""
    data = sealed(data[:])
    position = 0
    while position < len(data):
        pages = np.zeros((_ROWS, PAGE), np.uint8)
        sources = np.empty(_ROWS, np.int64)
        position, count, foreign = _images(data, position, pages.reshape(-1), sources)
        if count or foreign:
            yield Images(sealed(pages[:count].reshape(-1)), sources[:count].copy(), foreign)


@compiled
def _references(data: Bytes, at: int, end: int, blocks: Rows) -> tuple[int, int, bool]:
    """Read a record's block references: where its data begins, how many there are, if it is sound.

    In a sound record the lengths that its headers name fill it exactly.
    Each becomes a row: length of the image, its kind, offset and length of its hole, length of the
    data behind it.
    """
    promised = 0
    count = 0
    while at + 8 < end and end - at > promised and count < len(blocks):
        kind = int(data[at])
        if kind > 32:
            if kind in (253, 252):  # an origin or a top-level transaction: no data
                at += 3 if kind == 253 else 5
                continue
            # The main data, the last header: of a short or of a long length.
            short = kind == 255
            promised += int(data[at + 1]) if short else half(data, at + 1)
            at += 2 if short else 5
            break
        flags = int(data[at + 1])
        row = blocks[count]
        row[:] = 0
        row[4] = half(data, at + 2)
        at += 4
        if flags & _HAS_IMAGE:
            row[0] = half(data, at)
            row[1] = int(data[at + 4])
            row[2] = half(data, at + 2)
            at += 5
            if row[1] & _COMPRESSED and row[1] & _HAS_HOLE:
                row[3] = half(data, at)
                at += 2
        at += 4 if flags & _SAME_RELATION else 16
        promised += row[0] + row[4]
        count += 1
    return at, count, end - at == promised


@compiled
def _expand(data: Bytes, at: int, block: Rows, page: Bytes) -> bool:
    """Decode an image into a page of zeros, its hole included."""
    hole, gap = block[2], block[3]
    raw = PAGE - gap
    if not 0 < raw <= PAGE or hole > raw:
        return False
    made, _ = decode_into(data, (at, at + block[0]), page, 0, raw)
    if made != raw:
        return False
    for byte in range(raw - 1, hole - 1, -1):
        page[byte + gap] = page[byte]
    page[hole : hole + gap] = 0
    return True


@compiled
def _images(data: Bytes, position: int, pages: Bytes, sources: Rows) -> tuple[int, int, int]:
    count = 0
    foreign = 0
    blocks = np.empty((_BLOCKS_MAX, 5), np.int64)
    while position + 32 < len(data):
        if count + _BLOCKS_MAX > len(sources):
            return position, count, foreign
        total = word(data, position)
        # A record: its length, two bytes of padding, a first block reference.
        padded = data[position + 18] == 0 and data[position + 19] == 0
        if 24 < total < 1 << 20 and padded and data[position + 24] <= 32:
            end = min(position + total, len(data) - 16)
            at, found, sound = _references(data, position + 24, end, blocks)
            for block in blocks[:found]:
                if block[0] and block[1] & _COMPRESSED and at + block[0] <= len(data):
                    if not block[1] & _COMPRESSED_PGLZ:
                        foreign += sound
                    elif _expand(data, at, block, pages[count * PAGE : (count + 1) * PAGE]):
                        sources[count] = at
                        count += 1
                at += block[0] + block[4]
        position += 8
    return len(data), count, foreign
