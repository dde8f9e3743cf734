"""Which data subject of a run can be erased and looked for, and which rows are about it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from testbed.history.history import History, Pair
from testbed.history.residency import Canary
from testbed.history.residency_record import canaries_in
from testbed.probes.erasing import StoredRow

NEVER_STORED = frozenset({"error", "misplace"})
"""Purposes of canaries that no table ever holds: a value that was refused, which logs may hold."""


@dataclass(slots=True)
class Subject:
    """A data subject as a run's history shows it.

    Args:
        name: As its canaries have it.
        canaries: What was written of it.
        rows: Where it is stored.
        doubtful: Whether something was written of it that may never have been stored.
    """

    name: str
    canaries: list[Canary] = field(default_factory=list)
    rows: list[StoredRow] = field(default_factory=list)
    doubtful: bool = False


def subject_of(
    history: History,
    keys: Mapping[str, tuple[str, ...]],
    residency: str,
    free: str,
    seen: Collection[str] | None = None,
) -> Subject | None:
    """The subject of whom most was written, all of it acknowledged; None when there is none.

    Args:
        history: Of the run.
        keys: The primary key of each table with personal data.
        residency: The column that says where a row is at home.
        free: The word there for rows that are at home nowhere.
        seen: Canaries that are known to be somewhere; None where that was not looked for. What was
            lost with a server cannot be shown to be erased.
    """
    found: dict[str, Subject] = {}
    for pair in history.pairs():
        _note(found, pair, keys, residency)
    whole = [
        subject
        for subject in found.values()
        if not subject.doubtful
        and subject.rows
        and (seen is None or all(canary.token in seen for canary in subject.canaries))
        and all(row.residency != free for row in subject.rows)
    ]
    return max(whole, key=lambda subject: len(subject.canaries), default=None)


def _note(
    found: dict[str, Subject], pair: Pair, keys: Mapping[str, tuple[str, ...]], residency: str
) -> None:
    canaries = canaries_in(pair.invocation)
    names = {canary.subject for canary in canaries}
    for name in names:
        subject = found.setdefault(name, Subject(name))
        subject.canaries += [canary for canary in canaries if canary.subject == name]
        if pair.outcome != "ok" or len(names) > 1:
            subject.doubtful = True
        if NEVER_STORED.intersection(canary.purpose for canary in canaries):
            subject.doubtful = True
        for row in pair.invocation.value["rows"]:
            told = {**row.get("key", {}), **row["columns"]}
            key = {column: told.get(column) for column in keys.get(row["table"], ())}
            if None not in key.values() and residency in key:
                stored = StoredRow(row["table"], key, str(told[residency]))
                if stored not in subject.rows:
                    subject.rows.append(stored)
