"""A progress bar with an estimate, for a terminal."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.progress import TaskID as Row

from testbed.toolchain.progress import Task


class _BarTask:
    """One bar, and a new one for each kind of step, as their paces differ."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._doing = "beginning"
        self._row: Row = bars.add_task(self._doing, total=None)

    def update(self, done: int, total: int, doing: str) -> None:
        """Move the bar."""
        if doing != self._doing:
            self._doing = doing
            self._bars.remove_task(self._row)
            self._row = self._bars.add_task(doing, total=total)
        self._bars.update(self._row, completed=min(done, total), total=total)


class BarProgress:
    """Bars at the foot of a terminal.

    Args:
        stream: The terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream)

    def say(self, sentence: str) -> None:
        """One sentence that stays above the bars."""
        self._console.print(sentence, markup=False, highlight=False)

    @contextlib.contextmanager
    def task(self, title: str) -> Iterator[Task]:
        """Show a bar for as long as the context lasts, below a line with the title."""
        self.say(f"{title} ...")
        columns = (
            TextColumn("  {task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("left"),
        )
        began = time.monotonic()
        with Bars(*columns, console=self._console, transient=True) as bars:
            yield _BarTask(bars)
        self.say(f"{title}: done in {time.monotonic() - began:.0f} s")
