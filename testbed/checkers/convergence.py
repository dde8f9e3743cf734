"""Convergence: when nothing is under way any more, all replicas have the same rows.

Definition. Every replica is read after a moment from which on nothing is under way, and every row
has the same version at all of them. A row that differs is shown with each replica's version and
the operations that wrote it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from testbed.checkers.operation_view import moment_s, shown
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.history import History, Pair
from testbed.measures.convergence import DifferingRow, final_rows
from testbed.measures.session_steps import READS

NAME = "convergence"
PROMISE = "When nothing is under way any more, all replicas have the same rows."
EXAMPLES_MAX = 50
WRITES_MAX = 20
"""So many operations of a row are shown: those that wrote what stayed, and the last ones."""


def check(
    history: History,
    nodes: Sequence[str],
    since_ns: int,
    *,
    reads: Iterable[str] = READS,
    writes: Iterable[str] | None = None,
) -> Verdict:
    """Judge the final states of replicas.

    Args:
        history: What clients saw; the completion of a read names its node.
        nodes: Every replica.
        since_ns: From here on nothing was under way any more: the run has healed, and waited.
        reads: The functions that read a key, all rows as an object, or all elements as a list.
        writes: The functions that may have written a row; all that read none if None.

    Raises:
        HistoryError: The history cannot be paired.
    """
    final = final_rows(history, nodes, since_ns, reads=reads, writes=writes)
    differing = final.differing()
    rows = {key for rows in final.rows.values() for key in rows}
    numbers = {
        "replicas": float(len(final.rows)),
        "rows": float(len(rows)),
        "differing_rows": float(len(differing)),
    }
    if differing:
        first = differing[0]
        versions = ", ".join(f"{node} has {version}" for node, version in first.versions.items())
        reason = f"{len(differing)} of {len(rows)} rows differ; row {first.key}: {versions}"
        examples = tuple(_example(row) for row in differing[:EXAMPLES_MAX])
        return Verdict(NAME, PROMISE, Validity.VIOLATION, reason, examples, numbers)
    if final.unread:
        reason = f"not every row of {', '.join(final.unread)} was read in the end"
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, reason, (), numbers)
    if len(final.rows) < 2 or not rows:
        reason = "there are not two replicas with rows to compare"
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, reason, (), numbers)
    reason = f"{len(final.rows)} replicas have the same {len(rows)} rows"
    return Verdict(NAME, PROMISE, Validity.VALID, reason, (), numbers)


def _line(pair: Pair) -> str:
    outcome = {"ok": "acknowledged", "info": "outcome unknown"}[pair.outcome]
    value, process = pair.invocation.value, pair.invocation.process
    when = f"{moment_s(pair.start_ns)}, {outcome}"
    return f"process {process} {pair.f} {value} at {pair.node} ({when})"


def _told(row: DifferingRow) -> list[Pair]:
    """The operations that tell most of how a row came to differ, in their order."""
    stayed = [version for version in row.versions.values() if version is not None]
    wrote = [pair for pair in row.writes if pair.invocation.value in stayed][-WRITES_MAX:]
    others = [pair for pair in row.writes if pair.invocation.value not in stayed]
    last = others[-(WRITES_MAX - len(wrote)) :] if len(wrote) < WRITES_MAX else []
    return sorted([*wrote, *last], key=lambda pair: pair.start_ns)


def _example(row: DifferingRow) -> dict[str, Any]:
    told = _told(row)
    return {
        "anomaly": "differing-row",
        "text": [
            f"row {row.key}:",
            *(f"  {node} has {version}" for node, version in row.versions.items()),
            *(f"  {_line(pair)}" for pair in told),
        ],
        "row": row.key,
        "versions": dict(row.versions),
        "operations": [shown(pair) for pair in told],
    }
