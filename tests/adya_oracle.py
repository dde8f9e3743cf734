"""Adya's levels between read committed and serializability, by their definitions.

After "Weak Consistency", MIT 1999: PL-2L, PL-MSR, PL-FCV and PL-3U, of small histories over lists
that are read committed and whose version orders are known. ``order`` is the order of sessions or of
real time that a form adds.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise, permutations
from typing import Any

Pairs = set[tuple[Any, Any]]
Transaction = dict[str, Any]


class Dsg:
    """Direct dependencies, with the events at which they leave and arrive.

    An event is ``(transaction, index of its micro-operation)``.
    """

    def __init__(self, transactions: list[Transaction], order: Pairs) -> None:
        self.transactions = transactions
        self.versions = _versions(transactions)
        self.rows = sorted(
            {row for rows in self.versions.values() for row in rows}
            | {row for row, each in enumerate(transactions) if each["outcome"] == "ok"}
        )
        self.order = {(a, b) for a, b in order if a in self.rows and b in self.rows}
        self.ww: Pairs = set()
        self.wr: Pairs = set()
        self.rw: Pairs = set()
        for key, writers in self.versions.items():
            self.ww |= {
                (self.last_write(a, key), self.last_write(b, key)) for a, b in pairwise(writers)
            }
        for row in self.rows:
            for at, (access, key, value) in enumerate(transactions[row]["ops"]):
                if access == "r" and transactions[row]["outcome"] == "ok":
                    self._read(row, at, key, value)

    def _read(self, row: int, at: int, key: Any, value: list[Any]) -> None:
        writers = self.versions.get(key, [])
        seen = -1
        if value:
            seen = next(
                n for n, w in enumerate(writers) if ["append", key, value[-1]] in self._ops(w)
            )
            if writers[seen] != row:
                self.wr.add((self.last_write(writers[seen], key), (row, at)))
        if seen + 1 < len(writers) and writers[seen + 1] != row:
            self.rw.add(((row, at), self.last_write(writers[seen + 1], key)))

    def _ops(self, row: int) -> list[list[Any]]:
        return [list(op) for op in self.transactions[row]["ops"]]

    def last_write(self, row: int, key: Any) -> tuple[int, int]:
        """The event that completed a version."""
        ops = self.transactions[row]["ops"]
        return row, max(at for at, op in enumerate(ops) if op[:2] == ["append", key])

    def updates(self) -> set[int]:
        return {row for rows in self.versions.values() for row in rows}


def _versions(transactions: list[Transaction]) -> dict[Any, list[int]]:
    """For each key who wrote its versions, in order: as read, what no read shows last."""
    longest: dict[Any, list[Any]] = {}
    for each in transactions:
        for access, key, value in each["ops"]:
            if (
                access == "r"
                and each["outcome"] == "ok"
                and len(value) >= len(longest.get(key, []))
            ):
                longest[key] = value
    shown = {(key, item) for key, items in longest.items() for item in items}
    writers: dict[Any, list[int]] = {}
    for key, items in longest.items():
        found = [
            next(n for n, e in enumerate(transactions) if ["append", key, i] in map(list, e["ops"]))
            for i in items
        ]
        writers[key] = list(dict.fromkeys(found))
    observed = {row for rows in writers.values() for row in rows}
    for row, each in enumerate(transactions):
        if each["outcome"] == "ok" or row in observed:
            for access, key, value in each["ops"]:
                unseen = access == "append" and (key, value) not in shown
                if unseen and row not in writers.setdefault(key, []):
                    writers[key].append(row)
    return writers


def _whole(pairs: Pairs) -> Pairs:
    return {(a[0], b[0]) for a, b in pairs if a[0] != b[0]}


def reaches(pairs: Pairs) -> Pairs:
    """Who comes before whom, by way of others too."""
    closed = set(pairs)
    while more := {(a, d) for a, b in closed for c, d in closed if b == c} - closed:
        closed |= more
    return closed


def monotonic_view(dsg: Dsg) -> bool:
    """PL-2L: no unfolded graph of one transaction has a circle with one RW, from a read of it."""
    for row in dsg.rows:
        events = [(row, at) for at in range(len(dsg.transactions[row]["ops"]))]
        if not events:
            continue

        def node(event: Any, row: int = row) -> Any:
            return event if event[0] == row else event[0]

        depends = {(node(a), node(b)) for a, b in dsg.ww | dsg.wr if a[0] != b[0]}
        depends |= set(pairwise(events))
        for a, b in dsg.order:
            depends.add((events[-1] if a == row else a, events[0] if b == row else b))
        reach = reaches(depends)
        if any(a[0] == row and (node(b), a) in reach for a, b in dsg.rw):
            return False
    return True


def monotonic_snapshot_read(dsg: Dsg) -> bool:
    """PL-MSR: transactions can be run step by step, each read from the latest of what committed.

    A write replaces what is committed then; it shows when its transaction commits.
    """
    sizes = {row: len(dsg.transactions[row]["ops"]) + 2 for row in dsg.rows}
    sources = {b: a[0] for a, b in dsg.wr}
    replaced = {b: a[0] for a, b in dsg.ww}
    misses = {a: b[0] for a, b in dsg.rw}

    def done(progress: tuple[int, ...]) -> set[int]:
        return {r for r, p in zip(dsg.rows, progress, strict=True) if p == sizes[r]}

    def may(row: int, step: int, over: set[int]) -> bool:
        if step == 0:
            return all(a in over for a, b in dsg.order if b == row)
        event = row, step - 1
        return (
            sources.get(event, row) in over | {row}
            and replaced.get(event, row) in over | {row}
            and misses.get(event) not in over
        )

    @cache
    def runs(progress: tuple[int, ...]) -> bool:
        over = done(progress)
        if len(over) == len(dsg.rows):
            return True
        return any(
            may(row, step, over) and runs((*progress[:at], step + 1, *progress[at + 1 :]))
            for at, (row, step) in enumerate(zip(dsg.rows, progress, strict=True))
            if step < sizes[row]
        )

    return runs(tuple(0 for _ in dsg.rows))


def forward_consistent_view(dsg: Dsg) -> bool:
    """PL-FCV: in some order of beginnings and commits no circle with it has exactly one RW."""
    depends, missed = _whole(dsg.ww | dsg.wr), _whole(dsg.rw)
    points = [(row, end) for row in dsg.rows for end in (0, 1)]
    for moments in permutations(points):
        at = {point: place for place, point in enumerate(moments)}
        if any(at[row, 0] > at[row, 1] for row in dsg.rows):
            continue
        starts = {(a, b) for a in dsg.rows for b in dsg.rows if a != b and at[a, 1] < at[b, 0]}
        if dsg.order <= starts:
            reach = reaches(depends | starts)
            if not any((b, a) in reach for a, b in missed):
                return True
    return False


def update_serializable(dsg: Dsg) -> bool:
    """PL-3U: updates and any one other transaction have no circle with an RW."""
    missed = _whole(dsg.rw)
    known = _whole(dsg.ww | dsg.wr) | dsg.order
    for row in dsg.rows:
        chosen = dsg.updates() | {row}
        reach = reaches({(a, b) for a, b in known | missed if a in chosen and b in chosen})
        if any((b, a) in reach and {a, b} <= chosen for a, b in missed):
            return False
    return consistent_view(dsg)


def read_committed(dsg: Dsg) -> bool:
    """PL-2 of reads of what committed: no circle is without an RW."""
    return not any(a == b for a, b in reaches(_whole(dsg.ww | dsg.wr) | dsg.order))


def consistent_view(dsg: Dsg) -> bool:
    """PL-2+: no circle has exactly one RW."""
    reach = reaches(_whole(dsg.ww | dsg.wr) | dsg.order)
    return not any((b, a) in reach for a, b in _whole(dsg.rw))


HOLDS = {
    "monotonic-view": monotonic_view,
    "monotonic-snapshot-read": monotonic_snapshot_read,
    "consistent-view": consistent_view,
    "forward-consistent-view": forward_consistent_view,
    "update-serializable": update_serializable,
}
