"""A grow-only set that is read in the end: nothing lost, nothing that nobody added.

Definition. Every element whose ``add`` was acknowledged before the final read began is in it, and
everything in it was asked for by an ``add`` that may have been done. The final read is the
acknowledged ``read`` that completed last. After Jepsen's ``set`` checker
(https://jepsen-io.github.io/jepsen/jepsen.checker.html), with two differences: an element whose
adds all surely failed must not be there, and one that was acknowledged while the final read was
under way may be missing from it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from testbed.checkers.collections.calls import REMOVALS, Calls, calls
from testbed.checkers.collections.elements import STRANGER, elements_of
from testbed.checkers.collections.keyed import by_key
from testbed.checkers.collections.unexpected import Unexpected
from testbed.checkers.collections.witness import EXAMPLES_MAX, listed, shortened, witness
from testbed.checkers.counted import counted
from testbed.checkers.operation_shapes import refuse_functions
from testbed.checkers.request import Request
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.operation_table import Integers, OperationTable

NAME = "set"
PROMISE = "The final read holds every acknowledged element and none that nobody added."


@by_key
def check(history: OperationTable, request: Request) -> Verdict:
    """Judge a set: O(adds + size of the final read).

    Args:
        history: ``add`` with the element as value, ``read`` with all of them as a list.
        request: Nothing of it is needed but the budget.

    Raises:
        HistoryError: The final read's value is no list, or something is removed.
        OutOfBudgetError: It took too long.
    """
    refuse_functions(history, REMOVALS, "a set that only grows")
    adds, reads = calls(history, "add"), calls(history, "read").ok
    numbers = {"adds": float(len(adds)), "acknowledged": float(len(adds.ok))}
    if not len(reads):
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, "the set was never read", (), numbers)
    last = int(np.argmax(reads.ended))
    final, began = int(reads.ended[last]), int(reads.begun[last])
    request.budget.note(f"{len(adds)} adds were found, the final read was not judged yet")
    elements = elements_of(history, adds.possible.asked)
    contents = elements.contents(history, np.array([final], dtype=np.int64)).of(0)
    found = np.zeros(len(elements), dtype=np.bool_)
    found[contents[contents != STRANGER]] = True
    acknowledged = _first_rows(len(elements), elements.number_rows(history, adds.ok.asked), adds.ok)
    lost = np.flatnonzero(~found & (acknowledged >= 0) & (acknowledged < began))
    unread = int(np.count_nonzero(~found & (acknowledged >= began)))
    strange = np.flatnonzero(contents == STRANGER)
    numbers |= {
        "elements_read": float(np.count_nonzero(found) + len(strange)),
        "lost": float(len(lost)),
        "unexpected": float(len(strange)),
        "recovered": float(np.count_nonzero(found & (acknowledged < 0))),
        "repeated": float(len(contents) - np.count_nonzero(found) - len(strange)),
        "never_read": float(unread),
    }
    if len(lost) or len(strange):
        values = [elements.value(number) for number in lost.tolist()]
        examples = [
            _lost(history, value, int(history.partner[acknowledged[number]]), began)
            for number, value in zip(lost[:EXAMPLES_MAX].tolist(), values, strict=False)
        ]
        items = history.value(final)
        strangers = [items[place] for place in strange.tolist()]
        sources = Unexpected(adds)
        examples += [sources.shown(value, began) for value in strangers[:EXAMPLES_MAX]]
        parts = [f"{counted(len(values), 'acknowledged element')} lost: {listed(values)}"] * bool(
            values
        )
        parts += [
            f"{counted(len(strangers), 'element')} read that nobody added: {listed(strangers)}"
        ] * bool(strangers)
        reason = "; ".join(parts)
        return Verdict(NAME, PROMISE, Validity.VIOLATION, reason, tuple(examples), numbers)
    return _without_violation(numbers, unread)


def _without_violation(numbers: dict[str, float], unread: int) -> Verdict:
    acknowledged, seen = int(numbers["acknowledged"]), int(numbers["elements_read"])
    if unread:
        reason = f"{counted(unread, 'element')} acknowledged after the final read had begun"
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, reason, (), numbers)
    if not acknowledged and not seen:
        reason = "no element was acknowledged and none was read: there was nothing to lose"
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, reason, (), numbers)
    reason = f"all {acknowledged} acknowledged elements are among the {seen} of the final read"
    return Verdict(NAME, PROMISE, Validity.VALID, reason, (), numbers)


def _first_rows(count: int, numbered: Any, acknowledged: Calls) -> Integers:
    """For each element the row of its first acknowledgement, -1 where there is none."""
    never = np.iinfo(np.int64).max
    first = np.full(count, never, dtype=np.int64)
    np.minimum.at(first, numbered, acknowledged.ended)
    return np.where(first == never, -1, first)


def _lost(history: OperationTable, value: Any, add: int, read: int) -> dict[str, Any]:
    text = [
        f"element {shortened(value)} was acknowledged before the final read began and is not in it:"
    ]
    return witness(history, "lost", text, [add, read], element=value)
