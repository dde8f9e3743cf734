"""A queue that is drained in the end: what goes in comes out.

Definition, over multisets of values. *Lost*: acknowledged enqueues beyond the dequeues of the same
value; an acknowledged drain dequeues every element of its list. *Unexpected*: a value that was
dequeued though no enqueue that may have been done asked for it by then. *Duplicated*: dequeues
beyond the enqueues that may have been done. *Recovered*: dequeues of enqueues whose outcome is not
known. Lost and unexpected elements are violations; duplicates are only counted, as a queue that
delivers at least once may repeat itself. After Jepsen's ``total-queue``
(https://jepsen-io.github.io/jepsen/jepsen.checker.html), with one difference: a dequeue of unknown
outcome may have taken an element, so what these can explain is not called lost but unknown.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from testbed.checkers.collections.calls import Calls, calls
from testbed.checkers.collections.elements import STRANGER, Elements, Numbers, elements_of
from testbed.checkers.collections.keyed import by_key
from testbed.checkers.collections.unexpected import Unexpected
from testbed.checkers.collections.witness import EXAMPLES_MAX, listed, shortened, witness
from testbed.checkers.counted import counted
from testbed.checkers.request import Request
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.operation_table import Integers, OperationTable

NAME = "total-queue"
PROMISE = "Every acknowledged element of the queue comes out, and nothing that nobody put in."


@by_key
def check(history: OperationTable, request: Request) -> Verdict:
    """Judge a queue: O(operations).

    Args:
        history: ``enqueue`` with the element as value; ``dequeue``, whose completion says the
            element; ``drain``, whose completion lists those that it took.
        request: Nothing of it is needed but the budget.

    Raises:
        HistoryError: A drain's value is no list.
        OutOfBudgetError: It took too long.
    """
    puts, takes, drains = (calls(history, f) for f in ("enqueue", "dequeue", "drain"))
    elements = elements_of(history, puts.possible.asked)
    request.budget.note(f"{len(puts)} enqueues were found, nothing was judged yet")
    taken, rows, places = _taken(history, elements, takes.ok, drains.ok)
    count = len(elements)
    put = elements.number_rows(history, puts.possible.asked)
    put_ok = elements.number_rows(history, puts.ok.asked)
    strange = _strange(taken, rows, put, puts.possible, count)
    attempts, acknowledged = (np.bincount(these, minlength=count) for these in (put, put_ok))
    out = np.bincount(taken[taken != STRANGER], minlength=count)
    lost = np.maximum(acknowledged - out, 0)
    numbers = {
        "enqueues": float(len(puts)),
        "acknowledged": float(len(puts.ok)),
        "dequeued": float(len(taken)),
        "lost": float(lost.sum()),
        "unexpected": float(len(strange)),
        "duplicated": float(np.maximum(out - attempts, 0).sum()),
        "recovered": float(np.maximum(np.minimum(out, attempts) - acknowledged, 0).sum()),
        "dequeues_of_unknown_outcome": float(takes.indeterminate + drains.indeterminate),
    }
    asked = len(drains.ok) + len(takes) - takes.indeterminate
    doubt = _doubt(numbers, asked, takes.indeterminate, drains.indeterminate)
    if len(strange) or (numbers["lost"] and doubt is None):
        missing = np.flatnonzero(lost) if doubt is None else np.array([], dtype=np.int64)
        reason, examples = _explained(
            history, elements, puts, missing, _values(history, rows, places, strange)
        )
        return Verdict(NAME, PROMISE, Validity.VIOLATION, reason, examples, numbers)
    if doubt is not None:
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, doubt, (), numbers)
    reason = f"all {len(puts.ok)} acknowledged elements came out"
    if numbers["duplicated"]:
        reason += f", {int(numbers['duplicated'])} of them more than once"
    return Verdict(NAME, PROMISE, Validity.VALID, reason, (), numbers)


def _taken(
    history: OperationTable, elements: Elements, takes: Calls, drains: Calls
) -> tuple[Numbers, Integers, Integers]:
    """The number of every element that came out, its completion, its place there (-1: alone)."""
    single = elements.number_rows(history, takes.ended)
    contents = elements.contents(history, drains.ended)
    lists = [contents.of(drain) for drain in range(len(drains))]
    rows = np.repeat(drains.ended, [len(one) for one in lists])
    places = [np.full(len(single), -1), *(np.arange(len(one)) for one in lists)]
    return (
        np.concatenate([single, *lists]),
        np.concatenate([takes.ended, rows]),
        np.concatenate(places),
    )


def _strange(taken: Numbers, rows: Integers, put: Numbers, puts: Calls, count: int) -> Integers:
    """The places in ``taken`` of what nobody can have put in by then."""
    first = np.full(count + 1, len(puts.table), dtype=np.int64)
    np.minimum.at(first, put, puts.begun)
    # A stranger's number is -1: the last slot, which no enqueue fills.
    return np.flatnonzero(rows < first[taken])


def _doubt(numbers: dict[str, float], asked: int, takes: int, drains: int) -> str | None:
    """Why what is missing may not be lost, or why there is nothing to judge."""
    lost = int(numbers["lost"])
    if not numbers["acknowledged"] and not numbers["dequeued"]:
        return "nothing was acknowledged and nothing came out: there was nothing to lose"
    if lost and not asked:
        return "nothing was ever taken out of the queue"
    if lost and (lost <= takes or drains):
        return (
            f"{counted(lost, 'acknowledged element')} did not come out: "
            f"{counted(takes, 'dequeue')} and {counted(drains, 'drain')} of unknown outcome may "
            "have taken as many"
        )
    return None


def _values(
    history: OperationTable, rows: Integers, places: Integers, chosen: Integers
) -> list[tuple[int, Any]]:
    """Some of the elements that came out, each with its completion."""
    found = []
    whole: dict[int, Any] = {}
    for row, place in zip(rows[chosen].tolist(), places[chosen].tolist(), strict=True):
        # A drain's list is made once, however many of its elements are strange.
        value = whole[row] if row in whole else whole.setdefault(row, history.value(row))
        found.append((row, value if place < 0 else value[place]))
    return found


def _explained(
    history: OperationTable,
    elements: Elements,
    puts: Calls,
    missing: Integers,
    strange: list[tuple[int, Any]],
) -> tuple[str, tuple[Any, ...]]:
    parts, examples = [], []
    values = [elements.value(number) for number in missing.tolist()]
    if values:
        parts.append(
            f"{counted(len(values), 'acknowledged element')} never came out: {listed(values)}"
        )
        numbers = elements.number_rows(history, puts.ok.asked)
        for number, value in zip(missing[:EXAMPLES_MAX].tolist(), values, strict=False):
            put = puts.ok.begun[numbers == number].tolist()
            text = [f"element {shortened(value)} was acknowledged and never came out:"]
            examples.append(witness(history, "lost", text, put[-1:], element=value))
    if strange:
        values = [value for _, value in strange]
        parts.append(
            f"{counted(len(values), 'element')} came out that nobody had put in: {listed(values)}"
        )
        sources = Unexpected(puts)
        examples += [
            sources.shown(value, int(history.partner[row])) for row, value in strange[:EXAMPLES_MAX]
        ]
    return "; ".join(parts), tuple(examples)
