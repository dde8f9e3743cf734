"""Sentences about the transactions of a register history, and their view as plain JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from testbed.checkers.brief import brief
from testbed.checkers.transactions.anomaly import meaning_of
from testbed.checkers.transactions.explain import shown_transaction
from testbed.checkers.transactions.resolved import (
    ABORTED,
    BESIDES,
    INITIAL,
    INTERMEDIATE,
    INTERNAL,
    THIN_AIR,
    Resolved,
)
from testbed.history.transaction_table import Access, Outcome, Read, TransactionTable

SHOWN = {Access.READ: "r", Access.WRITE: "w", Access.APPEND: "append"}


@dataclass
class Narrator:
    """Names transactions T1, T2, ... in the order in which they are spoken of.

    Args:
        resolved: The history.
        rows: The transactions that were spoken of, in this order.
    """

    resolved: Resolved
    rows: list[int] = field(default_factory=list)

    @property
    def table(self) -> TransactionTable:
        """The history."""
        return self.resolved.table

    def name(self, row: int) -> str:
        """The name of a transaction."""
        if row == INITIAL:
            return "the initial state"
        if row not in self.rows:
            self.rows.append(row)
        return f"T{self.rows.index(row) + 1}"

    def key(self, key: int) -> str:
        """A key as it stands in the history."""
        return plain(self.table.keys[key])

    def saw(self, op: int) -> str:
        """What a micro-operation did: ``x = 1``."""
        table = self.table
        return f"{self.key(table.key[op])} = {plain(value_of(table, op))}"

    def who(self) -> list[str]:
        """A line for each transaction that was spoken of."""
        return [f"T{number}: {self._introduction(row)}" for number, row in enumerate(self.rows, 1)]

    def counterexample(
        self, anomaly: str, lines: list[str], edges: list[dict[str, str]] | None = None
    ) -> dict[str, Any]:
        """The whole: what the anomaly is, who takes part, what shows it.

        Args:
            anomaly: Canonical name.
            lines: What shows it.
            edges: For a cycle its edges.
        """
        text = [meaning_of(anomaly)]
        text += [f"  {line}" for line in (*self.who(), *lines)]
        found = {"anomaly": anomaly, "text": text, "operations": self.operations()}
        return found | ({"edges": edges} if edges else {})

    def operations(self) -> list[dict[str, Any]]:
        """The transactions that were spoken of, as plain JSON."""
        return [
            {"name": f"T{number}", **shown_transaction(self.table, row)}
            for number, row in enumerate(self.rows, 1)
        ]

    def misread(self, op: int) -> list[str]:
        """Why no level allows a read."""
        resolved, table = self.resolved, self.table
        reader = self.name(resolved.row_of(op))
        what = int(resolved.source[op])
        what -= BESIDES if what < INTERNAL else 0
        if what == THIN_AIR:
            return [f"{reader} read {self.saw(op)}, which nobody wrote"]
        if what == INTERNAL:
            own = self.saw(self._own(op))
            return [f"{reader} read {self.saw(op)} after it had itself set {own}"]
        write = self._write(op)
        if write < 0:
            return [f"{reader} read {self.saw(op)}, which it wrote only afterwards"]
        writer = self.name(resolved.row_of(write))
        if what == ABORTED:
            return [f"{reader} read {self.saw(op)}, which {writer} wrote, and {writer} failed"]
        assert what == INTERMEDIATE
        last = max(op for op in self._ops(resolved.row_of(write)) if self._writes(op, write))
        after = plain(value_of(table, last))
        seen = f"{reader} read {self.saw(op)}"
        return [f"{seen}, which {writer} wrote and then overwrote with {after}"]

    def _writes(self, op: int, like: int) -> bool:
        table = self.table
        return bool(table.access[op] == Access.WRITE and table.key[op] == table.key[like])

    def _ops(self, row: int) -> range:
        return range(int(self.table.first[row]), int(self.table.first[row + 1]))

    def _own(self, op: int) -> int:
        row = self.resolved.row_of(op)
        return max(other for other in self._ops(row) if other < op and self._writes(other, op))

    def _write(self, op: int) -> int:
        """Another transaction's write that a read saw, -1 for none."""
        table, resolved = self.table, self.resolved
        same = (table.key == table.key[op]) & (table.value == table.value[op])
        reader = resolved.row_of(op)
        for write in (same & (table.access == Access.WRITE)).nonzero()[0]:
            if resolved.row_of(int(write)) != reader:
                return int(write)
        return -1

    def _introduction(self, row: int) -> str:
        table = self.table
        ops = ", ".join(
            f"{SHOWN[Access(table.access[op])]} {self.saw(op)}" for op in self._ops(row)
        )
        where = place_of(table, row)
        if not table.line[row]:
            where += f", transaction {self.resolved.position[row] + 1}"
        return f"{ops} ({where})"


def place_of(table: TransactionTable, row: int) -> str:
    """Where a transaction stands in the history."""
    outcome = {Outcome.FAIL: ", failed", Outcome.INFO: ", indeterminate"}
    which = f"process {table.process_names[table.process[row]]}"
    if table.line[row]:
        which += f", line {table.line[row]}"
    return which + outcome.get(Outcome(table.outcome[row]), "")


def value_of(table: TransactionTable, op: int) -> Any:
    """What a micro-operation on a register wrote or saw; null for nothing or not known."""
    value = int(table.value[op])
    return None if value in (Read.NOTHING, Read.UNSEEN) else table.values[value]


def plain(value: Any) -> str:
    """A value as JSON."""
    return brief(value)
