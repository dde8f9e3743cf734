"""Shows how far a world is that is brought up: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, Task, TextColumn
from rich.progress import Progress as Bars
from rich.table import Column
from rich.text import Text

from testbed.provision.progress import Listener, Progress
from testbed.toolchain.progress import about


@contextlib.contextmanager
def bring_up_view(stream: TextIO, title: str) -> Iterator[Listener]:
    """Show what the yielded listener is told for as long as the context lasts.

    Args:
        stream: Where to show it; a terminal gets a bar that moves by itself.
        title: Of the whole, for example ``Bringing up active-passive``.
    """
    terminal = os.environ.get("TERM", "dumb") != "dumb" and not os.environ.get("CI")
    if stream.isatty() and terminal:
        with _bar(stream, title) as listener:
            yield listener
    else:
        print(f"{title} ...", file=stream, flush=True)
        yield lambda progress: print(f"  {line(progress)}", file=stream, flush=True)


def line(progress: Progress) -> str:
    """One step as a line of a log."""
    return f"{progress.seconds:5.1f} s  {doing(progress)}{left(progress.remaining_s)}"


def doing(progress: Progress) -> str:
    """What is done, or where it has just been done."""
    return f"{progress.task}: {progress.node}" if progress.node else progress.task


def left(remaining_s: float | None) -> str:
    """How long it will still take, for the end of a line."""
    if remaining_s is None:
        return ""
    return f", {about(remaining_s)} left" if remaining_s >= 1 else ", nearly there"


@contextlib.contextmanager
def _bar(stream: TextIO, title: str) -> Iterator[Listener]:
    rest = _Doing(table_column=Column(no_wrap=True, overflow="ellipsis"))
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), rest)
    with Bars(*columns, console=Console(file=stream), transient=True) as bars:
        row = bars.add_task(title, total=None, doing="", remaining_s=None, told=time.monotonic())

        def listen(progress: Progress) -> None:
            bars.update(
                row,
                doing=doing(progress),
                seconds=progress.seconds,
                remaining_s=progress.remaining_s,
                told=time.monotonic(),
            )

        yield listen


class _Doing(ProgressColumn):
    """What is done now and for how long still; moves the bar on with the clock meanwhile."""

    def render(self, task: Task) -> Text:
        since_s = time.monotonic() - task.fields["told"]
        remaining_s = task.fields["remaining_s"]
        if remaining_s is None:
            return Text(task.fields["doing"])
        task.total = task.fields["seconds"] + remaining_s
        # Never full before it is done, however wrong the estimate was.
        task.completed = min(task.fields["seconds"] + since_s, 0.97 * task.total)
        return Text(task.fields["doing"] + left(max(0.0, remaining_s - since_s)))
