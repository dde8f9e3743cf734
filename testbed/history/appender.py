"""Appends JSON documents to a file, one a line, so that a crash costs at most the last one."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson


class JournalError(Exception):
    """A line could not be recorded; the message says which, and that the ones before it stand."""


class Appender:
    """One file that only grows, by one ``write`` a line; locked against a second writer.

    Args:
        path: The file; made if it is not there, continued if it is.

    Raises:
        JournalError: It cannot be opened, another process writes to it, or its last line is cut.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines = 0
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            self._fd = os.open(path, flags, 0o644)
        except OSError as error:
            raise JournalError(
                f"{path}: cannot be opened for writing: {error.strerror}. "
                "Choose another run folder, or make this one writable."
            ) from error
        try:
            self._claim()
        except JournalError:
            self.close()
            raise

    def _claim(self) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise JournalError(
                f"{self._path}: another process is writing to it. "
                "Give each run a folder of its own."
            ) from error
        size = os.fstat(self._fd).st_size
        if size and os.pread(self._fd, 1, size - 1) != b"\n":
            raise JournalError(
                f"{self._path}: its last line is cut, so nothing may be added to it. "
                "Use a fresh run folder; what is there can still be judged."
            )

    @property
    def lines(self) -> int:
        """Lines that were appended through this object."""
        return self._lines

    def append(self, document: Mapping[str, Any]) -> None:
        """Append one document as one line of compact JSON.

        Raises:
            JournalError: It is not plain JSON, or the file did not take the whole line (a full
                disk). The lines before it are whole, and the file ends with the last of them.
        """
        try:
            line = orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
        except orjson.JSONEncodeError as error:
            raise JournalError(f"{self._path}: not recorded, not plain JSON: {error}") from error
        if self._fd < 0:
            raise JournalError(f"{self._path}: not recorded, the file is closed{_excerpt(line)}")
        try:
            written = os.write(self._fd, line)
        except OSError as error:
            raise self._lost(line, error.strerror or str(error), error.errno) from error
        if written != len(line):
            self._cut_back(written)
            raise self._lost(line, f"{written} of {len(line)} bytes were taken", errno.ENOSPC)
        self._lines += 1

    def _cut_back(self, written: int) -> None:
        # A piece of a line would make the next one unreadable; the lock says that it is ours.
        with contextlib.suppress(OSError):
            os.ftruncate(self._fd, os.fstat(self._fd).st_size - written)

    def _lost(self, line: bytes, why: str, code: int | None) -> JournalError:
        advice = " Free some space and run again." if code in (errno.ENOSPC, errno.EDQUOT) else ""
        return JournalError(
            f"{self._path}: line {self._lines + 1} of this writer was not recorded: {why}. "
            f"Nothing before it was lost.{advice}{_excerpt(line)}"
        )

    def close(self) -> None:
        """Close the file; idempotent."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _excerpt(line: bytes) -> str:
    text = line[:160].decode(errors="replace").rstrip("\n")
    return f" The line: {text}{'...' if len(line) > 160 else ''}"
