"""A generator of identifiers: no two acknowledged ones are equal.

Definition. The values of the acknowledged ``generate`` operations are pairwise different. After
Jepsen's ``unique-ids`` (https://jepsen-io.github.io/jepsen/jepsen.checker.html).
"""

from __future__ import annotations

import numpy as np

from testbed.checkers.collections.calls import calls
from testbed.checkers.collections.elements import elements_of
from testbed.checkers.collections.witness import EXAMPLES_MAX, listed, witness
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
    elements = elements_of(history, given.ended)
    request.budget.note(f"{len(given)} identifiers were found, not yet compared")
    numbers = elements.number_rows(history, given.ended)
    times = np.bincount(numbers, minlength=len(elements))
    repeated = np.flatnonzero(times > 1).tolist()
    figures = {
        "attempted": float(len(asked)),
        "acknowledged": float(len(given)),
        "duplicated": float(len(repeated)),
    }
    if repeated:
        values = [elements.value(number) for number in repeated]
        examples = tuple(
            witness(
                history,
                "duplicated",
                [f"identifier {value} was given out {times[number]} times:"],
                given.begun[numbers == number][:EXAMPLES_MAX].tolist(),
                element=value,
            )
            for number, value in zip(repeated[:EXAMPLES_MAX], values, strict=False)
        )
        reason = f"{len(values)} identifiers were given out more than once: {listed(values)}"
        return Verdict(NAME, PROMISE, Validity.VIOLATION, reason, examples, figures)
    if not len(given):
        reason = "no identifier was given out"
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, reason, (), figures)
    reason = f"no two of {len(given)} identifiers are equal"
    return Verdict(NAME, PROMISE, Validity.VALID, reason, (), figures)
