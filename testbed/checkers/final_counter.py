"""Counters: in the end every replica shows what was added, give or take what may have been.

Definition. The final read of a counter at a node lies between its initial value plus every
acknowledged increment and that plus every increment of unknown outcome. An amount below zero
counts the other way round. Reads that overlap increments are judged by the ``counter`` model of
``testbed.checkers.collections``; this one asks what was lost, or done twice, after all is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from testbed.checkers.operation_view import shown
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.history import History, Pair
from testbed.history.problem import HistoryError, Problem
from testbed.measures.session_steps import READS

NAME = "final-counter"
PROMISE = "In the end every counter has what was acknowledged, give or take what is unknown."
EXAMPLES_MAX = 20


def check(
    history: History,
    nodes: Sequence[str],
    *,
    increments: Iterable[str] = ("increment",),
    reads: Iterable[str] = READS,
    initial: int = 0,
) -> Verdict:
    """Judge the final reads of counters.

    Args:
        history: What clients saw; each counter is a key, or none where there is one counter.
        nodes: Every node that should show everything in the end.
        increments: The functions that add the amount that is their value.
        reads: The functions that read; their completions name the node.
        initial: What every counter begins with.

    Raises:
        HistoryError: The history cannot be paired, or an amount or a read is no whole number.
    """
    increments, reads = frozenset(increments), frozenset(reads)
    added = [pair for pair in history.of(increments) if pair.outcome != "fail"]
    read = history.of(reads, "ok")
    _refuse(history, [pair for pair in added if type(pair.invocation.value) is not int])
    _refuse(history, [pair for pair in read if type(pair.value) is not int])
    last_ns = max((pair.end_ns or pair.start_ns for pair in added), default=-1)
    final: dict[tuple[str, Any], Pair] = {}
    for pair in sorted(read, key=lambda pair: pair.end_ns or 0):
        if pair.start_ns > last_ns and pair.node in nodes:
            final[str(pair.node), str(pair.invocation.key)] = pair
    keys = {str(pair.invocation.key) for pair in added}
    wrong = []
    for (_, key), pair in final.items():
        least, greatest = _bounds([one for one in added if str(one.invocation.key) == key], initial)
        if not least <= pair.value <= greatest:
            wrong.append((pair, least, greatest))
    lacking = {str(pair.invocation.key) for pair, least, _ in wrong if pair.value < least}
    numbers = {
        "increments": float(len(added)),
        "unknown_increments": float(sum(pair.outcome == "info" for pair in added)),
        "final_reads": float(len(final)),
        "wrong_reads": float(len(wrong)),
        "rows_that_lost": float(len(lacking)),
    }
    if wrong:
        pair, least, greatest = wrong[0]
        reason = (
            f"{len(wrong)} of {len(final)} final reads are wrong; {pair.node} has {pair.value} "
            f"where {least} to {greatest} is possible"
        )
        examples = tuple(
            {
                "anomaly": "lost-increment" if pair.value < least else "phantom-increment",
                "text": [f"{pair.node} has {pair.value}, possible is {least} to {greatest}"],
                "operations": [shown(pair)],
            }
            for pair, least, greatest in wrong[:EXAMPLES_MAX]
        )
        return Verdict(NAME, PROMISE, Validity.VIOLATION, reason, examples, numbers)
    unread = [f"{node} {key}" for node in nodes for key in sorted(keys) if (node, key) not in final]
    if unread or not final:
        reason = f"no final read of {', '.join(unread[:8])}" if unread else "nothing was read"
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, reason, (), numbers)
    reason = f"{len(final)} final reads have what was acknowledged"
    return Verdict(NAME, PROMISE, Validity.VALID, reason, (), numbers)


def _bounds(added: Sequence[Pair], initial: int) -> tuple[int, int]:
    surely = initial + sum(pair.invocation.value for pair in added if pair.outcome == "ok")
    perhaps = [pair.invocation.value for pair in added if pair.outcome != "ok"]
    least = surely + sum(amount for amount in perhaps if amount < 0)
    return least, surely + sum(amount for amount in perhaps if amount > 0)


def _refuse(history: History, wrong: Sequence[Pair]) -> None:
    problems = [
        Problem(
            pair.invocation.index or 0, 0, f"expected a whole number as the value of '{pair.f}'"
        )
        for pair in wrong
    ]
    if problems:
        raise HistoryError(history.source, problems)
