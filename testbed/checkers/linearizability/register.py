"""Judges registers: each key by its zones, or by search where a value was written twice."""

from __future__ import annotations

import numpy as np

from testbed.checkers.linearizability import zones
from testbed.checkers.linearizability.cas_judge import judge_registers
from testbed.checkers.linearizability.cas_values import CasReader
from testbed.checkers.linearizability.judge import Promise, nothing
from testbed.checkers.linearizability.values import (
    UNSAID,
    Numbered,
    numbered,
    without_unsaid,
)
from testbed.checkers.linearizability.zone_words import ZoneFinding, explained
from testbed.checkers.operation_shapes import require_functions
from testbed.checkers.request import Request
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.operation_table import NULL, Integers, Kind, OperationTable

PROMISE = Promise(
    "register",
    "Each register behaves as if its operations took effect one at a time, each between its "
    "invocation and its completion: a read sees the last write.",
)


def check(history: OperationTable, request: Request) -> Verdict:
    """Judge registers with ``read`` and ``write``, one a key.

    Args:
        history: The operations.
        request: ``init`` is each register's value at the beginning.

    Raises:
        HistoryError: An operation is neither ``read`` nor ``write``.
        OutOfBudgetError: It took too long.
    """
    require_functions(history, ("read", "write"))
    if not (history.kind == Kind.OK).any():
        return nothing(PROMISE)
    values = numbered(history, request.init)
    writes = (history.f == history.function("write")) & (history.kind == Kind.INVOKE)
    values = without_unsaid(history, values, writes & (values.rows == NULL))
    finding, ambiguous = _zones(history, values)
    numbers = {
        "operations": float(np.count_nonzero(history.kind == Kind.INVOKE)),
        "keys_decided_by_search": float(len(ambiguous)),
    }
    if finding is not None:
        reason, example = explained(history, values, finding)
        return PROMISE.verdict(Validity.VIOLATION, reason, (example,), numbers)
    if len(ambiguous):
        reader = CasReader(history, values)
        verdict = judge_registers(
            history, request, PROMISE, reader.read, values.text, only_keys=ambiguous.tolist()
        )
        return PROMISE.verdict(
            verdict.validity, verdict.reason, verdict.counterexample, numbers | verdict.numbers
        )
    reason = "an order of the operations exists that a register allows"
    return PROMISE.verdict(Validity.VALID, reason, (), numbers)


def _zones(history: OperationTable, values: Numbered) -> tuple[ZoneFinding | None, Integers]:
    """What the zones contradict, and the keys where they decide nothing."""
    rows, write = len(history), history.function("write")
    clusters = zones.room_for(int(np.count_nonzero(history.kind == Kind.INVOKE)))
    ambiguous = np.zeros(len(history.keys) + 1, dtype=np.int8)
    count = zones.cluster_rows.for_rows(rows)(
        zones.Columns(history.process, history.kind, history.f, history.key, values.rows),
        clusters,
        ambiguous,
        np.full(len(history.process_names), -1, dtype=np.int32),
        (write, values.init, UNSAID),
    )
    marks = np.full(rows + 1, -1, dtype=np.int32)
    opened = np.full(len(ambiguous), -1, dtype=np.int32)
    mark = zones.mark_zones.for_rows(rows)
    found, one = mark(clusters, count, ambiguous, marks, opened)
    other = one
    if found == zones.NONE:
        found, one, other = zones.walk_zones.for_rows(rows)(clusters, marks, opened)
    if found == zones.NONE:
        return None, np.flatnonzero(ambiguous) - 1

    def cluster(number: int) -> tuple[int, int, int]:
        columns = (clusters.first, clusters.last, clusters.written)
        first, last, written = (int(column[number]) for column in columns)
        return first, last, written

    key = int(clusters.key[one])
    return ZoneFinding(found, cluster(one), cluster(other), key), np.empty(0, np.int64)
