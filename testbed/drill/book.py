"""The drill's book: what happened and what people said, a line each, as it happens."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from testbed.history.appender import Appender
from testbed.runner.folder import FolderError

FILE = "drill.jsonl"

DECLARATIONS = ("detected", "cause", "mitigated")
"""What responders declare, in the order in which it is expected."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the book.

    Args:
        time_ns: Nanoseconds since the run began.
        kind: ``phase``, ``preflight``, ``inject``, ``command``, ``declare``, ``note``, ``machine``,
            ``halt``, ``healed``, ``joined``, ``left``.
        who: A person's name, or ``testbed``.
        what: One word or name: the phase, the declaration, the command, the inject.
        text: One sentence for people.
        secret: Whether responders are kept from it while the drill goes on.
        good: For what can be good or bad: a preflight item, a heal; None for the rest.
    """

    time_ns: int
    kind: str
    who: str
    what: str
    text: str = ""
    secret: bool = False
    good: bool | None = None


class Book:
    """Appends entries, and keeps the latest ones for whoever watches.

    Args:
        folder: The run folder.
        now: Nanoseconds since the run began.

    Raises:
        JournalError: The file can't be written.
    """

    def __init__(self, folder: Path, now: Callable[[], int]) -> None:
        self._now = now
        self._appender = Appender(folder / FILE)
        self.entries: list[Entry] = []

    def note(
        self,
        kind: str,
        what: str,
        text: str = "",
        *,
        who: str = "testbed",
        secret: bool = False,
        good: bool | None = None,
    ) -> Entry:
        """Write a line now.

        Raises:
            JournalError: It could not be recorded.
        """
        entry = Entry(self._now(), kind, who, what, text, secret, good)
        self._appender.append(asdict(entry))
        self.entries.append(entry)
        return entry

    def first(self, kind: str, what: str) -> Entry | None:
        """The first entry of a kind with that word."""
        return next((one for one in self.entries if (one.kind, one.what) == (kind, what)), None)

    def close(self) -> None:
        """Close the file; idempotent."""
        self._appender.close()


def read_book(folder: Path) -> tuple[Entry, ...]:
    """The entries of a run folder; a last line that was cut off is left out.

    Raises:
        FolderError: There is no book, or a line of it is damaged.
    """
    path = folder / FILE
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise FolderError(f"{path} cannot be read: {error.strerror}: this is no drill") from error
    known = {field.name for field in fields(Entry)}
    found = []
    for number, line in enumerate(lines[:-1], 1):
        try:
            document = json.loads(line)
            found.append(Entry(**{k: v for k, v in document.items() if k in known}))
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise FolderError(f"{path}:{number}: damaged: {error}") from error
        _typed(found[-1], f"{path}:{number}")
    return tuple(found)


def _typed(entry: Entry, where: str) -> None:
    if type(entry.time_ns) is not int:
        raise FolderError(f"{where}: damaged: time_ns is no whole number")
    for name in ("kind", "who", "what", "text"):
        if not isinstance(getattr(entry, name), str):
            raise FolderError(f"{where}: damaged: {name} is no text")
