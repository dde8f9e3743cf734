"""Entries whose values are lists of micro-operations, to the columns of transactions."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from testbed.history.entry import Entry, shown
from testbed.history.interning import Interned
from testbed.history.pairing import Complaints, Pairing
from testbed.history.problem import Problem
from testbed.history.transaction_table import (
    NEVER,
    Access,
    Outcome,
    Read,
    TransactionTable,
    narrowed,
)

_ACCESS = {
    "r": Access.READ,
    "read": Access.READ,
    "w": Access.WRITE,
    "write": Access.WRITE,
    "append": Access.APPEND,
}
_OUTCOMES = {"ok": Outcome.OK, "fail": Outcome.FAIL, "info": Outcome.INFO}


def transactions_of(
    entries: Iterable[Entry],
    complaints: Complaints,
    *,
    lists: bool,
    progress: Callable[[int], None] | None = None,
) -> TransactionTable:
    """The table of a history of transactions.

    Args:
        entries: Its lines in order; those of faults are left out.
        complaints: What is wrong with it already, and where more goes.
        lists: Whether a read sees a list of values (null: the key has none yet), else one value.
        progress: Called now and then with the number of lines so far.

    Raises:
        HistoryError: Something is wrong with the entries or was before.
    """
    builder = TransactionBuilder(complaints, lists=lists)
    for entry in entries:
        if not entry.of_faults:
            builder.take(entry)
            if progress is not None and not builder.rows % 10_000:
                progress(builder.rows)
    return builder.table()


class TransactionBuilder:
    """Growing columns of transactions.

    Args:
        complaints: Where problems go.
        lists: Whether reads see lists.
    """

    def __init__(self, complaints: Complaints, *, lists: bool) -> None:
        self._complaints = complaints
        self._disagreements = Complaints(complaints.source)
        self._pairing = Pairing(complaints)
        self._lists = lists
        self.rows = 0
        self._process, self._outcome = array("i"), array("b")
        self._start, self._end, self._line = array("q"), array("q"), array("q")
        self._first, self._access = array("q", [0]), array("b")
        self._key, self._value = array("i"), array("q")
        self._starts, self._items = array("q", [0]), array("q")
        self._keys, self._values, self._processes = Interned(), Interned(), Interned()

    def take(self, entry: Entry) -> None:
        """Add a line."""
        row = self.rows
        self.rows += 1
        if not self._shaped(entry):
            return
        if entry.type == "invoke":
            self._pairing.invoked(len(self._start), entry)
            self._begin(entry, row)
            return
        pair = self._pairing.completed(entry)
        if pair is None:
            return
        transaction, invocation = pair
        self._outcome[transaction] = _OUTCOMES[entry.type]
        self._end[transaction] = row
        if entry.value is not None and self._agree(invocation, entry) and entry.type == "ok":
            self._see(self._first[transaction], entry)

    def add(self, process: int | str, line: int, outcome: Outcome, operations: Any) -> None:
        """Add a whole transaction of sound micro-operations, of a history without times."""
        self._row(process, line, outcome, self.rows, self.rows)
        self.rows += 1
        for name, key, value in operations:
            access = _ACCESS[name]
            self._access.append(access)
            self._key.append(self._keys.number(key))
            unseen = access == Access.READ and outcome != Outcome.OK
            self._value.append(Read.UNSEEN if unseen else self._number(access, value))
        self._first.append(len(self._access))

    def _row(self, process: int | str, line: int, outcome: Outcome, start: int, end: int) -> None:
        self._process.append(self._processes.number(process))
        self._line.append(line)
        self._outcome.append(outcome)
        self._start.append(start)
        self._end.append(end)

    def _begin(self, entry: Entry, row: int) -> None:
        process = 0 if entry.process is None else entry.process
        self._row(process, entry.line, Outcome.INFO, row, int(NEVER))
        for micro in entry.value:
            access = _ACCESS[micro[0]]
            self._access.append(access)
            self._key.append(self._keys.number(micro[1]))
            written = access != Access.READ
            self._value.append(self._number(access, micro[2]) if written else Read.UNSEEN)
        self._first.append(len(self._access))

    def _see(self, first: int, entry: Entry) -> None:
        """Put in what the reads of a completed transaction saw."""
        for offset, micro in enumerate(entry.value):
            if _ACCESS[micro[0]] == Access.READ:
                self._value[first + offset] = self._number(
                    Access.READ, micro[2] if len(micro) > 2 else None
                )

    def _number(self, access: Access, value: Any) -> int:
        if access != Access.READ:
            return self._values.number(value)
        if value is None:
            return Read.NOTHING
        if not self._lists:
            return self._values.number(value)
        self._items.extend(self._values.number(item) for item in value)
        self._starts.append(len(self._items))
        return len(self._starts) - 2

    def _shaped(self, entry: Entry) -> bool:
        trouble = shape_trouble(entry, lists=self._lists)
        return True if trouble is None else self._refuse(entry, trouble)

    def _agree(self, invocation: Entry, completion: Entry) -> bool:
        """Whether a completion speaks of the micro-operations that were asked for."""
        asked, done = invocation.value, completion.value
        same = len(asked) == len(done) and all(
            _ACCESS[one[0]] == _ACCESS[two[0]]
            and _same(one[1], two[1])
            and (_ACCESS[one[0]] == Access.READ or _same(one[2], two[2]))
            for one, two in zip(asked, done, strict=True)
        )
        if same:
            return True
        # Said only where nothing else is wrong: it may follow from what is.
        self._disagreements.add(Problem(completion.line, 1, disagreement(invocation.line)))
        return False

    def _refuse(self, entry: Entry, text: str) -> bool:
        self._complaints.add(Problem(entry.line, 1, text))
        return False

    def table(self, *, timed: bool | None = None) -> TransactionTable:
        """The table.

        Raises:
            HistoryError: Something was wrong.
        """
        self._complaints.refuse()
        self._disagreements.refuse()
        return TransactionTable(
            process=_column(self._process, np.int32),
            outcome=_column(self._outcome, np.int8),
            start=_column(self._start, np.int64),
            end=_column(self._end, np.int64),
            first=_column(self._first, np.int64),
            access=_column(self._access, np.int8),
            key=_column(self._key, np.int32),
            value=narrowed(_column(self._value, np.int64)),
            list_starts=narrowed(_column(self._starts, np.int64)),
            list_items=narrowed(_column(self._items, np.int64)),
            keys=self._keys,
            values=self._values,
            process_names=self._processes,
            timed=not self._pairing.untimed if timed is None else timed,
            line=_column(self._line, np.int64),
            source=self._complaints.source,
        )


def shape_trouble(entry: Entry, *, lists: bool) -> str | None:
    """What is wrong with an entry's value as micro-operations of the right shape, or None."""
    value = entry.value
    if value is None and entry.type in ("fail", "info"):
        return None
    if not isinstance(value, list):
        return f"expected the micro-operations of '{entry.f}' as a list, not {shown(value)}"
    for place, micro in enumerate(value, start=1):
        trouble = _micro_trouble(micro, lists=lists, completed=entry.type == "ok")
        if trouble:
            return f"micro-operation {place}: {trouble}"
    return None


def disagreement(line: int) -> str:
    """What is expected of a completion whose micro-operations are not those of its invocation."""
    return f"expected the micro-operations that line {line} invoked, in their order"


def _micro_trouble(micro: Any, *, lists: bool, completed: bool) -> str | None:
    """What is wrong with the shape of a micro-operation, or None."""
    if not isinstance(micro, list) or len(micro) not in (2, 3) or not isinstance(micro[0], str):
        return f"expected [function, key, value], not {shown(micro)}"
    name, key = micro[0], micro[1]
    if name not in _ACCESS:
        return f"expected 'r', 'w' or 'append', not {shown(name)}"
    if key is None:
        return "expected a key, not null"
    value = micro[2] if len(micro) > 2 else None
    if _ACCESS[name] == Access.READ:
        return _read_trouble(value) if lists and completed else None
    return _write_trouble(name, value, "append" if lists else "w")


def _read_trouble(value: Any) -> str | None:
    if value is None or isinstance(value, list):
        return None
    return f"expected the list that was read, or null, not {shown(value)}"


def _write_trouble(name: str, value: Any, fitting: str) -> str | None:
    if _ACCESS[name] != _ACCESS[fitting]:
        return f"expected 'r' or '{fitting}' for this model, not '{name}'"
    return f"expected the value of '{name}', not null" if value is None else None


def _same(one: Any, two: Any) -> bool:
    return type(one) is type(two) and bool(one == two)


def _column(values: array[int], kind: Any) -> NDArray[Any]:
    return np.frombuffer(values, dtype=kind).copy() if values else np.empty(0, dtype=kind)
