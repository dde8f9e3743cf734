"""The log files of worlds: folders outside them, their last lines, and what is added."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from testbed.world import state
from testbed.world.protocol import WorldError

KEPT = 20
"""So many folders of ended worlds are kept."""

_POLL_S = 0.2
_BLOCK_BYTES = 65536


@dataclass(frozen=True, slots=True)
class LogFile:
    """What one program of a node wrote.

    Args:
        node: The node's name or ``wan``.
        program: The program's name.
        path: The file, outside the world.
    """

    node: str
    program: str
    path: Path

    @property
    def label(self) -> str:
        """How people name it: ``NODE/PROGRAM``."""
        return f"{self.node}/{self.program}"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log file, without its end."""

    file: LogFile
    text: str


def logs_folder() -> Path:
    """Where worlds that name no other place log: beside the folder that remembers them."""
    return state.worlds_folder().parent / "logs"


def new_logs_folder(name: str) -> Path:
    """Make a folder for the logs of a new world, and remove the oldest of ended ones.

    Args:
        name: The world's name; the time is added, so that no world overwrites another's.

    Raises:
        WorldError: The folder cannot be made.
    """
    stem = f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    number = 1
    while True:
        folder = logs_folder() / (stem if number == 1 else f"{stem}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            number += 1
        except OSError as error:
            raise WorldError(
                f"the folder {folder} for logs cannot be made: {error.strerror}; "
                f"free the disk, or set XDG_STATE_HOME to a folder that can be written"
            ) from error
        else:
            _prune(KEPT)
            return folder


def log_files(logs: Path, node: str | None = None, program: str | None = None) -> list[LogFile]:
    """The log files of a world, or of one node, or of one of its programs.

    Args:
        logs: The world's folder of logs.
        node: A node's name or ``wan``.
        program: A program's name.

    Raises:
        WorldError: There is no such node or program; lists those that there are.
    """
    found = [
        LogFile(path.parent.name, path.stem, path)
        for path in sorted(logs.glob("*/*.log"))
        if path.is_file()
    ]
    if node is not None:
        nodes = sorted({file.node for file in found})
        found = [file for file in found if file.node == node]
        if not found:
            raise WorldError(f"there is no log of a node {node!r}; there are: {_listed(nodes)}")
    if program is not None:
        programs = [file.program for file in found]
        found = [file for file in found if file.program == program]
        if not found:
            raise WorldError(
                f"{node} has no log of a program {program!r}; it has: {_listed(programs)}"
            )
    return found


def last_lines(file: LogFile, count: int) -> tuple[list[Line], int]:
    """The last lines of a file, and its size in bytes when they were read.

    A line that is not finished yet counts as none: who follows the file gets it whole.
    """
    try:
        with file.path.open("rb") as handle:
            size = handle.seek(0, os.SEEK_END)
            start, text = size, b""
            while start > 0 and text.count(b"\n") <= count:
                start = max(0, start - _BLOCK_BYTES)
                handle.seek(start)
                text = handle.read(size - start)
    except OSError as error:
        raise WorldError(f"{file.path} cannot be read: {error.strerror}") from error
    whole = text[: text.rfind(b"\n") + 1]
    lines = _lines(file, whole)
    return lines[max(0, len(lines) - count) :], start + len(whole)


def follow(
    listed: Callable[[], list[LogFile]], count: int, alive: Callable[[], bool]
) -> Iterator[Line]:
    """The last lines of files and then what is added, until the world has ended.

    Args:
        listed: The files; asked again and again, as programs begin to log.
        count: Of the last lines of each file.
        alive: Whether anything may still be added.
    """
    offsets: dict[Path, int] = {}
    for file in listed():
        lines, offsets[file.path] = last_lines(file, count)
        yield from lines
    while True:
        goes_on = alive()
        for file in listed():
            lines, offsets[file.path] = _added(file, offsets.get(file.path, 0))
            yield from lines
        if not goes_on:
            return
        time.sleep(_POLL_S)


def _added(file: LogFile, offset: int) -> tuple[list[Line], int]:
    """The whole lines after an offset, and the offset behind them."""
    try:
        with file.path.open("rb") as handle:
            if handle.seek(0, os.SEEK_END) < offset:
                offset = 0  # It was begun anew.
            handle.seek(offset)
            text = handle.read()
    except OSError:
        return [], offset
    whole = text[: text.rfind(b"\n") + 1]
    return _lines(file, whole), offset + len(whole)


def _lines(file: LogFile, text: bytes) -> list[Line]:
    # Not splitlines: it knows more line ends than a log has.
    return [Line(file, line) for line in text.decode(errors="replace").split("\n")[:-1]]


def _prune(keep: int) -> None:
    """Remove the oldest folders of worlds that are not remembered any more."""
    used = set()
    for name in state.names(state.worlds_folder()):
        try:
            used.add(state.read(state.worlds_folder(), name).logs)
        except WorldError:
            continue
    ended = [path for path in logs_folder().iterdir() if path.is_dir() and path not in used]
    ended.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for path in ended[keep:]:
        shutil.rmtree(path, ignore_errors=True)


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none yet"
