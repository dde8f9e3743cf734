"""Entries to sessions: what sessions can hold, and what would get lost on the way."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from testbed.history.entry import Entry, micro_operations
from testbed.history.pairing import Complaints
from testbed.history.sessions import SessionTransaction

EDN_FIELD = "edn"
"""The field of a JSON line that holds the EDN it came from, where JSON cannot say it by itself."""

LOSSES = {
    "order": "what happened before what in different sessions",
    "times": "times and indexes",
    "errors": "errors",
    "fields": "fields that sessions do not have",
    "faults": "lines of faults",
    "names": "names of processes and functions",
}
"""What sessions cannot hold, by the word that gives it up."""

_GAP_MAX = 1000
_SHOWN_MAX = 5
_INDETERMINATE = "sessions hold no transaction whose outcome is not known"


class LossError(Exception):
    """The target cannot hold everything that the history says.

    Args:
        source: The file.
        lost: Words of :data:`LOSSES`, or sentences on what can never be given up.
    """

    exit_code = 64

    def __init__(self, source: str, lost: Iterable[str]) -> None:
        self.lost = tuple(lost)
        words = [word for word in self.lost if word in LOSSES]
        lines = [f"{source}: {LOSSES[word]} would get lost" for word in words]
        never = [f"{source}: {text}" for text in self.lost if text not in LOSSES]
        lines += never[:_SHOWN_MAX]
        if len(never) > _SHOWN_MAX:
            lines.append(f"{source}: and {len(never) - _SHOWN_MAX} more lines that do not fit")
        if words:
            lines.append(f"To give it up all the same: --without {','.join(words)}")
        super().__init__("\n".join(lines))


def sessions_of(
    entries: Iterable[Entry], complaints: Complaints, without: Collection[str]
) -> list[SessionTransaction]:
    """The transactions of a history, session by session.

    Raises:
        HistoryError: The history is malformed.
        LossError: Something would get lost that may not, or does not fit at all.
    """
    lost: dict[str, None] = {}
    sessions: dict[Any, list[SessionTransaction]] = {}
    pending: dict[Any, Entry] = {}
    unfit: list[str] = []
    for entry in entries:
        _losses(entry, lost)
        if entry.of_faults:
            continue
        trouble = _trouble(entry)
        if trouble:
            unfit.append(f"line {entry.line}: {trouble}")
        if entry.type == "invoke":
            sessions.setdefault(entry.process, [])
            pending[entry.process] = entry
        elif pending.pop(entry.process, None) is not None and not trouble:
            operations = [[_short(micro[0]), *micro[1:]] for micro in entry.value]
            found = SessionTransaction(0, entry.type == "ok", operations)
            sessions[entry.process].append(found)
    complaints.refuse()
    unfit += [f"line {entry.line}: {_INDETERMINATE}" for entry in pending.values()]
    if unfit:
        raise LossError(complaints.source, unfit)
    numbers = _numbers(sessions, lost)
    given_up = [word for word in lost if word not in without]
    if given_up:
        raise LossError(complaints.source, given_up)
    return [
        SessionTransaction(number, found.committed, found.operations)
        for process, number in sorted(numbers.items(), key=lambda item: item[1])
        for found in sessions[process]
    ]


def _losses(entry: Entry, lost: dict[str, None]) -> None:
    if entry.of_faults:
        lost["faults"] = None
        return
    if not entry.untimed:
        lost["order"] = None
    if entry.time is not None or entry.index is not None:
        lost["times"] = None
    if entry.error is not None:
        lost["errors"] = None
    if entry.key is not None or set(entry.more) - {EDN_FIELD}:
        lost["fields"] = None
    if entry.f != "txn":
        lost["names"] = None


def _trouble(entry: Entry) -> str | None:
    if entry.type == "info":
        return _INDETERMINATE
    if entry.value != [] and not micro_operations(entry.value):
        return "sessions hold transactions alone"
    for micro in entry.value:
        if micro[0] == "append":
            return "sessions hold reads and writes of registers, not appends"
        if len(micro) != 3:
            return "sessions want a key and a value"
        if entry.type != "invoke" and _short(micro[0]) == "w" and micro[2] is None:
            return "sessions want the value that was written"
    return None


def _short(name: str) -> str:
    return {"read": "r", "write": "w"}.get(name, name)


def _numbers(sessions: dict[Any, Any], lost: dict[str, None]) -> dict[Any, int]:
    """The number of the session of each process: its own, where that makes sense."""
    plain = all(type(process) is int for process in sessions)
    if plain and max(sessions, default=0) < len(sessions) + _GAP_MAX:
        return {process: process for process in sessions}
    lost["names"] = None
    return {process: number for number, process in enumerate(sessions)}
