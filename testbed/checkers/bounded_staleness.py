"""Bounded staleness: no read returns a state that is older than a bound.

Definition. A read lacks no write that was acknowledged more than the bound before the read was
invoked. With a bound of 0 this is what a linearizable store promises about fresh reads. See
``testbed.measures.staleness`` for what can be told of registers.
"""

from __future__ import annotations

from collections.abc import Iterable

from testbed.checkers.operation_view import shown
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.history import History
from testbed.measures.latency import percentile
from testbed.measures.session_steps import READS
from testbed.measures.staleness import StaleRead, staleness

NAME = "bounded-staleness"
PROMISE = "No read returns a state that is older than the bound."
EXAMPLES_MAX = 20


def check(history: History, bound_ms: float, reads: Iterable[str] = READS) -> Verdict:
    """Judge how old what reads return is.

    Args:
        history: What clients saw: of a set, of lists, or of registers of unique values.
        bound_ms: The bound.
        reads: The functions that read.

    Raises:
        HistoryError: The history cannot be paired, or values have another shape.
    """
    found = staleness(history, reads)
    if not found:
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, "no read completed")
    ordered = sorted(one.staleness_ms for one in found)
    numbers = {
        "reads": float(len(found)),
        "bound_ms": float(bound_ms),
        "stale_reads": float(sum(one.missing is not None for one in found)),
        "staleness_p50_ms": percentile(ordered, 50),
        "staleness_p99_ms": percentile(ordered, 99),
        "staleness_max_ms": ordered[-1],
    }
    late = [one for one in found if one.missing is not None and one.staleness_ms > bound_ms]
    if late:
        worst = max(late, key=lambda one: one.staleness_ms)
        reason = (
            f"{len(late)} of {len(found)} reads are older than {bound_ms:g} ms; the worst, of "
            f"process {worst.read.invocation.process} at {worst.read.node}, by "
            f"{worst.staleness_ms:.0f} ms"
        )
        late.sort(key=lambda one: -one.staleness_ms)
        examples = tuple(_example(one) for one in late[:EXAMPLES_MAX])
        return Verdict(NAME, PROMISE, Validity.VIOLATION, reason, examples, numbers)
    if not any(
        pair.outcome == "ok" for pair in history.of({"add", "append", "write", "cas", "txn"})
    ):
        reason = "no write was acknowledged: no read could be stale"
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, reason, (), numbers)
    reason = f"{len(found)} reads are at most {ordered[-1]:.0f} ms old, the bound is {bound_ms:g}"
    return Verdict(NAME, PROMISE, Validity.VALID, reason, (), numbers)


def _example(one: StaleRead) -> dict[str, object]:
    assert one.missing is not None
    text = (
        f"the read lacks a write that was acknowledged {one.staleness_ms:.0f} ms before it was "
        f"invoked: {one.missing.f} {one.missing.invocation.value} at {one.missing.node}"
    )
    return {
        "anomaly": NAME,
        "text": [text],
        "staleness_ms": one.staleness_ms,
        "operations": [shown(one.missing), shown(one.read)],
    }
