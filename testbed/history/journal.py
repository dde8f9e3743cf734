"""The journal: a history as a file, written as things happen and read back strictly."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from testbed.history.appender import Appender, JournalError
from testbed.history.history import History, Truncation, pair_up
from testbed.history.line import LINE_BYTES_MAX, CutLineError, decode, encode
from testbed.history.operation import Operation
from testbed.history.problem import PROBLEMS_MAX, HistoryError, Problem

__all__ = ["Journal", "JournalError", "read"]


class Journal:
    """Records operations as they happen, one line each.

    Args:
        path: The file, ``history.jsonl`` of a run folder.

    Raises:
        JournalError: It cannot be opened, or another process writes to it.
    """

    def __init__(self, path: Path) -> None:
        self._appender = Appender(path)

    @property
    def lines(self) -> int:
        """Lines recorded so far."""
        return self._appender.lines

    def append(self, operation: Operation) -> None:
        """Record one operation before returning.

        Raises:
            JournalError: It was not recorded; what came before it was.
        """
        self._appender.append(encode(operation))

    def close(self) -> None:
        """Close the file; idempotent."""
        self._appender.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def read(path: Path) -> History:
    """Read a journal, plain or gzipped.

    A last line that was cut (the writer died in the middle of it) is left out and reported as
    the history's ``truncation``. Everything else that is not as it should be refuses the file.

    Raises:
        HistoryError: With every problem up to a bound, each with line, column and what was
            expected.
    """
    source = str(path)
    try:
        with _opened(path) as stream:
            return _History(source).take(_lines(stream))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        text = f"the gzip stream is damaged ({error}): get an undamaged copy"
        raise HistoryError(source, [Problem(0, 0, text)]) from error
    except OSError as error:
        text = f"cannot be read: {error.strerror or error}"
        raise HistoryError(source, [Problem(0, 0, text)]) from error


class _History:
    """Collects lines and problems of one file."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._operations: list[Operation] = []
        self._truncation: Truncation | None = None
        self._indexes: set[int] = set()
        self._regions: dict[int | str, str] = {}
        self._problems: list[Problem] = []
        self._total = 0

    def take(self, lines: Iterator[bytes]) -> History:
        for number, line in enumerate(lines, start=1):
            self._line(line, number)
        if not self._total:
            # Pairs are only worth a look when every line was understood.
            _, problems = pair_up(self._operations)
            self._refuse(problems)
        if self._total:
            raise HistoryError(self._source, self._problems, self._total)
        return History(tuple(self._operations), self._truncation, self._source)

    def _line(self, line: bytes, number: int) -> None:
        ended = line.endswith(b"\n")
        try:
            decoded = decode(line.rstrip(b"\n"), number)
        except CutLineError:
            if ended:
                end = Problem(number, len(line), "expected the rest of a JSON object")
                self._refuse([end])
            else:
                self._truncation = Truncation(number, len(line))
            return
        if isinstance(decoded, list):
            self._refuse(decoded)
            return
        assert decoded.index is not None
        if decoded.index in self._indexes:
            self._refuse(
                [Problem(number, 1, f"expected an index of its own, {decoded.index} is taken")]
            )
        self._indexes.add(decoded.index)
        self._operations.append(self._placed(decoded))

    def _placed(self, line: Operation) -> Operation:
        """The line with the region of its process, which only its first invocation may say."""
        if line.type != "invoke":
            return line
        if line.region is not None:
            self._regions[line.process] = line.region
            return line
        region = self._regions.get(line.process)
        return line if region is None else replace(line, region=region)

    def _refuse(self, problems: list[Problem]) -> None:
        self._total += len(problems)
        self._problems += problems[: PROBLEMS_MAX - len(self._problems)]


def _opened(path: Path) -> BinaryIO | gzip.GzipFile:
    stream = path.open("rb")
    gzipped = stream.read(2) == b"\x1f\x8b"
    stream.seek(0)
    if not gzipped:
        return stream
    stream.close()
    return gzip.open(path, "rb")


def _lines(stream: BinaryIO | gzip.GzipFile) -> Iterator[bytes]:
    """Lines of bounded length; of a longer one only its first piece, and the rest is skipped."""
    while line := stream.readline(LINE_BYTES_MAX + 2):
        yield line
        while len(line) == LINE_BYTES_MAX + 2 and not line.endswith(b"\n"):
            line = stream.readline(LINE_BYTES_MAX + 2)
