"""Reading of a history for a check: the quick way for long files, the same answer either way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from testbed.checkers.budget import Budget
from testbed.history.formats import entries_of
from testbed.history.pairing import Complaints
from testbed.history.source import Source

if TYPE_CHECKING:
    from testbed.history.operation_table import OperationTable
    from testbed.history.transaction_table import TransactionTable


class Reading:
    """Reads one file of a format.

    Args:
        form: The format.
        budget: Told how far it is.
    """

    def __init__(self, form: str, budget: Budget) -> None:
        self._form = form
        self._budget = budget

    def operations(self, source: Source, *, split_values: bool) -> OperationTable:
        """The table of single operations.

        Raises:
            HistoryError: The history is malformed.
            OutOfBudgetError: It took too long.
        """
        from testbed.history.operations_of import operations_of

        complaints = Complaints(source.name)
        entries = entries_of(source, self._form, complaints)
        table = operations_of(
            entries, complaints, split_values=split_values, progress=self._progress
        )
        self._budget.note(f"{len(table):,} lines were read, nothing was judged yet")
        return table

    def transactions(self, source: Source, *, lists: bool) -> TransactionTable:
        """The table of transactions; raises as ``operations``."""
        if self._form == "sessions":
            from testbed.history import sessions

            return sessions.table_of(source)
        from testbed.history.transactions_of import transactions_of

        complaints = Complaints(source.name)
        entries = entries_of(source, self._form, complaints)
        table = transactions_of(entries, complaints, lists=lists, progress=self._progress)
        self._budget.note(f"{len(table):,} transactions were read, nothing was judged yet")
        return table

    def _progress(self, rows: int) -> None:
        self._budget.note(f"{rows:,} lines were read, nothing was judged yet")
