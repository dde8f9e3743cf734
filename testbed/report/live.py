"""The live view of a suite: drawn anew a few times a second, at whatever size the terminal has."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.control import Control
from rich.live import Live
from rich.text import Text

from testbed.checkers.counted import counted
from testbed.report.judgement import Outcome
from testbed.report.live_lane import Glyphs, glyphs_for, lane_line, lane_lines
from testbed.report.standing import Standing, outcome
from testbed.report.visible import visible
from testbed.report.wording import SIGNS
from testbed.runner.progress import Event

_REFRESHES_A_SECOND = 4
_VERDICTS = 3
_MESSAGES = 2


class LiveView:
    """Shows a suite while it runs; a context manager.

    Args:
        console: A terminal that obeys escape codes.
        clock: Wall clock in seconds.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.time) -> None:
        self._console = console
        self._clock = clock
        self._size = console.size
        self._lock = threading.Lock()
        self.standing = Standing(clock())
        self._live = Live(
            console=console,
            get_renderable=self._frame,
            refresh_per_second=_REFRESHES_A_SECOND,
            transient=True,
            vertical_overflow="crop",
        )

    def __enter__(self) -> Self:
        """Begins to draw."""
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Takes the view away again and gives the cursor back."""
        self._live.stop()

    def feed(self, event: Event) -> None:
        """Takes one event into account; it is seen with the next drawing."""
        with self._lock:
            self.standing.add(event)

    def _frame(self) -> Group:
        size = self._console.size
        # A terminal that became smaller has wrapped the old lines: nobody knows where they are.
        if size != self._size:
            self._size = size
            self._console.control(Control.clear(), Control.home())
        glyphs = glyphs_for(ascii_only=self._console.options.ascii_only)
        with self._lock:
            frame = Frame(self.standing, self._clock(), glyphs)
            return Group(*frame.lines(size.width, size.height))


class Frame:
    """One drawing of where a suite stands, cut to the size of a terminal.

    Args:
        standing: Where it stands.
        now: Wall clock in seconds.
        glyphs: The characters to draw with.
    """

    def __init__(self, standing: Standing, now: float, glyphs: Glyphs) -> None:
        self._standing = standing
        self._now = now
        self._glyphs = glyphs

    def lines(self, width: int, height: int) -> list[Text]:
        """The lines of the drawing: all lanes in full if they fit, else a line each.

        Args:
            width: Columns of the terminal; no line is wider.
            height: Its rows; one is left free for the cursor.
        """
        lines = self._chosen(width, max(height - 1, 1))
        for line in lines:
            line.no_wrap = True
            line.truncate(max(width, 1), overflow="crop" if self._glyphs.ascii_only else "ellipsis")
        return lines

    def _chosen(self, width: int, room: int) -> list[Text]:
        """What to show in so many lines."""
        head = self._head(width)
        tail = [*self._verdicts(), *self._messages()]
        lanes = sorted(self._standing.lanes.items())
        full = [
            line
            for number, lane in lanes
            for line in lane_lines(number, lane, self._now, width, self._glyphs)
        ]
        for keep in (len(tail), min(len(tail), 1), 0):
            if len(head) + len(full) + keep <= room:
                return head + full + tail[:keep]
        short = [lane_line(number, lane, self._now, self._glyphs) for number, lane in lanes]
        space = room - len(head)
        if len(short) > space:
            shown = max(space - 1, 0)
            rest = counted(len(short) - shown, "more world")
            short = [*short[:shown], Text(f"and {rest}", style="dim")]
        return (head + short + tail)[:room]

    def _head(self, width: int) -> list[Text]:
        """Examples done by outcome, the budget and the time to go; on two lines if narrow."""
        standing = self._standing
        done = Text(f"{counted(standing.examples_done, 'example')} done", style="bold")
        planned = standing.estimate.examples_planned if standing.estimate else None
        if planned is not None:
            done = Text(f"{standing.examples_done} of {counted(planned, 'example')}", style="bold")
        for each, count in standing.counts.items():
            if count:
                done.append("  ").append_text(_mark(each, self._glyphs)).append(f" {count}")
        times = Text(f"{clock_time(self._now - standing.started)} so far")
        estimate, age = standing.estimate, self._now - standing.estimate_since
        if estimate and estimate.budget_left_s is not None:
            left = clock_time(max(estimate.budget_left_s - age, 0.0))
            of = f" of {clock_time(estimate.budget_s)}" if estimate.budget_s is not None else ""
            times.append(f"  budget left {left}{of}")
        if estimate and estimate.remaining_s is not None:
            times.append(f"  about {clock_time(max(estimate.remaining_s - age, 0.0))} to go")
        if done.cell_len + times.cell_len + 3 <= width:
            return [done.append("   ").append_text(times)]
        return [done, times]

    def _verdicts(self) -> Iterator[Text]:
        """The last verdicts, the latest first."""
        for judged in list(self._standing.verdicts)[: -_VERDICTS - 1 : -1]:
            which = f" example {judged.example}" if judged.example is not None else ""
            promise = f" {visible(judged.promise, 40)}" if judged.promise else ""
            line = _mark(outcome(judged), self._glyphs).append(f"{which}{promise}", style="default")
            yield line.append(f" {visible(judged.reason, 200)}", style="dim")

    def _messages(self) -> Iterator[Text]:
        """The last messages, the latest first."""
        styles = {"warning": "yellow", "error": "bold red"}
        for message in list(self._standing.messages)[: -_MESSAGES - 1 : -1]:
            yield Text(visible(message.message, 300), style=styles.get(message.level, "dim"))


def _mark(each: Outcome, glyphs: Glyphs) -> Text:
    shown = SIGNS[each]
    return Text(shown.plain if glyphs.ascii_only else shown.symbol, style=f"bold {shown.colour}")


def clock_time(value_s: float) -> str:
    """``0:07``, ``12:34``, ``1:02:03``."""
    whole = round(max(value_s, 0.0))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
