"""Pairing: invocations with their completions, and what no process can have done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from testbed.history.entry import Entry
from testbed.history.interning import canonical
from testbed.history.problem import PROBLEMS_MAX, HistoryError, Problem

COUNTED_MAX = 10_000
"""Problems that are counted: then the rest of the history is not read."""


@dataclass
class Complaints:
    """Problems of one history, collected up to a bound and counted beyond it."""

    source: str
    first: list[Problem] = field(default_factory=list)
    total: int = 0

    def add(self, *problems: Problem) -> None:
        """Take note of problems.

        Raises:
            HistoryError: There are :data:`COUNTED_MAX` by now: reading on is not worth the time.
        """
        self.total += len(problems)
        self.first += problems[: max(PROBLEMS_MAX - len(self.first), 0)]
        if self.total >= COUNTED_MAX:
            self.refuse()

    def refuse(self) -> None:
        """Refuse the history if anything is wrong with it.

        Raises:
            HistoryError: With every problem that was kept.
        """
        if self.total:
            raise HistoryError(self.source, self.first, self.total)


@dataclass
class Pairing:
    """What each process is doing while the entries of a history go by.

    Args:
        complaints: Where problems go.
    """

    complaints: Complaints
    _pending: dict[int | str | None, tuple[int, Entry]] = field(default_factory=dict)
    _retired: set[int | str | None] = field(default_factory=set)
    _index: int | None = None
    _process_named: bool | None = None
    _untimed: bool | None = None

    @property
    def untimed(self) -> bool:
        """Whether the order of the lines says nothing of what happened first."""
        return bool(self._untimed)

    def invoked(self, row: int, entry: Entry) -> bool:
        """A process begins something; whether it can."""
        self._uniform(entry)
        process = entry.process
        sound = True
        if process in self._pending:
            before = self._pending[process][1]
            sound = self._refuse(
                entry,
                f"{_who(entry)} invokes '{entry.f}' before '{before.f}' of line "
                f"{before.line} completed",
            )
        elif process in self._retired:
            sound = self._refuse(
                entry, f"{_who(entry)} invokes '{entry.f}' after an 'info', which retired it"
            )
        self._pending[process] = (row, entry)
        return sound

    def completed(self, entry: Entry) -> tuple[int, Entry] | None:
        """A process completes something: the row and the entry of the invocation, if sound."""
        self._uniform(entry)
        begun = self._pending.pop(entry.process, None)
        if entry.type == "info":
            self._retired.add(entry.process)
        if begun is None:
            self._refuse(entry, f"'{entry.type}' of {_who(entry)} completes nothing")
            return None
        invocation = begun[1]
        if invocation.f != entry.f:
            text = f"{_who(entry)} completes '{entry.f}' but invoked '{invocation.f}'"
            self._refuse(entry, text)
        if _other_key(entry.key, invocation.key):
            self._refuse(entry, f"{_who(entry)} completes '{entry.f}' of another key")
        if entry.time is not None and invocation.time is not None and entry.time < invocation.time:
            self._refuse(entry, f"{_who(entry)} completes '{entry.f}' before it was invoked")
        return begun

    def _uniform(self, entry: Entry) -> None:
        """What must be alike on all lines, and the indexes, which go up."""
        if entry.index is not None:
            if self._index is not None and entry.index <= self._index:
                text = f"expected an index above {self._index}, not {entry.index}"
                self._refuse(entry, text)
            self._index = max(entry.index, self._index if self._index is not None else entry.index)
        named = entry.process is not None
        if self._process_named is None:
            self._process_named = named
            self._untimed = entry.untimed
        if self._process_named != named:
            self._refuse(entry, "expected the field 'process' on every line, or on none")
        if self._untimed != entry.untimed:
            self._refuse(entry, "expected 'untimed' on every line, or on none")

    def _refuse(self, entry: Entry, text: str) -> bool:
        self.complaints.add(Problem(entry.line, 1, text))
        return False


def _other_key(one: Any, two: Any) -> bool:
    """Whether two keys are there and differ."""
    if one is None or two is None:
        return False
    return one != two if type(one) is type(two) is int else canonical(one) != canonical(two)


def _who(entry: Entry) -> str:
    return "the only process" if entry.process is None else f"process {entry.process}"
