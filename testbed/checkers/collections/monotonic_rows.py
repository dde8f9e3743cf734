"""Rows with times of their transactions: values grow with time and none is lost."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np

from testbed.checkers.collections.calls import Calls, calls
from testbed.checkers.collections.witness import EXAMPLES_MAX, witness
from testbed.checkers.counted import counted
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.operation_table import Kind, OperationTable
from testbed.history.problem import HistoryError, Problem

NAME = "monotonic"
PROMISE = "Values grow in the order of their transactions' times, and none is lost."
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]{1,9})?M?")


@dataclass(frozen=True, slots=True)
class _Row:
    """One row: its value, and the time of its transaction where it says one."""

    value: int
    time: int | float | str | None


def check_rows(history: OperationTable) -> Verdict:
    """Judge the final read of all rows.

    Args:
        history: ``add`` and ``read``, as ``monotonic.check`` says.

    Raises:
        HistoryError: A value has another shape, or times cannot be compared.
    """
    adds, reads = calls(history, "add"), calls(history, "read").ok
    if not len(reads):
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, "the rows were never read")
    last = int(np.argmax(reads.ended))
    began, ended = int(reads.begun[last]), int(reads.ended[last])
    rows = _rows(history, ended)
    added = _added(history, adds)
    there = [row.value for row in rows]
    dated = [row for row in rows if row.time is not None]
    broken: dict[str, list[Any]] = {
        "lost": _lost(added, began, frozenset(there)),
        "revived": [
            value for value in dict.fromkeys(there) if added.get(value, (0, 0, 0))[2] == Kind.FAIL
        ],
        "duplicated": _repeated(there),
        "value-order": [(a.value, b.value) for a, b in pairwise(rows) if a.value >= b.value],
        "time-order": [(a.time, b.time) for a, b in pairwise(dated) if _later(a, b)],
    }
    numbers = {"adds": float(len(adds)), "rows": float(len(rows))}
    numbers |= {name.replace("-", "_"): float(len(found)) for name, found in broken.items()}
    if any(broken.values()):
        examples = tuple(
            witness(history, name, [f"{_WORDS[name]}: {_text(one)}:"], [*_of(added, one), began])
            for name, found in broken.items()
            for one in found[:EXAMPLES_MAX]
        )
        reason = "; ".join(
            f"{counted(len(found), 'time')} {_WORDS[name]}: {_text(found[0])}"
            for name, found in broken.items()
            if found
        )
        return Verdict(NAME, PROMISE, Validity.VIOLATION, reason, examples, numbers)
    if len(rows) < 2:
        reason = "the final read has fewer than two rows: there was nothing to compare"
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, reason, (), numbers)
    reason = f"the values of {len(rows)} rows grow in the order of time"
    return Verdict(NAME, PROMISE, Validity.VALID, reason, (), numbers)


_WORDS = {
    "lost": "an acknowledged value is not there",
    "revived": "a value is there whose add failed",
    "duplicated": "a value is there twice",
    "value-order": "a value is not below the next one in the order of time",
    "time-order": "a time is after the next one's",
}

Added = dict[int, tuple[int, int, int]]
"""By value the rows of invocation and completion, and the outcome."""


def _added(history: OperationTable, adds: Calls) -> Added:
    """The adds whose value is known: from the completion, or else from the invocation."""
    added: Added = {}
    problems: list[Problem] = []
    chosen = _chosen(history, adds)
    for begun, ended, outcome in zip(
        adds.begun.tolist(), adds.ended.tolist(), adds.outcome.tolist(), strict=True
    ):
        said = history.value(ended) if ended >= 0 else None
        said = history.value(begun) if said is None else said
        if outcome != Kind.OK and type(said) is int and not chosen:
            continue
        row = _row(said)
        if row is not None:
            # A value that was asked for again counts by what surely happened last.
            if added.get(row.value, (0, 0, Kind.FAIL))[2] == Kind.FAIL or outcome == Kind.OK:
                added[row.value] = (begun, ended, outcome)
        elif outcome == Kind.OK:
            problems.append(Problem(int(history.line[ended]), 0, f"{_EXPECTED} of an 'add'"))
    if problems:
        raise HistoryError(history.source, problems)
    return added


def _chosen(history: OperationTable, adds: Calls) -> bool:
    """Whether it is the client that says which value is added.

    In Jepsen's test of CockroachDB the database says it, and the number that an invocation carries
    counts the operations: of an add that failed or may have, the value is not known.
    """
    for begun, ended in zip(adds.ok.begun.tolist(), adds.ok.ended.tolist(), strict=True):
        asked, said = _row(history.value(begun)), _row(history.value(ended))
        if asked is not None and said is not None and asked.value != said.value:
            return False
    return True


_EXPECTED = "expected a whole number, [value, time] or an object with 'val' and 'sts' as the value"


def _rows(history: OperationTable, row: int) -> list[_Row]:
    """The rows of a read.

    Raises:
        HistoryError: They are none, or their times are of different kinds.
    """
    value = history.value(row)
    rows = [_row(one) for one in value] if isinstance(value, list) else [None]
    good = [one for one in rows if one is not None]
    kinds = {isinstance(one.time, str) for one in good if one.time is not None}
    if len(good) < len(rows) or len(kinds) > 1:
        expected = f"{_EXPECTED} of each row of a 'read', all times numbers or all text"
        raise HistoryError(history.source, [Problem(int(history.line[row]), 0, expected)])
    return good


def _row(value: Any) -> _Row | None:
    if type(value) is int:
        return _Row(value, None)
    if isinstance(value, dict):
        value = [value.get("val"), value.get("sts")]
    if not isinstance(value, list) or len(value) < 2 or type(value[0]) is not int:
        return None
    time = value[1]
    if isinstance(time, bool) or not isinstance(time, int | float | str | None):
        return None
    return _Row(value[0], time)


def _later(one: _Row, two: _Row) -> bool:
    """Whether the first row's time is after the second's."""
    if one.time is None or two.time is None:
        return False
    return sortable(one.time) > sortable(two.time)


def sortable(time: float | str) -> tuple[int, Any]:
    """A time as what sorts like it.

    Text may be a number of more digits than a JSON number can hold, with a sign, a fraction or a
    power of ten, also one of EDN as ``1.5M``, or a date, whose seconds have as many digits as they
    need: ``12.5Z`` is after ``12Z``.
    """
    if not isinstance(time, str):
        return (0, time)
    if _NUMBER.fullmatch(time):
        return (0, Decimal(time.removesuffix("M")))
    return (1, time.removesuffix("Z"))


def _lost(added: Added, began: int, there: frozenset[int]) -> list[int]:
    return [
        value
        for value, (_, ended, outcome) in added.items()
        if outcome == Kind.OK and ended < began and value not in there
    ]


def _repeated(values: list[int]) -> list[int]:
    seen: set[int] = set()
    return [value for value in values if value in seen or seen.add(value)]  # type: ignore[func-returns-value]


def _text(one: Any) -> str:
    """A value, or two that stand in the wrong order."""
    return f"{one[0]}, then {one[1]}" if isinstance(one, tuple) else str(one)


def _of(added: Added, one: Any) -> list[int]:
    """The adds of a value, or of a pair of values."""
    values = one if isinstance(one, tuple) else (one,)
    return [added[value][0] for value in values if value in added]
