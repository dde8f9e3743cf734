"""What the operations of a model must look like, told with every line that does not."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from testbed.history.operation_table import OperationTable
from testbed.history.problem import PROBLEMS_MAX, HistoryError, Problem


def require_functions(history: OperationTable, known: Iterable[str]) -> None:
    """Refuse a history that asks for something the model does not have.

    Args:
        history: The history.
        known: Names of the model's functions.

    Raises:
        HistoryError: Each line with another function.
    """
    names = tuple(known)
    foreign = [number for number, name in enumerate(history.functions) if name not in names]
    if foreign:
        wanted = " or ".join(f"'{name}'" for name in names)
        refuse(history, np.isin(history.f, foreign), f"expected {wanted} as 'f', not '%s'")


def refuse_functions(history: OperationTable, unfit: Iterable[str], expected: str) -> None:
    """Refuse a history with functions that would change what the model says of the others.

    Args:
        history: The history.
        unfit: Names of such functions.
        expected: What was expected instead.

    Raises:
        HistoryError: Each line with one of them.
    """
    numbers = [history.function(name) for name in unfit if name in history.functions]
    if numbers:
        refuse(history, np.isin(history.f, numbers), f"expected {expected}, not '%s'")


def refuse(history: OperationTable, wrong: NDArray[np.bool_], expected: str) -> None:
    """Refuse a history if any of its rows is wrong.

    Args:
        history: The history.
        wrong: One a row.
        expected: What was expected; a ``%s`` becomes the row's function.

    Raises:
        HistoryError: Each wrong line.
    """
    rows = np.flatnonzero(wrong)
    if not len(rows):
        return
    problems = []
    for row in rows[:PROBLEMS_MAX].tolist():
        name = history.functions[int(history.f[row])]
        text = expected % name if "%s" in expected else expected
        problems.append(Problem(int(history.line[row]), 1, text))
    raise HistoryError(history.source, problems, len(rows))
