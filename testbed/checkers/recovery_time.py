"""Clients are served again within a bound after a fault: the promise behind an RTO.

Definition. Between an expectation's two moments, the longest time without an acknowledged write
for the region's clients, counted from the fault or from the last acknowledgement after it, is
at most the bound. A longer one during which the clients stopped asking says nothing about the
system; nor does one that had not ended when the time was over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from testbed.checkers.expectation import Expectation
from testbed.checkers.operation_view import moment_s
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.history import History
from testbed.measures.rto import Outage

NAME = "rto"
PROMISE = "After a fault every region that can reach a quorum is served again within the bound."

SILENT_MS_MAX = 2500.0
"""Clients that ask for nothing for longer than this say nothing of the system."""

UNENDED_MS_MAX = 1000.0
"""Without an acknowledgement for the last such time, it is open whether service came back."""


def check(history: History, expectations: Sequence[Expectation], writes: Iterable[str]) -> Verdict:
    """Judge every expectation.

    Args:
        history: What clients saw.
        expectations: Who is expected to be served again when.
        writes: The functions whose acknowledgement is service.

    Raises:
        HistoryError: The history cannot be paired.
    """
    if not expectations:
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, "no fault was there to recover from")
    writes = frozenset(writes)
    judged = [(one, one.outage(history, writes)) for one in expectations]
    late = [pair for pair in judged if _judge(*pair) is Validity.VIOLATION]
    open_ = [pair for pair in judged if _judge(*pair) is Validity.UNKNOWN]
    worst_expected, worst = max(late or judged, key=lambda pair: pair[1].rto_ms)
    numbers = {
        "rto_ms_max": worst.rto_ms,
        "rto_ms_bound": worst_expected.bound_ms,
        "expectations": float(len(judged)),
        "late": float(len(late)),
        "open": float(len(open_)),
    }
    examples = tuple(_example(*pair) for pair in late or open_)
    if late:
        reason = f"{_said(worst_expected, worst)}, {len(late)} of {len(judged)} are late"
        return Verdict(NAME, PROMISE, Validity.VIOLATION, reason, examples, numbers)
    if open_:
        reason = f"{_said(*open_[0])}: {_why_open(*open_[0])}"
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, reason, examples, numbers)
    reason = f"{_said(worst_expected, worst)}, the longest of {len(judged)}"
    return Verdict(NAME, PROMISE, Validity.VALID, reason, (), numbers)


def _judge(expected: Expectation, outage: Outage) -> Validity:
    if outage.rto_ms > expected.bound_ms:
        silent = outage.silent_ns_max > SILENT_MS_MAX * 1e6
        return Validity.UNKNOWN if silent else Validity.VIOLATION
    unended = outage.unended_ns > UNENDED_MS_MAX * 1e6
    return Validity.UNKNOWN if unended or outage.to_ns <= outage.from_ns else Validity.VALID


def _why_open(expected: Expectation, outage: Outage) -> str:
    if outage.rto_ms > expected.bound_ms:
        silent_ms = outage.silent_ns_max / 1e6
        return f"its clients asked for nothing for {silent_ms:.0f} ms, so it says nothing"
    return (
        f"no write was acknowledged in the last {outage.unended_ns / 1e6:.0f} ms, and the time "
        "was over before the bound was"
    )


def _said(expected: Expectation, outage: Outage) -> str:
    return (
        f"{outage.region} was without service for {outage.rto_ms:.0f} ms from "
        f"{moment_s(outage.start_ns)} on after {outage.cause} "
        f"(bound {expected.bound_ms:.0f} ms)"
    )


def _example(expected: Expectation, outage: Outage) -> dict[str, Any]:
    return {
        "region": outage.region,
        "cause": outage.cause,
        "from_ns": outage.from_ns,
        "last_ack_ns": outage.last_ack_ns,
        "first_ack_ns": outage.first_ack_ns,
        "rto_ms": outage.rto_ms,
        "bound_ms": expected.bound_ms,
        "invocations": outage.invocations,
    }
