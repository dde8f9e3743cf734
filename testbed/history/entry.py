"""The entry: one line of a history in Jepsen's terms, whatever format it was written in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from testbed.history.operation import FAULTS_PROCESS
from testbed.history.problem import Problem

TYPES = ("invoke", "ok", "fail", "info")
"""What an entry may be."""

FAULT_PROCESSES = frozenset((FAULTS_PROCESS, "nemesis"))
"""Processes whose entries are about faults: nothing that a client did."""

MICRO_OPERATIONS = frozenset(("r", "w", "read", "write", "append"))

_NAMED = frozenset(("process", "type", "f", "value", "key", "index", "time", "error", "untimed"))


@dataclass(frozen=True, slots=True)
class Entry:
    """One line.

    Args:
        line: Its line, from 1.
        process: Who did it; None in a history that names no processes.
        type: One of :data:`TYPES`.
        f: The function.
        value: Argument or result, plain JSON.
        key: The key, where the line names one.
        time: Nanoseconds.
        error: Why it was not ``ok``, plain JSON.
        index: Its index.
        untimed: The order of the lines says nothing of what happened first.
        more: Every other field.
    """

    line: int
    process: int | str | None
    type: str
    f: str
    value: Any = None
    key: Any = None
    time: int | None = None
    error: Any = None
    index: int | None = None
    untimed: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def of_faults(self) -> bool:
        """Whether it tells of a fault rather than of a client."""
        return self.process in FAULT_PROCESSES


def entry_of(
    document: Mapping[str, Any], line: int, column: Callable[[str], int]
) -> Entry | list[Problem]:
    """An entry from the fields of a line, or everything that is wrong with them.

    Args:
        document: The fields.
        line: The line that they stand on, from 1.
        column: Where the field of a name stands in it, from 1; 1 for one that is missing.
    """
    problems = [Problem(line, column(name), text) for name, text in _faults(document)]
    if problems:
        return problems
    function = document.get("f")
    return Entry(
        line,
        document.get("process"),
        document["type"],
        "txn" if function is None else function,
        document.get("value"),
        document.get("key"),
        document.get("time"),
        document.get("error"),
        document.get("index"),
        bool(document.get("untimed")),
        {name: value for name, value in document.items() if name not in _NAMED},
    )


def _faults(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    kind = document.get("type")
    if not (isinstance(kind, str) and kind in TYPES):
        found.append(("type", f"expected 'type' as one of {', '.join(TYPES)}, not {shown(kind)}"))
    function = document.get("f")
    if function is None:
        value = document.get("value")
        answered = value is None and kind != "invoke"
        if value != [] and not answered and not micro_operations(value):
            found.append(("f", "expected the field 'f', the name of a function"))
    elif not isinstance(function, str) or not function:
        found.append(("f", f"expected 'f' as the name of a function, not {shown(function)}"))
    process = document.get("process")
    named = isinstance(process, str) and process
    if process is not None and not named and (type(process) is not int or process < 0):
        text = f"expected 'process' as a number from 0 or a name, not {shown(process)}"
        found.append(("process", text))
    for name in ("index", "time"):
        number = document.get(name)
        if number is not None and (type(number) is not int or not _fits(number)):
            found.append((name, f"expected '{name}' as a whole number, not {shown(number)}"))
    if document.get("untimed") not in (None, True):
        found.append(("untimed", f"expected 'untimed' as true, not {shown(document['untimed'])}"))
    return found


def micro_operations(value: Any) -> bool:
    """Whether a value is a list of micro-operations as ``["w", key, value]``."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(
            isinstance(item, list)
            and len(item) in (2, 3)
            and isinstance(item[0], str)
            and item[0] in MICRO_OPERATIONS
            for item in value
        )
    )


def shown(value: Any) -> str:
    """A value in a message, never long."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and not _fits(value):
        return "a number beyond 64 bits"
    if isinstance(value, str | int | float):
        text = repr(str(value)[:60] if isinstance(value, str) else value)
        return text if len(text) <= 44 else text[:40] + "..."
    return "a list" if isinstance(value, list) else "an object"


def _fits(number: int) -> bool:
    return -(2**63) < number < 2**63
