"""Whether sessions were told that a failover lost what they had written.

A later write to the same row hides a lost one from every read. A session that carries its places
in the log is told all the same, by the place at which the later timeline left the earlier one: its
next operation fails with an error that begins with ``lost:``. What it had written had been
acknowledged.
"""

from __future__ import annotations

from collections.abc import Iterable

from testbed.checkers.operation_view import shown
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.history import LOST, History

NAME = "session-losses"
PROMISE = "No failover loses what a session had written."
_SHOWN_MAX = 20


def check(history: History, functions: Iterable[str]) -> Verdict:
    """Look for sessions that were told of a loss.

    Args:
        history: What clients saw.
        functions: What sessions do.

    Returns:
        A violation with each such session's word, else valid: the routing that asks is the
        deployment's, and whether any session lived through a promotion is judged apart.

    Raises:
        HistoryError: The history cannot be paired.
    """
    told = [pair for pair in history.of(functions) if pair.failed_with(LOST)]
    sessions = {pair.invocation.process for pair in told}
    numbers = {"sessions_told": float(len(sessions))}
    if not told:
        return Verdict(NAME, PROMISE, Validity.VALID, "no session was told of a loss", (), numbers)
    first = told[0]
    assert first.completion is not None
    reason = (
        f"{len(sessions)} sessions have lost acknowledged writes;"
        f" the first was told: {first.completion.error}"
    )
    examples = tuple({"operations": [shown(pair)]} for pair in told[:_SHOWN_MAX])
    return Verdict(NAME, PROMISE, Validity.VIOLATION, reason, examples, numbers)
