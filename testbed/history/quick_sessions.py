"""Sessions of the usual shape, to columns by whole columns instead of one operation at a time.

Knows texts and whole numbers as keys and values. Anything else, and whatever is not as the format
wants it, is left to the ordinary reader: this one refuses nothing.
"""

from __future__ import annotations

from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from testbed.history.transaction_table import Access, Outcome, Read, TransactionTable, narrowed

_FIELDS = {"committed", "ops"}
_PLAIN = {int, str}


class _Shape(NamedTuple):
    """A document's sessions, and of all transactions together what they are and do."""

    sessions: list[list[dict[str, Any]]]
    committed: list[bool]
    operations: list[list[Any]]
    micros: list[list[Any]]


def quick_table(document: Any, source: str) -> TransactionTable | None:
    """The table of a document, or None where it is not of the usual shape.

    Args:
        document: The parsed file.
        source: The file, for messages.
    """
    shape = _shape(document)
    if shape is None:
        return None
    sessions, committed, operations, micros = shape
    lengths = np.fromiter(map(len, operations), np.int64, len(operations))
    used = [number for number, session in enumerate(sessions) if session]
    sizes = [len(sessions[number]) for number in used]
    columns = _columns(micros, np.repeat(np.array(committed, dtype=bool), lengths))
    if columns is None:
        return None
    access, keys, key, values, value = columns
    rows = np.arange(len(committed), dtype=np.int64)
    return TransactionTable(
        process=np.repeat(np.arange(len(used), dtype=np.int32), sizes),
        outcome=np.where(committed, Outcome.OK, Outcome.FAIL).astype(np.int8),
        start=rows,
        end=rows.copy(),
        first=np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths))),
        access=access,
        key=key,
        value=narrowed(value),
        list_starts=np.zeros(1, np.int32),
        list_items=np.empty(0, np.int32),
        keys=keys,
        values=values,
        process_names=used,
        timed=False,
        line=np.zeros(len(committed), np.int64),
        source=source,
    )


def _shape(document: Any) -> _Shape | None:
    """The parts of a document of the usual shape; None for any other."""
    if not isinstance(document, dict) or document.keys() != {"sessions"}:
        return None
    sessions = document["sessions"]
    if not isinstance(sessions, list) or not _all_of(list, sessions):
        return None
    transactions = list(chain.from_iterable(sessions))
    if not _all_of(dict, transactions) or any(one.keys() != _FIELDS for one in transactions):
        return None
    committed = [one["committed"] for one in transactions]
    operations = [one["ops"] for one in transactions]
    if not _all_of(bool, committed) or not _all_of(list, operations):
        return None
    micros = list(chain.from_iterable(operations))
    if not _all_of(list, micros) or not set(map(len, micros)) <= {3}:
        return None
    return _Shape(sessions, committed, operations, micros)


def _all_of(kind: type, items: list[Any]) -> bool:
    return set(map(type, items)) <= {kind}


def _columns(micros: list[list[Any]], committed: Any) -> tuple[Any, ...] | None:
    """Accesses, keys with their numbers, values with theirs; None for an unusual shape."""
    names = list(map(itemgetter(0), micros))
    keys = list(map(itemgetter(1), micros))
    values = list(map(itemgetter(2), micros))
    if not set(map(type, names)) <= {str} or not set(names) <= {"r", "w"}:
        return None
    if not set(map(type, keys)) <= _PLAIN or not set(map(type, values)) <= {*_PLAIN, type(None)}:
        return None
    count = len(micros)
    writes = np.fromiter((name == "w" for name in names), bool, count)
    there = np.fromiter((value is not None for value in values), bool, count)
    if not there[writes].all():
        return None
    # What a transaction that did not commit read is not kept.
    value = np.where(writes | committed, int(Read.NOTHING), int(Read.UNSEEN)).astype(np.int64)
    kept = there & (writes | committed)
    distinct, value[kept] = _numbered(
        [each for each, keep in zip(values, kept, strict=True) if keep]
    )
    named, key = _numbered(keys)
    access = np.where(writes, Access.WRITE, Access.READ).astype(np.int8)
    return access, named, key.astype(np.int32), distinct, value


def _numbered(items: list[Any]) -> tuple[list[Any], Any]:
    """The different items in the order of their first appearance, and the number of each."""
    distinct = list(dict.fromkeys(items))
    numbers = dict(zip(distinct, range(len(distinct)), strict=True))
    return distinct, np.fromiter(map(numbers.__getitem__, items), np.int64, len(items))
