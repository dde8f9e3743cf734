"""A generator of identifiers: no two acknowledged ones are equal.

Definition. The values of the acknowledged ``generate`` operations are pairwise different. After
Jepsen's ``unique-ids`` (https://jepsen-io.github.io/jepsen/jepsen.checker.html).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from testbed.checkers.collections.calls import Calls, calls
from testbed.checkers.collections.elements import canonical
from testbed.checkers.collections.witness import EXAMPLES_MAX, listed, shortened, witness
from testbed.checkers.counted import counted
from testbed.checkers.request import Request
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.operation_table import OperationTable, Tag
from testbed.history.problem import HistoryError, Problem

NAME = "unique-ids"
PROMISE = "No identifier is given out twice."


def check(history: OperationTable, request: Request) -> Verdict:
    """Judge identifiers: O(n log n) for integers, a sort; O(n) for others.

    Args:
        history: ``generate``, whose completion says the identifier, any JSON but null.
        request: Nothing of it is needed but the budget.

    Raises:
        HistoryError: An acknowledged ``generate`` says no identifier.
        OutOfBudgetError: It took too long.
    """
    asked = calls(history, "generate")
    given = asked.ok
    nameless = given.ended[history.tag[given.ended] == Tag.NULL].tolist()
    if nameless:
        expected = "expected an identifier as the value of an acknowledged 'generate'"
        problems = [Problem(int(history.line[row]), 0, expected) for row in nameless]
        raise HistoryError(history.source, problems)
    request.budget.note(f"{len(given)} identifiers were found, not yet compared")
    repeated = _repeated(history, given)
    figures = {
        "attempted": float(len(asked)),
        "acknowledged": float(len(given)),
        "duplicated": float(len(repeated)),
    }
    if repeated:
        values = [value for value, _ in repeated]
        examples = tuple(
            witness(
                history,
                "duplicated",
                [f"identifier {shortened(value)} was given out {len(rows)} times:"],
                rows[:EXAMPLES_MAX],
                element=value,
            )
            for value, rows in repeated[:EXAMPLES_MAX]
        )
        reason = f"{counted(len(values), 'identifier')} given out more than once: {listed(values)}"
        return Verdict(NAME, PROMISE, Validity.VIOLATION, reason, examples, figures)
    if not len(given):
        reason = "no identifier was given out"
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, reason, (), figures)
    reason = f"no two of {len(given)} identifiers are equal"
    return Verdict(NAME, PROMISE, Validity.VALID, reason, (), figures)


def _repeated(history: OperationTable, given: Calls) -> list[tuple[Any, list[int]]]:
    """The identifiers that were given out more than once, each with its invocations."""
    whole = history.tag[given.ended] == Tag.INTEGER
    integers = history.payload[given.ended[whole]]
    order = np.argsort(integers, kind="stable")
    ordered, begun = integers[order], given.begun[whole][order]
    # Where a value stands that is also the next one's.
    same = np.flatnonzero(ordered[1:] == ordered[:-1]).tolist()
    found: dict[Any, list[int]] = {}
    for place in same:
        rows = found.setdefault(int(ordered[place]), [int(begun[place])])
        rows.append(int(begun[place + 1]))
    others = given.of(~whole)
    texts: dict[bytes, list[int]] = {}
    for row, ended in zip(others.begun.tolist(), others.ended.tolist(), strict=True):
        texts.setdefault(canonical(history.value(ended)), []).append(row)
    repeated: list[tuple[Any, list[int]]] = list(found.items())
    repeated += [
        (history.value(int(history.partner[rows[0]])), rows)
        for rows in texts.values()
        if len(rows) > 1
    ]
    return sorted(repeated, key=lambda one: one[1])
