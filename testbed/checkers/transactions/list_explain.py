"""Why one transaction over lists must come before another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from testbed.checkers.transactions.explain import micro_operation, short
from testbed.checkers.transactions.graph import Edge
from testbed.checkers.transactions.list_dependencies import Successors
from testbed.checkers.transactions.list_versions import Versions
from testbed.history.transaction_table import Access, TransactionTable


@dataclass(frozen=True)
class EdgeReasons:
    """Says for an edge which micro-operations make it.

    Args:
        table: The transactions.
        versions: The version orders.
        successors: What overwrites each version.
    """

    table: TransactionTable
    versions: Versions
    successors: Successors

    def __call__(self, row: int, after: int, kind: Edge, first: str, second: str) -> str:
        """See :data:`testbed.checkers.transactions.explain.ExplainEdge`."""
        if kind == Edge.WW:
            return self._overwrites(row, after, first, second)
        if kind == Edge.WR:
            return self._reads_from(row, after, first, second)
        return self._misses(row, after, first, second)

    def _micro(self, row: int, access: Access) -> Iterator[tuple[int, int, str, int]]:
        """Micro-operations of a kind: number, key, the key for people, place."""
        for at in range(int(self.table.first[row]), int(self.table.first[row + 1])):
            if self.table.access[at] == access:
                key = int(self.table.key[at])
                yield at, key, short(self.table.keys[key]), int(self.versions.place[at])

    def _value(self, at: int) -> str:
        return short(micro_operation(self.table, at)[2])

    def _overwrites(self, row: int, after: int, first: str, second: str) -> str:
        versions = self.versions
        for at, key, name, place in self._micro(after, Access.APPEND):
            if place >= 0:
                before = place - 1
                while before >= 0 and not self._counts(int(versions.base[key]) + before):
                    before -= 1
                if before < 0 or versions.writer[versions.base[key] + before] != row:
                    continue
                value = self._value(int(versions.append[versions.base[key] + before]))
                return (
                    f"{first} appended {value} to key {name}, "
                    f"{second} appended {self._value(at)} right after"
                )
            if place < -1 and self.successors.last[key] == row:
                return (
                    f"{second} appended {self._value(at)} to key {name}, which no read shows, so "
                    f"that it came after what {first} appended, which is read"
                )
        return f"{first} appended to a key before {second} did"

    def _counts(self, place: int) -> bool:
        """Whether an element is a committed one: then it is what follows itself."""
        return int(self.successors.following[place]) == place

    def _reads_from(self, row: int, after: int, first: str, second: str) -> str:
        versions = self.versions
        for at, key, name, place in self._micro(after, Access.READ):
            if place > 0 and versions.writer[versions.base[key] + place - 1] == row:
                value = self._value(int(versions.append[versions.base[key] + place - 1]))
                return (
                    f"{first} appended {value} to key {name}, {second} read it as {self._value(at)}"
                )
        return f"{second} read what {first} appended"

    def _misses(self, row: int, after: int, first: str, second: str) -> str:
        versions, successors = self.versions, self.successors
        for at, key, name, place in self._micro(row, Access.READ):
            if place < 0:
                continue
            said = f"{first} read key {name} as {self._value(at)}"
            follows = int(successors.following[versions.base[key] + place])
            if follows >= 0 and versions.writer[follows] == after:
                value = self._value(int(versions.append[follows]))
                return f"{said}, {second} appended {value} right after"
            for other, same, _, later in self._micro(after, Access.APPEND):
                if same == key and (later >= place or later < -1):
                    shown = " later" if later >= 0 else " later, which no read shows"
                    return f"{said}, {second} appended {self._value(other)}{shown}"
        return f"{first} did not see what {second} appended"
