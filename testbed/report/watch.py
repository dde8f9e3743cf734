"""Follows the progress of a suite on whatever it is shown on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Protocol, Self, TextIO

from rich.console import Console

from testbed.report.live import LiveView
from testbed.report.log_view import LogView
from testbed.runner.progress import Event, ProgressError, decode


class ProgressView(Protocol):
    """Something that shows progress; a context manager."""

    def __enter__(self) -> Self:
        """Begins."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Ends, also after an error, and leaves the terminal as it was."""

    def feed(self, event: Event) -> None:
        """Takes one event into account; from any thread."""


def view_for(stream: TextIO, environ: Mapping[str, str]) -> ProgressView:
    """The live view on a terminal; plain lines in a pipe, a CI log or a dumb terminal.

    ``NO_COLOR`` alone does not stop the live view: it moves the cursor, without colours.
    """
    dumb = environ.get("TERM", "") in {"", "dumb"}
    if not stream.isatty() or environ.get("CI") or dumb:
        return LogView(stream)
    console = Console(file=stream, markup=False, emoji=False, highlight=False, _environ=environ)
    return LiveView(console)


def watch(lines: Iterable[bytes | str], view: ProgressView) -> list[str]:
    """Feeds lines of progress into a view until they end.

    Returns:
        Lines that are no progress, as text: output of something else in the same pipe.
    """
    others = []
    for line in lines:
        try:
            event = decode(line)
        except ProgressError:
            others.append(line if isinstance(line, str) else line.decode("utf-8", "replace"))
            continue
        if event is not None:
            view.feed(event)
    return others
