"""Each register is linearizable: every operation takes effect at one moment between its ends.

Definition: M. Herlihy and J. Wing, Linearizability, ACM TOPLAS 12(3), 1990. It is local: a history
is linearizable exactly when that of each key is. A key whose written values are unique is decided
by ``register_zones`` in O(n log n), any other by ``register_search`` within a budget, and beyond
that the answer is unknown. A compare-and-set that failed says nothing.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from testbed.checkers.operation_view import shown
from testbed.checkers.register_search import BUDGET, Blocked, OutOfBudgetError, search
from testbed.checkers.register_step import RegisterStep, register_steps
from testbed.checkers.register_zones import Contradiction, contradiction, has_unique_values
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.history import History

NAME = "linearizability"
PROMISE = "Each register is linearizable."


def check(
    history: History,
    *,
    reads: Iterable[str] = ("read",),
    write: str = "write",
    cas: str = "cas",
    initial: Hashable = None,
    budget: int = BUDGET,
) -> Verdict:
    """Judge every key of a history of registers.

    Args:
        history: What clients saw; an operation's key says which register.
        reads: The functions that read what was written last; not those of replicas.
        write: The function that writes its value.
        cas: The function whose value is old and new.
        initial: What a register holds before any write.
        budget: Configurations that the search of one key may make.

    Raises:
        HistoryError: The history cannot be paired, or a value is no number or text.
    """
    by_key = register_steps(history, read=reads, write=write, cas=cas)
    violations: list[tuple[Hashable, str, list[dict[str, Any]]]] = []
    open_: list[tuple[Hashable, OutOfBudgetError]] = []
    for key, steps in by_key.items():
        try:
            found = _judge(steps, initial, budget)
        except OutOfBudgetError as error:
            open_.append((key, error))
            continue
        if found is not None:
            violations.append((key, *found))
    reads_done = sum(step.kind != "write" for steps in by_key.values() for step in steps)
    numbers = {
        "operations": float(sum(map(len, by_key.values()))),
        "keys": float(len(by_key)),
        "violated_keys": float(len(violations)),
        "open_keys": float(len(open_)),
    }
    if violations:
        key, reason, _ = violations[0]
        text = f"{len(violations)} of {len(by_key)} keys are not; key {key}: {reason}"
        examples = tuple(
            {"key": key, "reason": reason, "operations": operations}
            for key, reason, operations in violations[:20]
        )
        return Verdict(NAME, PROMISE, Validity.VIOLATION, text, examples, numbers)
    if open_:
        text = f"{len(open_)} of {len(by_key)} keys are open; key {open_[0][0]}: {open_[0][1]}"
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, text, (), numbers)
    if not reads_done:
        text = "no read completed: there was nothing to judge"
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, text, (), numbers)
    text = f"all {len(by_key)} keys are, over {numbers['operations']:.0f} operations"
    return Verdict(NAME, PROMISE, Validity.VALID, text, (), numbers)


def _judge(
    steps: list[RegisterStep], initial: Hashable, budget: int
) -> tuple[str, list[dict[str, Any]]] | None:
    """Why one key's steps are not linearizable, with the operations; None if they are."""
    found: Contradiction | Blocked | None
    if has_unique_values(steps, initial):
        found = contradiction(steps, initial)
        if found is None:
            return None
        return found.reason, [shown(step.pair) for step in found.steps]
    found = search(steps, initial, budget)
    if found is None:
        return None
    reason = "up to this operation's return the others can be linearized, and no further"
    return reason, [shown(step.pair) for step in (found.step, *found.pending)]
