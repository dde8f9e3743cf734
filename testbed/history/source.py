"""Where a history comes from: a file or the standard input, plain or gzipped, read in blocks."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np

from testbed.history.line import LINE_BYTES_MAX
from testbed.history.problem import HistoryError, Problem

FIRST_BLOCK_BYTES = 4 * 1024 * 1024
"""What is read first: enough to tell a long history."""

BLOCK_BYTES = 1024 * 1024
"""What is read at once; a block ends with a line, so it may be as long as a line besides.

So little stays in the processor's cache, and its memory is used again.
"""

WHOLE_BYTES_MAX = 2 * 1024 * 1024 * 1024
"""What a document may take that can only be read as a whole, unpacked."""

_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_FOREIGN_BOMS = (b"\xff\xfe", b"\xfe\xff")


class SourceError(Exception):
    """The file cannot be opened: there is no history to speak of."""

    exit_code = 64


class Source:
    """The bytes of one history, unpacked, without a byte order mark.

    Memory is bounded by a block and a line, however much a file unpacks to.

    Args:
        stream: The file as it is.
        name: What messages call it.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.name = name
        buffered = io.BufferedReader(_Raw(stream), BLOCK_BYTES)
        try:
            packed = buffered.peek(2)[:2] == _GZIP
        except OSError as error:
            raise SourceError(f"{name}: cannot be read: {error.strerror or error}") from error
        self._stream: BinaryIO = (
            io.BufferedReader(gzip.GzipFile(fileobj=buffered), BLOCK_BYTES) if packed else buffered
        )
        self._lines = 0
        self._ends = np.empty(0, np.bool_)

    def blocks(self) -> Iterator[bytes]:
        """Pieces of whole lines; only the last may lack its newline.

        Raises:
            HistoryError: A line is too long, the file is not UTF-8 by its first bytes, or its
                gzip stream is damaged.
        """
        rest: list[bytes | memoryview] = []
        waiting = 0
        for piece in self._pieces():
            end = piece.rfind(b"\n") + 1
            if not end:
                rest.append(piece)
                waiting += len(piece)
                self._bounded(waiting)
                continue
            rest.append(memoryview(piece)[:end])
            self._bounded(waiting + piece.find(b"\n"))
            block = b"".join(rest)
            self._lines += self._newlines(block)
            rest = [piece[end:]]
            waiting = len(rest[0])
            yield block
        if waiting:
            yield b"".join(rest)

    def whole(self) -> bytes:
        """Everything at once.

        Raises:
            HistoryError: As ``blocks``, or it is larger than :data:`WHOLE_BYTES_MAX`.
        """
        pieces = []
        size = 0
        for piece in self._pieces():
            pieces.append(piece)
            size += len(piece)
            if size > WHOLE_BYTES_MAX:
                text = f"expected at most {WHOLE_BYTES_MAX} bytes in one document"
                raise self.refused(Problem(0, 0, text))
        return b"".join(pieces)

    def refused(self, problem: Problem) -> HistoryError:
        """The refusal of this source for one problem."""
        return HistoryError(self.name, [problem])

    def _pieces(self) -> Iterator[bytes]:
        first = self._read(FIRST_BLOCK_BYTES)
        if first.startswith(_FOREIGN_BOMS):
            raise self.refused(Problem(1, 1, "expected UTF-8, not UTF-16"))
        piece = first.removeprefix(_BOM)
        while piece:
            yield piece
            piece = self._read(BLOCK_BYTES)

    def _read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            text = f"the gzip stream is damaged ({error}): get an undamaged copy"
            raise self.refused(Problem(0, 0, text)) from error
        except OSError as error:
            raise SourceError(f"{self.name}: cannot be read: {error.strerror or error}") from error

    def _newlines(self, block: bytes) -> int:
        """How many lines end in a block: ``bytes.count`` takes ten times as long."""
        if len(block) > len(self._ends):
            self._ends = np.empty(len(block), np.bool_)
        ends = self._ends[: len(block)]
        np.equal(np.frombuffer(block, np.uint8), ord("\n"), out=ends)
        return int(np.count_nonzero(ends))

    def _bounded(self, length: int) -> None:
        if length > LINE_BYTES_MAX:
            text = f"expected lines of at most {LINE_BYTES_MAX} bytes, this one is longer"
            raise self.refused(Problem(self._lines + 1, LINE_BYTES_MAX + 1, text))


@contextmanager
def open_source(path: str) -> Iterator[Source]:
    """Open a file, or the standard input for ``-``.

    Raises:
        SourceError: There is no such file, or it is not ours to read.
        HistoryError: It cannot be unpacked.
    """
    if path == "-":
        if sys.stdin is None:  # it was closed before the process began
            raise SourceError("standard input: cannot be read: it is closed")
        yield Source(sys.stdin.buffer, "standard input")
        return
    try:
        stream = Path(path).open("rb", buffering=0)  # noqa: SIM115 - closed below
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise SourceError(f"{path}: cannot be read: {why}") from error
    with stream:
        yield Source(stream, path)


class _Raw(io.RawIOBase):
    """The raw reads of a stream, so that two bytes can be looked at before they are read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return self._stream.readinto(buffer)  # type: ignore[attr-defined,no-any-return]
