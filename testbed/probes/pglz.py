"""Values that PostgreSQL compressed with pglz, wherever they lie.

A compressed value is a varlena whose header says so: ``length << 2 | 2``, then a word with the raw
size in its low 30 bits and the method (0: pglz) above. Every position is tried as such a header;
what decodes to exactly the size that it names is one. So values are found in tuples, index keys,
free space, the write-ahead log, spill files and streams alike.

The format is described in ``src/common/pg_lzcompress.c`` of PostgreSQL: eight items a control byte,
each a literal byte or a copy of 3 to 273 bytes from at most 4,095 bytes back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from testbed.probes.byte_kernel import Bytes, Rows, compiled, sealed

OUT_BYTES = 8 << 20
_ROWS = 1 << 16
INLINE_MAX = 8192
"""A compressed value that lies in one piece fits on a page."""
RATIO_MAX = 100
"""A copy of 273 bytes takes 3, and an eighth of a control byte."""


@dataclass(frozen=True, slots=True)
class Values:
    """Decoded values, one behind the other.

    Args:
        data: Their bytes.
        starts: Where each begins in ``data``.
        sources: Where each one's header lies in what was searched.
    """

    data: Bytes
    starts: Rows
    sources: Rows

    def source(self, offset: int) -> int:
        """Where the value that holds a decoded byte lies in what was searched."""
        return int(self.sources[np.searchsorted(self.starts, offset, side="right") - 1])


def values(data: Bytes) -> Iterator[Values]:
    """Every compressed value in a block, in batches."""
    data = sealed(data[:])
    position = 0
    while position < len(data) - 8:
        out = np.empty(OUT_BYTES, np.uint8)
        rows = np.empty((_ROWS, 2), np.int64)
        position, count, size = _values(data, position, out, rows)
        if count:
            yield Values(sealed(out[:size]), rows[:count, 0].copy(), rows[:count, 1].copy())


def decode(data: Bytes, raw: int) -> bytes:
    """The value of a compressed stream, as far as it can be decoded.

    Args:
        data: The stream without any header.
        raw: The size of the value.
    """
    out = np.empty(raw, np.uint8)
    size, _ = decode_into(sealed(data[:]), (0, len(data)), out, 0, raw)
    return out[:size].tobytes()


@compiled
def decode_into(
    data: Bytes, span: tuple[int, int], out: Bytes, at: int, raw: int
) -> tuple[int, int]:
    """Decode a span of the data to ``out[at:at + raw]``: the size made, where the input ended."""
    source, end = span
    target = at
    stop = at + raw
    while source < end and target < stop:
        control = data[source]
        source += 1
        for bit in range(8):
            if source >= end or target >= stop:
                break
            if not (control >> bit) & 1:
                out[target] = data[source]
                target += 1
                source += 1
                continue
            if source + 1 >= end:
                return target - at, source
            length = (int(data[source]) & 0x0F) + 3
            back = ((int(data[source]) & 0xF0) << 4) | int(data[source + 1])
            source += 2
            if length == 18:
                if source >= end:
                    return target - at, source
                length += int(data[source])
                source += 1
            if back == 0 or back > target - at:
                return target - at, source
            length = min(length, stop - target)
            for _ in range(length):
                out[target] = out[target - back]
                target += 1
    return target - at, source


@compiled
def _values(data: Bytes, position: int, out: Bytes, rows: Rows) -> tuple[int, int, int]:
    size = len(data)
    count = 0
    filled = 0
    while position < size - 8:
        first = data[position]
        # The length is below 8,192: the header's upper half is zero, its lowest bits are 10.
        if first & 3 != 2 or data[position + 2] != 0 or data[position + 3] != 0:
            position += 1
            continue
        length = (int(first) | int(data[position + 1]) << 8) >> 2
        raw = (
            int(data[position + 4])
            | int(data[position + 5]) << 8
            | int(data[position + 6]) << 16
            | int(data[position + 7]) << 24
        )
        fits = 8 < length <= INLINE_MAX and position + length <= size
        if not fits or raw <= length - 8 or raw > length * RATIO_MAX:
            position += 1
            continue
        if filled + raw > len(out) or count == len(rows):
            return position, count, filled
        made, end = decode_into(data, (position + 8, position + length), out, filled, raw)
        if made == raw and end == position + length:
            rows[count, 0] = filled
            rows[count, 1] = position
            count += 1
            filled += raw
        position += 1
    return position, count, filled
