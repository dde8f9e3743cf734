"""One client's writes appear in its order: who sees a later one sees the earlier ones.

Definition. One process inserts the parts ``k_0``, ``k_1``, ... of a key one after the other.
Another reads them one after the other in the contrary order, the last one first. Once it has seen
a part, every later read of it is of an earlier part, which must be there: no null follows a value.
After the ``sequential`` workload of Jepsen's tests of CockroachDB and of elle-cli
(https://github.com/ligurio/elle-cli). It shows some violations of sequential consistency, not all.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.collections.calls import calls
from testbed.checkers.collections.witness import EXAMPLES_MAX, witness
from testbed.checkers.request import Request
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.operation_table import Integers, OperationTable, Tag
from testbed.history.problem import HistoryError, Problem

NAME = "sequential"
PROMISE = "Who sees a later write of a process also sees its earlier ones."

_NONE, _SOME, _ALL, _BAD, _MALFORMED = range(5)


def check(history: OperationTable, request: Request) -> Verdict:
    """Judge reads of the parts of keys: O(size of the reads).

    Args:
        history: ``read``, whose completion is ``[key, [part or null, ...]]``, the part that was
            written last first; the list alone where operations have a key.
        request: Nothing of it is needed but the budget.

    Raises:
        HistoryError: An acknowledged read has another value.
        OutOfBudgetError: It took too long.
    """
    reads = calls(history, "read").ok
    request.budget.note(f"{len(reads)} reads were found, none was judged yet")
    found = _classes(history, reads.ended)
    malformed = reads.ended[found == _MALFORMED].tolist()
    if malformed:
        expected = "expected [key, [part or null, ...]] as the value of a read"
        problems = [Problem(int(history.line[row]), 0, expected) for row in malformed]
        raise HistoryError(history.source, problems)
    bad = np.flatnonzero(found == _BAD).tolist()
    numbers = {
        "reads": float(len(reads)),
        "all": float(np.count_nonzero(found == _ALL)),
        "some": float(np.count_nonzero(found == _SOME)),
        "none": float(np.count_nonzero(found == _NONE)),
        "bad": float(len(bad)),
    }
    if bad:
        text = "a part is missing that was written before one that had been seen:"
        examples = tuple(
            witness(history, "trailing-null", [text], [int(reads.begun[read])])
            for read in bad[:EXAMPLES_MAX]
        )
        reason = f"{len(bad)} of {len(reads)} reads see a later write and then miss an earlier one"
        return Verdict(NAME, PROMISE, Validity.VIOLATION, reason, examples, numbers)
    if len(reads) == numbers["none"]:
        reason = "no read saw a write: nothing can be said of their order"
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, reason, (), numbers)
    reason = f"{len(reads)} reads see the parts of their keys in order"
    return Verdict(NAME, PROMISE, Validity.VALID, reason, (), numbers)


def _classes(history: OperationTable, rows: Integers) -> NDArray[np.int8]:
    """What each read shows; equal values are looked at once."""
    _, first, which = np.unique(
        np.stack([history.tag[rows].astype(np.int64), history.payload[rows]]),
        axis=1,
        return_index=True,
        return_inverse=True,
    )
    classes = [_class(_parts(history, int(rows[place]))) for place in first.tolist()]
    return np.array(classes, dtype=np.int8)[which.reshape(-1)]


def _parts(history: OperationTable, row: int) -> Any:
    """The parts that a read shows, the last one first; None for another value."""
    if history.tag[row] in (Tag.PAIR, Tag.LIST):
        return history.value(row) if history.key[row] >= 0 else None
    value = history.value(row)
    if not isinstance(value, list):
        return None
    if len(value) == 2 and isinstance(value[1], list):
        return value[1]
    return value if history.key[row] >= 0 else None


def _class(parts: Any) -> int:
    if not isinstance(parts, list):
        return _MALFORMED
    there = [part is not None for part in parts]
    if not any(there):
        return _NONE
    if not all(there[there.index(True) :]):
        return _BAD
    return _ALL if all(there) else _SOME
