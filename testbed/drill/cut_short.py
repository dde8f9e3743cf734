"""What kept a drill from being played as it was planned, read from its book."""

from __future__ import annotations

from collections.abc import Sequence

from testbed.drill.book import Entry
from testbed.drill.drill import Drill

EARLY_S = 0.5
"""A fault that was healed by so much before its time was healed by somebody."""


def halt_of(book: Sequence[Entry]) -> Entry | None:
    """What halted a drill; None for one that came to its end."""
    return next((one for one in book if one.kind == "halt"), None)


def left_out(book: Sequence[Entry], drill: Drill) -> tuple[str, ...]:
    """The names of injects that were never injected."""
    injected = {one.what for one in book if one.kind == "inject"}
    return tuple(one.name for one in drill.injects if one.name not in injected)


def healed_early(book: Sequence[Entry], drill: Drill) -> tuple[str, ...]:
    """The names of injects that did not hold for their time."""
    found = []
    for inject in drill.injects:
        times = [one.time_ns for one in book if (one.kind, one.what) == ("inject", inject.name)]
        lasting_s = inject.step.duration_s
        if lasting_s is None or len(times) < 2:
            continue
        # The first two lines of an inject: it is injected, it is healed.
        if (times[1] - times[0]) / 1e9 < lasting_s - EARLY_S:
            found.append(inject.name)
    return tuple(found)


def unfinished(book: Sequence[Entry], drill: Drill) -> str:
    """Why what held may not have held had the drill been played whole; empty if it was."""
    halt = halt_of(book)
    if halt is not None:
        return f"it was halted: {halt.text}"
    names = left_out(book, drill)
    return f"it was not injected: {'; '.join(names)}" if names else ""


def cut_short(book: Sequence[Entry], drill: Drill) -> str:
    """Why what was to happen may have had no time to; empty if it had."""
    names = healed_early(book, drill)
    early = f"it was healed before its time: {'; '.join(names)}" if names else ""
    return unfinished(book, drill) or early
