"""The history: operations in order, with every invocation beside its completion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from testbed.history.operation import FAULTS_PROCESS, Operation
from testbed.history.problem import HistoryError, Problem

REFUSED = "refused: "
"""How the error of a ``fail`` begins when the system worked and the operation's own rule said no:
a compare-and-set that found another value, a transfer of more than there was. It is service."""

LOST = "lost: "
"""How the error of a session begins that was told that a failover lost what it had written."""


@dataclass(frozen=True, slots=True)
class Pair:
    """An invocation and what became of it.

    Args:
        invocation: The line that asked.
        completion: The line that answered, or None if none ever did.
    """

    invocation: Operation
    completion: Operation | None = None

    @property
    def outcome(self) -> str:
        """``ok``, ``fail`` or ``info``; what never completed is ``info``."""
        return self.completion.type if self.completion is not None else "info"

    @property
    def f(self) -> str:
        """The function that was asked for."""
        return self.invocation.f

    @property
    def value(self) -> Any:
        """What the completion says, or else what was asked for."""
        if self.completion is not None and self.completion.value is not None:
            return self.completion.value
        return self.invocation.value

    @property
    def region(self) -> str | None:
        """The region of the client."""
        return self.invocation.region

    @property
    def node(self) -> str | None:
        """The node that answered, or else the one that was asked, as far as the client knows."""
        if self.completion is not None and self.completion.node is not None:
            return self.completion.node
        return self.invocation.node

    def done_in(self, region_of: Mapping[str, str]) -> str:
        """The region that did it; the client's, if nobody answered.

        Args:
            region_of: Node to region.
        """
        return region_of.get(str(self.node), str(self.region))

    def failed_with(self, beginning: str) -> bool:
        """Whether it failed, with an error that begins so."""
        error = None if self.completion is None else self.completion.error
        return self.outcome == "fail" and (error or "").startswith(beginning)

    @property
    def served(self) -> bool:
        """Whether the system did its work: acknowledged it, or refused it by its own rule."""
        return self.outcome == "ok" or self.failed_with(REFUSED)

    @property
    def start_ns(self) -> int:
        """When it was sent."""
        return self.invocation.time

    @property
    def due_ns(self) -> int:
        """When the load meant to send it."""
        return self.invocation.time if self.invocation.due is None else self.invocation.due

    @property
    def end_ns(self) -> int | None:
        """When its completion was seen; None if never. For an ``info`` it bounds nothing."""
        return None if self.completion is None else self.completion.time


@dataclass(frozen=True, slots=True)
class Truncation:
    """The last line of a file that ended before its end.

    Args:
        line: Its number, from 1.
        length_bytes: What is there of it.
    """

    line: int
    length_bytes: int


@dataclass(frozen=True)
class History:
    """Operations as they happened.

    Args:
        operations: Every line, clients' and faults' together, in the order of the file.
        truncation: The last line, if it was cut and left out.
        source: The file, for messages.
    """

    operations: tuple[Operation, ...]
    truncation: Truncation | None = None
    source: str = "history"

    def __len__(self) -> int:
        return len(self.operations)

    def __iter__(self) -> Iterator[Operation]:
        return iter(self.operations)

    def pairs(self) -> tuple[Pair, ...]:
        """Every invocation of a client with its completion, in the order of the invocations.

        Raises:
            HistoryError: A completion has no invocation, a process did two things at once, or
                went on after an ``info``.
        """
        return self._pairs

    @cached_property
    def _pairs(self) -> tuple[Pair, ...]:
        pairs, problems = pair_up(self.operations)
        if problems:
            raise HistoryError(self.source, problems)
        return pairs

    @cached_property
    def faults(self) -> tuple[Operation, ...]:
        """The lines that carry faults rather than what a client did."""
        return tuple(line for line in self.operations if line.process == FAULTS_PROCESS)

    def of(self, functions: Iterable[str], outcome: str | None = None) -> tuple[Pair, ...]:
        """The pairs of some functions, of any outcome or of one.

        Raises:
            HistoryError: As ``pairs``.
        """
        wanted = frozenset(functions)
        return tuple(
            pair
            for pair in self.pairs()
            if pair.f in wanted and (outcome is None or pair.outcome == outcome)
        )


def pair_up(operations: Iterable[Operation]) -> tuple[tuple[Pair, ...], list[Problem]]:
    """Pair each invocation with its completion; say what cannot be so.

    Returns:
        The pairs in the order of their invocations, and every problem found.
    """
    slots: list[Pair] = []
    pending: dict[int | str, int] = {}
    retired: set[int | str] = set()
    problems: list[Problem] = []
    for place, line in enumerate(operations, start=1):
        number = place if line.index is None else line.index
        if line.process == FAULTS_PROCESS:
            if line.type != "info":
                problems.append(Problem(number, 0, f"a fault is 'info', not '{line.type}'"))
        elif line.type == "invoke":
            trouble = _trouble(line, pending, retired)
            if trouble:
                problems.append(Problem(number, 0, trouble))
            pending[line.process] = len(slots)
            slots.append(Pair(line))
        else:
            slot = pending.pop(line.process, None)
            if line.type == "info":
                retired.add(line.process)
            if slot is None:
                text = f"'{line.type}' of process {line.process} completes nothing"
                problems.append(Problem(number, 0, text))
                continue
            mismatch = _mismatch(slots[slot].invocation, line)
            if mismatch:
                problems.append(Problem(number, 0, mismatch))
            slots[slot] = Pair(slots[slot].invocation, line)
    return tuple(slots), problems


def _trouble(line: Operation, pending: dict[int | str, int], retired: set[int | str]) -> str | None:
    if line.process in pending:
        return f"process {line.process} invokes '{line.f}' before its last operation completed"
    if line.process in retired:
        return f"process {line.process} invokes '{line.f}' after an 'info', which retired it"
    return None


def _mismatch(invocation: Operation, completion: Operation) -> str | None:
    if completion.f != invocation.f:
        return (
            f"process {completion.process} completes '{completion.f}' but invoked '{invocation.f}'"
        )
    if completion.time < invocation.time:
        return f"process {completion.process} completes '{completion.f}' before it was invoked"
    return None
