"""Whether a run can be judged at all: what is missing makes it inconclusive, never green.

Definition. The system took the load that it was given before anything was broken; every fault
was shown to bite, and to be gone after it was healed; while each fault held, every region's
clients went on asking; every node was read at the end; and the machine was fast enough for its
times to mean something. After etcd's robustness tests, which refuse a run whose traffic was too
low (https://github.com/etcd-io/etcd, ``tests/robustness``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from testbed.checkers.verdict import Validity, Verdict
from testbed.history.fault_window import FaultWindow, fault_windows
from testbed.history.history import History
from testbed.measures.load import load, load_span

NAME = "adequacy"
PROMISE = "The run can be judged: enough load, faults that bit, final reads, a machine fast enough."


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a run must show.

    Args:
        regions: Whose clients take part.
        nodes: The nodes that are read at the end.
        functions: The functions of the load, reads and writes.
        rate_ops_s: Operations due a second in each region.
        final: The functions that read the end state at every node.
        faults: How many faults the plan has.
        offered_min: The share of the planned operations that must have been due, 0 to 1.
        acknowledged_min: The share of those due before the first fault that must be acknowledged.
        silent_ms_max: How long a region's clients may ask for nothing while a fault holds.
        lateness_ms_max: How late the runner may have been at the 99th percentile.
    """

    regions: Sequence[str]
    nodes: Sequence[str]
    functions: Iterable[str]
    rate_ops_s: float
    final: Iterable[str] = ("read",)
    faults: int = 0
    offered_min: float = 0.8
    acknowledged_min: float = 0.9
    silent_ms_max: float = 2500.0
    lateness_ms_max: float = 250.0


def check(history: History, required: Requirements, *, lateness_ms: float | None = None) -> Verdict:
    """Say whether a run can be judged.

    Args:
        history: What clients saw, and the faults.
        required: What it must show.
        lateness_ms: The 99th percentile of how late the runner itself was; None if not measured.

    Returns:
        Valid, or unknown with every reason as counterexample; never a violation.

    Raises:
        HistoryError: The history cannot be paired, or its faults do not say enough.
    """
    windows = fault_windows(history)
    span = load_span(history, frozenset(required.functions) - frozenset(required.final))
    problems: list[str] = []
    numbers = {"faults": float(len(windows))}
    if span is None:
        problems.append("no operation of the load was recorded")
    else:
        numbers["load_s"] = (span[1] - span[0]) / 1e9
        problems += _offered(history, required, span)
        problems += unserved_before(history, required)
        for window in windows:
            problems += _silent(history, required, span, window)
        problems += _unread(history, required, span[1])
    problems += _evidence(required, windows)
    if lateness_ms is not None:
        numbers["lateness_ms_p99"] = lateness_ms
        if lateness_ms > required.lateness_ms_max:
            problems.append(
                f"the runner was {lateness_ms:.0f} ms late at the 99th percentile, allowed are "
                f"{required.lateness_ms_max:.0f} ms: give the machine less to do"
            )
    if history.truncation is not None:
        problems.append(f"the history ends in the middle of line {history.truncation.line}")
    if problems:
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, problems[0], tuple(problems), numbers)
    shown = "1 fault was" if len(windows) == 1 else f"{len(windows)} faults were"
    reason = f"{shown} shown, under {numbers['load_s']:.0f} s of load"
    return Verdict(NAME, PROMISE, Validity.VALID, reason, (), numbers)


def _offered(history: History, required: Requirements, span: tuple[int, int]) -> list[str]:
    planned = required.rate_ops_s * (span[1] - span[0]) / 1e9
    problems = []
    for region in required.regions:
        found = load(history, required.functions, from_ns=span[0], to_ns=span[1] + 1, region=region)
        if found.due < planned * required.offered_min:
            problems.append(
                f"clients in {region} were to ask for {planned:.0f} operations and asked for "
                f"{found.due}, expected {required.offered_min:.0%}"
            )
    return problems


def unserved_before(history: History, required: Requirements) -> list[str]:
    """Regions that were not served before the first fault either, a sentence each.

    What a fault took away cannot be said of them.

    Raises:
        HistoryError: The history cannot be paired, or its faults do not say enough.
    """
    span = load_span(history, frozenset(required.functions) - frozenset(required.final))
    if span is None:
        return []
    to_ns = min((window.inject_ns for window in fault_windows(history)), default=span[1] + 1)
    problems = []
    for region in required.regions:
        found = load(history, required.functions, from_ns=span[0], to_ns=to_ns, region=region)
        if found.availability is None or found.availability < required.acknowledged_min:
            problems.append(
                f"before the first fault {found.served} of {found.due} operations in {region} "
                f"succeeded, expected {required.acknowledged_min:.0%}: too little load to break"
            )
    return problems


def _silent(
    history: History, required: Requirements, span: tuple[int, int], window: FaultWindow
) -> list[str]:
    until_ns = span[1] if window.heal_ns is None else window.heal_ns
    from_ns, to_ns = window.inject_ns, min(until_ns, span[1])
    if not span[0] <= from_ns < span[1]:
        return [f"{window.title} was injected when no load ran"]
    problems = []
    for region in required.regions:
        starts = sorted(
            pair.start_ns
            for pair in history.of(required.functions)
            if pair.region == region and from_ns <= pair.start_ns <= to_ns
        )
        silent = max(later - earlier for earlier, later in pairwise([from_ns, *starts, to_ns]))
        if silent > required.silent_ms_max * 1e6:
            problems.append(
                f"clients in {region} asked for nothing for {silent / 1e6:.0f} ms during "
                f"{window.title}, allowed are {required.silent_ms_max:.0f} ms"
            )
    return problems


def _evidence(required: Requirements, windows: Sequence[FaultWindow]) -> list[str]:
    problems = []
    if len(windows) != required.faults:
        problems.append(f"{required.faults} faults were planned and {len(windows)} injected")
    for window in windows:
        if not window.effect_shown:
            problems.append(f"{window.title} was not shown to have taken effect")
        if window.heal_ns is not None and not window.absence_shown:
            problems.append(f"{window.title} was not shown to be gone after it was healed")
    return problems


def _unread(history: History, required: Requirements, load_end_ns: int) -> list[str]:
    read = {pair.node for pair in history.of(required.final, "ok") if pair.start_ns > load_end_ns}
    return [f"{node} was not read at the end" for node in required.nodes if node not in read]
