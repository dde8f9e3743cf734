"""Linearizability by its definition: try every order. For histories of a handful of operations."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Operation:
    """One operation of a small history.

    Args:
        process: Who.
        f: What was asked for.
        value: Its argument, or what it saw.
        start: When it was invoked.
        end: When it completed; None for an indeterminate one.
        failed: Whether it is known to have had no effect.
    """

    process: int
    f: str
    value: Any
    start: int
    end: int | None
    failed: bool = False


def linearizable(
    operations: list[Operation],
    initial: Hashable,
    apply: Callable[[Any, Operation], Any],
    failed_counts: bool = False,
) -> bool:
    """Whether some order of the operations in which indeterminate ones may be missing is allowed.

    Args:
        operations: The history.
        initial: The state at the beginning.
        apply: The states after an operation, none where it is not allowed; an indeterminate one
            may have several.
        failed_counts: Whether a failed operation takes its place in the order as well.
    """
    real = [one for one in operations if failed_counts or not one.failed]
    seen: set[tuple[Any, frozenset[int]]] = set()

    def place(state: Any, left: frozenset[int]) -> bool:
        if all(real[i].end is None for i in left):
            return True
        if (state, left) in seen:
            return False
        seen.add((state, left))
        earliest = min(end for i in left if (end := real[i].end) is not None)
        for i in left:
            if real[i].start > earliest:
                continue
            for after in apply(state, real[i]):
                if place(after, left - {i}):
                    return True
        return False

    return place(initial, frozenset(range(len(real))))


def lines_of(operations: list[Operation], reads: frozenset[str]) -> list[tuple[Any, ...]]:
    """The history as lines ``(process, type, f, value)``; what saw something is asked with null."""
    lines = []
    for one in operations:
        asked = None if one.f in reads else one.value
        lines.append((one.start, (one.process, "invoke", one.f, asked)))
        if one.end is not None:
            kind = "fail" if one.failed else "ok"
            value = asked if one.failed else one.value
            lines.append((one.end, (one.process, kind, one.f, value)))
    return [line for _, line in sorted(lines, key=lambda pair: pair[0])]
