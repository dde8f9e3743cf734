"""A problem of an inventory: where it stands, what is wrong, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_LENGTH_MAX = 600


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was written.

    Args:
        file: The file as people would open it, or ``--set`` for the command line.
        line: Counted from 1; None where there are no lines (a missing file, the command line).
    """

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


def place_in(path: Path, line: int | None = None) -> Place:
    """A place in a file, named as seen from the current folder when it lies below it."""
    try:
        return Place(str(path.resolve().relative_to(Path.cwd())), line)
    except (OSError, ValueError):
        return Place(str(path), line)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that keeps an inventory from being used.

    Args:
        place: File and line.
        message: What is wrong, in one sentence without a full stop.
        remedy: What to do about it, as an order.
    """

    place: Place
    message: str
    remedy: str

    def __str__(self) -> str:
        # What was written is quoted here: it must neither break the line nor steer a terminal.
        text = f"{self.message}; {self.remedy}"
        plain = "".join(each if each.isprintable() else " " for each in text)
        return (
            f"{self.place}: {plain if len(plain) <= _LENGTH_MAX else plain[:_LENGTH_MAX] + '...'}"
        )


class InventoryError(Exception):
    """An inventory, or what was set on the command line, cannot be used.

    Args:
        problems: All of them, in order of file and line.
    """

    exit_code = 64

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = in_order(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems by file and line, each once."""
    distinct = dict.fromkeys(problems)
    return tuple(sorted(distinct, key=lambda each: (each.place.file, each.place.line or 0)))


def nearest(name: str, known: Iterable[str]) -> str:
    """What to write instead of a name that nobody knows, as an order.

    Args:
        name: What was written.
        known: What could have been.
    """
    candidates = sorted(known)
    close = difflib.get_close_matches(name, candidates, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]}?"
    if not candidates:
        return "remove it: nothing is known here"
    return f"use one of: {', '.join(candidates)}"
