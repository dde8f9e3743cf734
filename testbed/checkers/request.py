"""What is asked of a checker of a model, besides the history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from testbed.checkers.budget import Budget
from testbed.checkers.verdict import Verdict
from testbed.history.operation_table import OperationTable
from testbed.history.transaction_table import TransactionTable


class RequestError(Exception):
    """The request makes no sense for the model; all its problems, one sentence each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))


@dataclass(frozen=True)
class Request:
    """Levels, initial value and parameters.

    Args:
        levels: Canonical names of the levels asked for; empty for the default.
        anomalies: Canonical names of anomalies asked for instead of levels.
        init: The initial value as plain JSON; None where none was given (a register's null).
        params: Parameters by name, their names known to the model and of the right kind.
        budget: What the check may cost.
    """

    levels: tuple[str, ...] = ()
    anomalies: tuple[str, ...] = ()
    init: Any = None
    params: dict[str, Any] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)


class OperationModel(Protocol):
    """A checker of single operations."""

    def __call__(self, history: OperationTable, request: Request) -> Verdict:
        """Judge a history.

        Raises:
            HistoryError: An operation's value has the wrong shape for the model.
            RequestError: The request makes no sense for this model.
            OutOfBudgetError: It took too long.
        """
        ...


class TransactionModel(Protocol):
    """A checker of transactions."""

    def __call__(self, history: TransactionTable, request: Request) -> Verdict:
        """Judge a history; raises as :class:`OperationModel` does."""
        ...


@dataclass(frozen=True)
class Param:
    """A parameter of a model.

    Args:
        check: What is wrong with a value, or None.
    """

    check: Callable[[Any], str | None]
