"""All patterns of all canaries looked for at once, in blocks of memory.

The search is Hyperscan's over literals (X. Wang et al., Hyperscan: a fast multi-pattern regex
matcher for modern CPUs, NSDI 2019): its speed hardly falls with the number of patterns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from mmap import mmap
from typing import Any

import hyperscan
import numpy as np
import numpy.typing as npt

from testbed.probes.patterns import Pattern

Block = bytes | bytearray | memoryview | mmap | npt.NDArray[np.uint8]

CHUNK_BYTES = 256 << 20
"""Hyperscan takes blocks of at most 4 GB; a chunk is what is scanned in one call."""


@dataclass(frozen=True, slots=True)
class Match:
    """A pattern in a block.

    Args:
        pattern: Which.
        offset: Of its first byte.
    """

    pattern: Pattern
    offset: int


class Scanner:
    """Compiled patterns.

    Args:
        patterns: What is looked for; at least one.
        chunk_bytes: Scanned in one call, with an overlap of the longest pattern.

    Raises:
        ValueError: There is no pattern.
    """

    def __init__(self, patterns: Sequence[Pattern], chunk_bytes: int = CHUNK_BYTES) -> None:
        if not patterns:
            raise ValueError("nothing to look for: write canaries before a search")
        self.patterns = tuple(patterns)
        self._chunk_bytes = chunk_bytes
        self._overlap = max(len(pattern.data) for pattern in patterns) - 1
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._database.compile(
            expressions=[_expression(pattern.data) for pattern in patterns],
            ids=list(range(len(patterns))),
            elements=len(patterns),
            flags=0,
        )
        self._scratch = hyperscan.Scratch(self._database)

    def scan(self, block: Block) -> Iterator[Match]:
        """Every occurrence in a block, those that overlap included, in order of their ends."""
        with memoryview(block) as view:  # type: ignore[arg-type]
            size = len(view)
            for start in range(0, max(size - self._overlap, 1), self._chunk_bytes):
                end = min(start + self._chunk_bytes + self._overlap, size)
                # A match that fits into the overlap altogether was in the chunk before.
                yield from self._scan(view, start, end, self._overlap if start else 0)

    def _scan(self, view: memoryview, start: int, end: int, known: int) -> list[Match]:
        ended: list[tuple[int, int]] = []

        def note(identity: int, _start: int, stop: int, _flags: int, _context: object) -> None:
            ended.append((identity, stop))

        part: Any
        with view[start:end] as part:
            self._database.scan(part, match_event_handler=note, scratch=self._scratch)
        return [
            Match(self.patterns[identity], start + stop - len(self.patterns[identity].data))
            for identity, stop in ended
            if stop > known
        ]


def _expression(data: bytes) -> bytes:
    """Bytes as a regular expression; the binding's interface for literals ends at a zero byte."""
    return b"".join(b"\\x%02x" % byte for byte in data)
