"""After healing every node follows again within a bound.

Definition. A marker written after the heal is seen at every node, by a client that asks the
node itself, by the heal plus the bound; or, where it was written later than that, within the
grace after it was acknowledged. A node is late when a client asked it after that moment and did
not see the marker, refused connections included. Who was not asked then, and when no marker was
acknowledged though nobody tried long enough, the answer is unknown.

The time that it took is counted from the first try of the marker after the heal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from testbed.checkers.operation_view import moment_s, shown
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.history import History, Pair

NAME = "recovery"
PROMISE = "After healing every node follows again within the bound."

GRACE_MS = 5000.0


def check(
    history: History,
    nodes: Sequence[str],
    *,
    healed_ns: int,
    bound_ms: float,
    grace_ms: float = GRACE_MS,
    mark: str = "mark",
    marked: str = "marked",
    number: int | None = None,
) -> Verdict:
    """Judge the markers of a history.

    Args:
        history: What clients saw; ``mark`` has the marker's number as value, ``marked`` asks for
            it and is answered with true or false, and its completion names the node asked.
        nodes: Every node that should follow.
        healed_ns: When the last fault was healed; 0 if there was none.
        bound_ms: From then on.
        grace_ms: For a marker that is written after that.
        mark: The function that writes a marker.
        marked: The function that asks for it.
        number: The marker's number; None for the first that was written.

    Raises:
        HistoryError: The history cannot be paired.
    """
    due_ns = healed_ns + int(bound_ms * 1e6)
    tries = [
        pair
        for pair in history.of({mark})
        if pair.start_ns >= healed_ns and number in (None, pair.invocation.value)
    ]
    written = next((pair for pair in tries if pair.outcome == "ok"), None)
    if written is None:
        return _unwritten(tries, due_ns)
    assert written.end_ns is not None
    due_ns = max(due_ns, written.end_ns + int(grace_ms * 1e6))
    number = written.invocation.value
    asked = [pair for pair in history.of({marked}) if pair.invocation.value == number]
    seen = {node: _seen_ns(asked, node) for node in nodes}
    late = [node for node in nodes if _late(asked, node, seen[node], due_ns)]
    open_ = [node for node in nodes if (seen[node] or due_ns + 1) > due_ns and node not in late]
    # A load that goes on after the heal is no part of what the nodes need.
    from_ns = tries[0].start_ns
    times = [(time - from_ns) / 1e6 for time in seen.values() if time is not None]
    numbers = {
        "recovery_ms_max": max(times, default=0.0),
        "recovery_ms_bound": bound_ms,
        "nodes": float(len(nodes)),
        "late": float(len(late)),
    }
    if late:
        reason = (
            f"{', '.join(late)} did not show a marker written at {moment_s(written.end_ns)} when "
            f"asked after {moment_s(due_ns)}, {bound_ms:.0f} ms after the heal"
        )
        examples = (shown(written), *_examples(asked, late, due_ns))
        return Verdict(NAME, PROMISE, Validity.VIOLATION, reason, examples, numbers)
    if open_ or not nodes:
        reason = f"{', '.join(open_) or 'no node'} was not asked when the bound was over"
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, reason, (), numbers)
    reason = (
        f"all {len(nodes)} nodes showed the marker {max(times):.0f} ms after it was first tried, "
        f"which was {(from_ns - healed_ns) / 1e6:.0f} ms after the heal"
    )
    return Verdict(NAME, PROMISE, Validity.VALID, reason, (), numbers)


def _unwritten(tries: Sequence[Pair], due_ns: int) -> Verdict:
    after = [pair for pair in tries if pair.start_ns >= due_ns]
    numbers = {"markers_tried": float(len(tries))}
    if after:
        reason = f"no marker was acknowledged in {len(tries)} tries, {len(after)} after the bound"
        examples = (shown(after[0]),)
        return Verdict(NAME, PROMISE, Validity.VIOLATION, reason, examples, numbers)
    reason = "no marker was acknowledged after the heal, and none was tried when the bound was over"
    return Verdict(NAME, PROMISE, Validity.UNKNOWN, reason, (), numbers)


def _seen_ns(asked: Sequence[Pair], node: str) -> int | None:
    ends = [pair.end_ns for pair in asked if pair.node == node and _yes(pair)]
    return min((end for end in ends if end is not None), default=None)


def _late(asked: Sequence[Pair], node: str, seen_ns: int | None, due_ns: int) -> bool:
    """Whether a client asked the node when the bound was over, and before it saw the marker."""
    return any(
        pair.start_ns >= due_ns and (seen_ns is None or pair.start_ns < seen_ns)
        for pair in asked
        if pair.node == node and not _yes(pair)
    )


def _yes(pair: Pair) -> bool:
    return pair.outcome == "ok" and pair.value is True


def _examples(asked: Sequence[Pair], late: Sequence[str], due_ns: int) -> list[dict[str, Any]]:
    """For each late node its first answer without the marker when the bound was over."""
    lacking = [pair for pair in asked if pair.start_ns >= due_ns and not _yes(pair)]
    return [shown(next(pair for pair in lacking if pair.node == node)) for node in late]
