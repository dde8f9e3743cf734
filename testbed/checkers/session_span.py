"""Whether sessions were there to see a promotion: who wrote before it and read after it.

Not a promise of the system: without such a session nothing that holds "through a failover" was
put to the test. A session spans a promotion when it has an acknowledged write of an earlier term
that ended before the first acknowledgement of a later term, and a read that was answered after it.
Where there are several logs, each has terms of its own, and both terms are of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from testbed.checkers.verdict import Validity, Verdict
from testbed.history.history import History

NAME = "session-span"
PROMISE = "Sessions wrote before a promotion and read after it."


ONE_LOG: Mapping[str, str] = MappingProxyType({})


def check(
    history: History,
    writes: Iterable[str],
    reads: Iterable[str],
    log_of: Mapping[str, str] = ONE_LOG,
) -> Verdict:
    """Count the sessions that lived through a promotion.

    Args:
        history: What clients saw; acknowledged writes carry their term.
        writes: Functions that a primary acknowledges.
        reads: Functions of a session's reads.
        log_of: By node, the log that its acknowledgements are in; nodes that it lacks share one.

    Returns:
        Valid, or unknown where no session spans a promotion; never a violation.

    Raises:
        HistoryError: The history cannot be paired.
    """
    acknowledged = sorted(
        (pair for pair in history.of(writes, "ok") if pair.completion and pair.completion.term),
        key=lambda pair: pair.end_ns or 0,
    )
    wrote: dict[tuple[int | str, str], tuple[int, int]] = {}
    began: dict[tuple[str, int], int] = {}
    for pair in acknowledged:
        assert pair.completion is not None
        log = log_of.get(pair.node or "", "")
        term, end_ns = pair.completion.term or 0, pair.end_ns or 0
        began.setdefault((log, term), end_ns)
        wrote.setdefault((pair.invocation.process, log), (term, end_ns))
    spanning: dict[int | str, int] = {}
    for pair in history.of(reads, "ok"):
        process = pair.invocation.process
        later = [
            ns
            for (log, term), ns in began.items()
            for first in [wrote.get((process, log))]
            if first is not None and term > first[0] and ns > first[1]
        ]
        if later and pair.start_ns > min(later):
            spanning[process] = spanning.get(process, 0) + 1
    numbers = {
        "terms": float(len(began)),
        "sessions": float(len(spanning)),
        "reads_after": float(sum(spanning.values())),
    }
    if spanning:
        reason = (
            f"{len(spanning)} sessions wrote before a promotion and read "
            f"{sum(spanning.values())} times after it"
        )
        return Verdict(NAME, PROMISE, Validity.VALID, reason, (), numbers)
    reason = f"{len(began)} terms acknowledged writes, and no session lived through a promotion"
    return Verdict(NAME, PROMISE, Validity.UNKNOWN, reason, (), numbers)
