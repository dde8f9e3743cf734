"""A counter: every read lies between what surely was added and what may have been.

Definition. A read is at least the initial value plus every increment that was acknowledged before
the read was invoked, and at most that value plus every increment that was invoked before the read
completed and did not surely fail. A decrement counts the other way round: for the least value from
its invocation on, for the greatest from its acknowledgement on. After Jepsen's ``counter``
(https://jepsen-io.github.io/jepsen/jepsen.checker.html), which allows no decrements.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from testbed.checkers.collections.calls import Calls, calls
from testbed.checkers.collections.figure import figure
from testbed.checkers.collections.keyed import by_key
from testbed.checkers.collections.witness import EXAMPLES_MAX, witness
from testbed.checkers.operation_shapes import require_functions
from testbed.checkers.request import Request, RequestError
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.operation_table import Integers, OperationTable, Tag
from testbed.history.problem import HistoryError, Problem

NAME = "counter"
_SUM_MAX = 2**61
Whole: TypeAlias = NDArray[Any]
PROMISE = "Every read lies between what surely was added and what may have been."


@by_key
def check(history: OperationTable, request: Request) -> Verdict:
    """Judge a counter: O(operations).

    Args:
        history: ``add`` with the amount as value, below 0 for a decrement; ``read``.
        request: The initial value, 0 if none is given.

    Raises:
        HistoryError: A function is another one; or an amount, or what an acknowledged read
            returned, is no whole number.
        RequestError: The initial value is no whole number.
        OutOfBudgetError: It took too long.
    """
    if request.init is not None and type(request.init) is not int:
        raise RequestError([f"the initial value of a counter is a whole number: {request.init}"])
    initial = 0 if request.init is None else request.init
    require_functions(history, ("add", "read"))
    adds, reads = calls(history, "add"), calls(history, "read").ok
    _refuse_other_than_integers(history, adds.asked, "an amount to add")
    _refuse_other_than_integers(history, reads.ended, "a whole number as the value of a read")
    request.budget.note(f"{len(adds)} increments and {len(reads)} reads were found")
    seen, asked = _whole(history, reads.ended), _whole(history, adds.asked)
    exact = object if _wide(initial, seen, asked) else np.int64
    least, greatest = _bounds(history, adds, reads, (initial, exact))
    found = seen.astype(exact)
    outside = np.flatnonzero((found < least) | (found > greatest)).tolist()
    numbers = {
        "adds": float(len(adds)),
        "indeterminate_adds": float(adds.indeterminate),
        "reads": float(len(reads)),
        "wrong_reads": float(len(outside)),
        "bounds_width_max": figure((greatest - least).max(initial=0)),
    }
    if outside:
        examples = tuple(
            witness(
                history,
                "out-of-bounds",
                [f"a read of {found[read]} where {least[read]} to {greatest[read]} is possible:"],
                [int(reads.begun[read])],
                least=int(least[read]),
                greatest=int(greatest[read]),
            )
            for read in outside[:EXAMPLES_MAX]
        )
        first = outside[0]
        reason = (
            f"{len(outside)} of {len(reads)} reads are out of bounds; the first is {found[first]} "
            f"where {least[first]} to {greatest[first]} is possible"
        )
        return Verdict(NAME, PROMISE, Validity.VIOLATION, reason, examples, numbers)
    if not len(reads) and not len(adds):
        return Verdict(NAME, PROMISE, Validity.UNKNOWN, "nothing was added or read", (), numbers)
    reason = f"all {len(reads)} reads lie within their bounds"
    if not len(reads):
        reason = f"{len(adds)} increments, and no read that they could contradict"
    return Verdict(NAME, PROMISE, Validity.VALID, reason, (), numbers)


def _bounds(
    history: OperationTable, adds: Calls, reads: Calls, counted: tuple[int, type]
) -> tuple[Whole, Whole]:
    """The least and the greatest value that each read may return.

    ``counted`` is the initial value, and the type of numbers that sums are made of.
    """
    initial, exact = counted
    surely: Whole = np.zeros(len(history) + 1, dtype=exact)
    perhaps: Whole = np.zeros(len(history) + 1, dtype=exact)
    surely_less, perhaps_less = surely.copy(), perhaps.copy()
    for totals, less, those, rows in (
        (surely, surely_less, adds.ok, adds.ok.ended),
        (perhaps, perhaps_less, adds.possible, adds.possible.begun),
    ):
        amounts: Whole = _whole(history, those.asked).astype(exact)
        totals[rows + 1] = np.maximum(amounts, 0)
        less[rows + 1] = np.minimum(amounts, 0)
    sums = [np.cumsum(each) for each in (surely, surely_less, perhaps, perhaps_less)]
    least = initial + sums[0][reads.begun] + sums[3][reads.ended]
    greatest = initial + sums[2][reads.ended] + sums[1][reads.begun]
    return least, greatest


def _whole(history: OperationTable, rows: Integers) -> Whole:
    """The whole numbers of rows: of Python where one is longer than the machine's."""
    if (history.tag[rows] == Tag.INTEGER).all():
        return history.payload[rows]
    return np.array([history.value(row) for row in rows.tolist()], dtype=object)


def _wide(initial: int, *numbers: Whole) -> bool:
    """Whether a sum may be longer than the machine's numbers."""
    if any(each.dtype == object for each in numbers) or abs(initial) >= _SUM_MAX:
        return True
    return sum(float(np.abs(each.astype(float)).sum()) for each in numbers) >= _SUM_MAX


def _refuse_other_than_integers(table: OperationTable, rows: Integers, expected: str) -> None:
    wrong = [
        row
        for row in rows[table.tag[rows] != Tag.INTEGER].tolist()
        if type(table.value(row)) is not int
    ]
    if wrong:
        problems = [Problem(int(table.line[row]), 0, f"expected {expected}") for row in wrong]
        raise HistoryError(table.source, problems)
