"""No acknowledged write is lost, and none appears that nobody asked for.

Definition, for a grow-only set of unique numbers: every add that was acknowledged is in the
final read of every node; nothing is in a final read that was never asked for, whose add surely
failed, or that stands there twice. An add of unknown outcome may be there or not. This is
Jepsen's ``set`` checker (https://github.com/jepsen-io/jepsen, ``jepsen.checker/set``), asked of
every node.

A node that was read too early would look as if it had lost what is still on its way. So what is
missing at one node counts as lost only if the node had shown a marker that was written after
every acknowledgement; or if no node has it at all. Otherwise, and where a node was not read, the
answer is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from testbed.checkers.operation_view import moment_s, shown
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.fault_window import FaultWindow, fault_windows
from testbed.history.history import History, Pair
from testbed.measures.final_state import FinalState, MissingWrite, final_state
from testbed.measures.rpo import loss_estimate, recovery_point

NAME = "durability"
PROMISE = "No acknowledged write is lost."

EXAMPLES_MAX = 500
"""Lost writes that are listed; all are counted."""


def check(history: History, nodes: Sequence[str], delay_ms: float = 0.0) -> Verdict:
    """Judge the final reads of a set.

    Args:
        history: What clients saw: ``add``, ``read``, ``mark``, ``marked``.
        nodes: Every node that should hold everything in the end.
        delay_ms: The longest one-way delay from a primary to a replica, with what replication
            itself takes: for the number of lost writes that rate and time explain.

    Raises:
        HistoryError: The history's operations cannot be paired or hold no numbers.
    """
    state = final_state(history, nodes)
    acknowledged = [add for add in state.adds if add.outcome == "ok"]
    lost, wrong = state.lost(), _wrong(state)
    windows = fault_windows(history)
    point = recovery_point(lost, len(acknowledged))
    numbers = {
        "acknowledged_writes": float(len(acknowledged)),
        "unknown_writes": float(sum(add.outcome == "info" for add in state.adds)),
        "lost_writes": float(len(lost)),
        "wrong_elements": float(len(wrong)),
        "final_reads": float(len(state.reads)),
        "rpo_ms": point.rpo_ms,
    }
    reasons = []
    if lost:
        explained = _explained(history, lost, windows, delay_ms)
        numbers |= explained
        reasons.append(_loss(lost, len(acknowledged), point.rpo_ms) + _fit(explained))
    if wrong:
        reasons.append(f"{len(wrong)} elements should not be there as they are")
    if reasons:
        examples = wrong[:50] + [_example(missing, windows) for missing in lost]
        return _verdict(Validity.VIOLATION, "; ".join(reasons), examples, numbers)
    doubt = _doubt(state, acknowledged, nodes)
    if doubt:
        return _verdict(Validity.UNKNOWN, doubt, (), numbers)
    reason = f"all {len(acknowledged)} acknowledged writes are at all {len(nodes)} nodes"
    return _verdict(Validity.VALID, reason, (), numbers)


def _doubt(state: FinalState, acknowledged: Sequence[Pair], nodes: Sequence[str]) -> str | None:
    """Why nothing can be said though nothing was found, if so."""
    twice = len(state.adds) - len({add.invocation.value for add in state.adds})
    if twice:
        return f"{twice} adds ask for a number that another one asks for: none can be told apart"
    if not acknowledged:
        return "no write was acknowledged: there was nothing to lose"
    if not nodes:
        return "no node was named that should hold the writes"
    if state.unread:
        return f"no final read of {', '.join(state.unread)} after the last acknowledgement"
    missing = state.missing()
    if missing:
        late = sorted({node for one in missing for node in one.late_nodes})
        return (
            f"{len(missing)} acknowledged writes are missing at {', '.join(late)}, which had not "
            "shown a late marker before it was read: lost or late cannot be told apart"
        )
    return None


def _wrong(state: FinalState) -> list[dict[str, Any]]:
    """What stands in a final read and should not, with the reason."""
    asked = {add.invocation.value: add for add in state.adds}
    failed = {add.invocation.value for add in state.adds if add.outcome == "fail"}
    # A number that was asked for again after it failed may be there.
    failed -= {add.invocation.value for add in state.adds if add.outcome != "fail"}
    found: list[dict[str, Any]] = []
    for read in state.reads.values():
        found += [
            {"kind": "phantom", "value": value, "at": read.node}
            for value in sorted(read.elements - asked.keys())
        ]
        found += [
            {"kind": "failed-but-present", "at": read.node, **shown(asked[value])}
            for value in sorted(read.elements & failed)
        ]
        found += [{"kind": "repeated", "value": one, "at": read.node} for one in read.repeated]
    return found


def _loss(lost: Sequence[MissingWrite], acknowledged: int, rpo_ms: float) -> str:
    nodes = ", ".join(sorted({str(missing.add.node) for missing in lost}))
    return (
        f"{len(lost)} of {acknowledged} acknowledged writes are lost; {nodes} had acknowledged "
        f"them from {moment_s(lost[0].add.end_ns or 0)} on, over {rpo_ms:.0f} ms"
    )


def _fit(explained: dict[str, float]) -> str:
    if not explained:
        return ""
    return (
        f" (rate times time is {explained['expected_lost']:.0f}, the cut explains "
        f"{explained['expected_lost_min']:.0f} to {explained['expected_lost_max']:.0f}, and "
        f"{explained['explained_lost']:.0f} are of that kind)"
    )


def _example(missing: MissingWrite, windows: Sequence[FaultWindow]) -> dict[str, Any]:
    more: dict[str, Any] = {"missing_at": list(missing.settled_nodes + missing.late_nodes)}
    before = [window for window in windows if window.inject_ns <= (missing.add.end_ns or 0)]
    if before:
        last = max(before, key=lambda window: window.inject_ns)
        more["last_fault"] = last.title
        more["after_fault_ms"] = ((missing.add.end_ns or 0) - last.inject_ns) / 1e6
    return {"kind": "lost", **shown(missing.add, **more)}


def _explained(
    history: History,
    lost: Sequence[MissingWrite],
    windows: Sequence[FaultWindow],
    delay_ms: float,
) -> dict[str, float]:
    """How many of the lost writes rate times time explains, over all faults."""
    estimates = [
        estimate
        for window in windows
        if (estimate := loss_estimate(history, lost, window, delay_ms=delay_ms)) is not None
        and estimate.lost_writes
    ]
    if not estimates:
        return {}
    return {
        "explained_lost": float(sum(one.lost_writes for one in estimates)),
        "expected_lost": sum(one.expected_lost for one in estimates),
        "expected_lost_min": sum(one.expected_lost_min for one in estimates),
        "expected_lost_max": sum(one.expected_lost_max for one in estimates),
    }


def _verdict(
    validity: Validity, reason: str, examples: Sequence[Any], numbers: dict[str, float]
) -> Verdict:
    return Verdict(NAME, PROMISE, validity, reason, tuple(examples[:EXAMPLES_MAX]), numbers)
