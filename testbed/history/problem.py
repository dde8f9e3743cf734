"""What is wrong with a history, and where: all of it at once, but never without bound."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PROBLEMS_MAX = 20
"""Problems that are listed; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Args:
        line: Line number, from 1; 0 where no single line is to blame.
        column: Column in characters, from 1; 0 where no single column is to blame.
        expected: What was expected and what stands there instead, as one sentence.
    """

    line: int
    column: int
    expected: str

    def __str__(self) -> str:
        place = ":".join(str(number) for number in (self.line, self.column) if number)
        return f"{place}: {self.expected}" if place else self.expected


class HistoryError(Exception):
    """A history was refused.

    Args:
        source: The file that it came from, or what else it was.
        problems: What is wrong, in the order of the lines.
        total: How many problems there are when only the first of them are given.
    """

    def __init__(self, source: str, problems: Sequence[Problem], total: int | None = None) -> None:
        self.source = source
        self.problems = tuple(problems[:PROBLEMS_MAX])
        self.total = len(problems) if total is None else total
        super().__init__("\n".join(self._lines()))

    def _lines(self) -> Iterable[str]:
        for problem in self.problems:
            separator = ":" if problem.line else ": "
            yield f"{self.source}{separator}{problem}"
        if self.total > len(self.problems):
            yield f"{self.source}: and {self.total - len(self.problems)} more problems"
