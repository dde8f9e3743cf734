"""A history split by key: every key judged on its own, the answers put together."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from testbed.checkers.request import OperationModel, Request
from testbed.checkers.verdict import Validity, Verdict, merge
from testbed.history.operation_table import Integers, Kind, OperationTable
from testbed.history.problem import HistoryError, Problem

SHOWN_KEYS_MAX = 3
"""Keys whose counterexamples are kept."""


def check_by_key(check: OperationModel, history: OperationTable, request: Request) -> Verdict:
    """Judge each key of a history on its own.

    Locality is what allows it: the promise of the whole is that of every key (Herlihy and Wing,
    "Linearizability", TOPLAS 12(3), 1990, for linearizability).

    Raises:
        HistoryError: An operation has no key.
        OutOfBudgetError: As the checker, saying how many keys were judged.
    """
    _keyed(history)
    verdicts: list[tuple[Any, Verdict]] = []
    parts = list(_parts(history))
    for number, rows in enumerate(parts):
        request.budget.note(f"{number:,} of {len(parts):,} keys were judged")
        part = _selected(history, rows)
        verdicts.append((history.keys[int(part.key[0])], check(part, request)))
    return _together(verdicts)


def _keyed(history: OperationTable) -> None:
    bad = np.flatnonzero((history.key < 0) & (history.kind == Kind.INVOKE))
    if len(bad):
        problems = [
            Problem(int(history.line[row]), 1, "expected the field 'key': the history is split by")
            for row in bad[:20].tolist()
        ]
        raise HistoryError(history.source, problems, len(bad))


def _parts(history: OperationTable) -> Iterator[Integers]:
    key = history.key.copy()
    completions = np.flatnonzero((history.kind != Kind.INVOKE) & (history.partner >= 0))
    key[completions] = key[history.partner[completions]]
    order = np.argsort(key, kind="stable")
    bounds = np.flatnonzero(np.diff(key[order])) + 1
    if len(order):
        yield from np.split(order, bounds)


def _selected(history: OperationTable, rows: Integers) -> OperationTable:
    listed = rows.tolist()
    places = {row: place for place, row in enumerate(listed)}
    errors = history.errors
    # Looked up by whichever are fewer: there may be as many errors and as many parts as rows.
    failed = errors if len(errors) < len(listed) else [row for row in listed if row in errors]
    part = dataclasses.replace(
        history,
        process=history.process[rows],
        kind=history.kind[rows],
        f=history.f[rows],
        key=history.key[rows],
        tag=history.tag[rows],
        payload=history.payload[rows],
        line=history.line[rows],
        time_ns=None if history.time_ns is None else history.time_ns[rows],
        errors={places[row]: errors[row] for row in failed if row in places},
    )
    partner = [places.get(row, -1) for row in history.partner[rows].tolist()]
    part.__dict__["partner"] = np.array(partner, dtype=np.int64)
    return part


def _together(verdicts: list[tuple[Any, Verdict]]) -> Verdict:
    if not verdicts:
        return Verdict(
            "partition", "every key keeps its promise", Validity.UNKNOWN, "there is no key to judge"
        )
    validity = merge(verdict for _, verdict in verdicts)
    same = [(key, verdict) for key, verdict in verdicts if verdict.validity == validity]
    first_key, first = same[0]
    count = f"{len(same):,} of {len(verdicts):,} keys"
    answers = {
        Validity.VALID: f"{len(verdicts):,} keys are valid, each on its own",
        Validity.UNKNOWN: f"{count} are unknown, the first {first_key!r}: {first.reason}",
        Validity.VIOLATION: f"{count} are violated, the first {first_key!r}: {first.reason}",
    }
    shown = tuple(
        {"key": key, **example} if isinstance(example, dict) else example
        for key, verdict in same[:SHOWN_KEYS_MAX]
        for example in verdict.counterexample
    )
    numbers = {"keys": float(len(verdicts))}
    return Verdict(first.name, first.promise, validity, answers[validity], shown, numbers)
