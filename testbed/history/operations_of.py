"""Entries to the columns of single operations."""

from __future__ import annotations

import dataclasses
from array import array
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from testbed.history.entry import Entry
from testbed.history.interning import Interned
from testbed.history.operation_table import NULL, Kind, OperationTable, Tag
from testbed.history.pairing import Complaints, Pairing
from testbed.history.problem import Problem
from testbed.history.strict_json import dumps

KINDS = {"invoke": Kind.INVOKE, "ok": Kind.OK, "fail": Kind.FAIL, "info": Kind.INFO}
_NULL = int(NULL)
ORDER_WANTED = "expected lines in the order of time; 'untimed' is for transactions"
FUNCTIONS_MAX = 2**15 - 1


def operations_of(
    entries: Iterable[Entry],
    complaints: Complaints,
    *,
    split_values: bool = False,
    progress: Callable[[int], None] | None = None,
) -> OperationTable:
    """The table of a history.

    Args:
        entries: Its lines in order; those of faults are left out.
        complaints: What is wrong with it already, and where more goes.
        split_values: Whether a value ``[key, value]`` of an entry without a key says both, as
            Jepsen's independent keys do.
        progress: Called now and then with the number of rows so far.

    Raises:
        HistoryError: Something is wrong with the entries or was before.
    """
    builder = _Builder(complaints, split_values)
    for entry in entries:
        if not entry.of_faults:
            builder.take(entry)
            if progress is not None and not len(builder.kind) % 10_000:
                progress(len(builder.kind))
    return builder.table()


class _Builder:
    """Growing columns."""

    def __init__(self, complaints: Complaints, split_values: bool) -> None:
        self._complaints = complaints
        self._pairing = Pairing(complaints)
        self._split_values = split_values
        self.kind = array("b")
        self._process, self._key = array("i"), array("i")
        self._f, self._tag = array("h"), array("b")
        self._payload, self._line, self._time = array("q"), array("q"), array("q")
        self._partner = array("q")
        self._pairs, self._starts, self._items = array("q"), array("q", [0]), array("q")
        self._others, self._keys, self._processes = Interned(), Interned(), Interned()
        self._functions: dict[str, int] = {}
        self._errors: dict[int, str] = {}

    def take(self, entry: Entry) -> None:
        row = len(self.kind)
        if self._split_values and entry.key is None:
            key, value = split_value(entry, self._complaints)
            entry = dataclasses.replace(entry, key=key, value=value)
        key_number = -1 if entry.key is None else self._keys.number(entry.key)
        self._partner.append(-1)
        if entry.type == "invoke":
            self._pairing.invoked(row, entry)
        elif (begun := self._pairing.completed(entry)) is not None:
            self._partner[row] = begun[0]
            self._partner[begun[0]] = row
            if key_number < 0:
                key_number = self._key[begun[0]]
        function = self._functions.setdefault(entry.f, len(self._functions))
        if function > FUNCTIONS_MAX:
            self._complaints.add(too_many_functions(entry.line))
            function = 0
        self.kind.append(KINDS[entry.type])
        self._process.append(self._processes.number(0 if entry.process is None else entry.process))
        self._f.append(function)
        self._key.append(key_number)
        self._line.append(entry.line)
        if entry.time is not None:
            self._time.append(entry.time)
        if entry.error is not None:
            self._errors[row] = error_text(entry.error)
        self._put(entry.value)

    def _put(self, value: Any) -> None:
        """Add a value's tag and payload."""
        tag, content = tagged(value)
        payload = 0
        if tag == Tag.INTEGER:
            payload = content
        elif tag == Tag.PAIR:
            payload = len(self._pairs) // 2
            self._pairs.extend(content)
        elif tag == Tag.LIST:
            payload = len(self._starts) - 1
            self._items.extend(content)
            self._starts.append(len(self._items))
        elif tag == Tag.OTHER:
            payload = self._others.number(value)
        self._tag.append(tag)
        self._payload.append(payload)

    def table(self) -> OperationTable:
        if self._pairing.untimed:
            self._complaints.add(Problem(0, 0, ORDER_WANTED))
        self._complaints.refuse()
        timed = len(self._time) == len(self.kind) and len(self.kind) > 0
        table = OperationTable(
            process=_column(self._process, np.int32),
            kind=_column(self.kind, np.int8),
            f=_column(self._f, np.int16),
            key=_column(self._key, np.int32),
            tag=_column(self._tag, np.int8),
            payload=_column(self._payload, np.int64),
            pairs=_column(self._pairs, np.int64).reshape(-1, 2),
            list_starts=_column(self._starts, np.int64),
            list_items=_column(self._items, np.int64),
            others=self._others,
            functions=tuple(self._functions),
            keys=self._keys,
            process_names=self._processes,
            line=_column(self._line, np.int64),
            time_ns=_column(self._time, np.int64) if timed else None,
            errors=self._errors,
            source=self._complaints.source,
        )
        # The pairing is known already: the table need not find it again.
        table.__dict__["partner"] = _column(self._partner, np.int64)
        return table


def tagged(value: Any) -> tuple[Tag, Any]:
    """A value's tag, and its number or its numbers with :data:`NULL` for null."""
    if value is None:
        return Tag.NULL, None
    if type(value) is int and _fits(value):
        return Tag.INTEGER, value
    if isinstance(value, list) and all(
        item is None or (type(item) is int and _fits(item)) for item in value
    ):
        numbers = [_NULL if item is None else item for item in value]
        return (Tag.PAIR if len(numbers) == 2 else Tag.LIST), numbers
    return Tag.OTHER, None


def split_value(entry: Entry, complaints: Complaints) -> tuple[Any, Any]:
    """The key and the value of an entry without a key, as Jepsen's independent keys say them."""
    value = entry.value
    if isinstance(value, list) and len(value) == 2 and value[0] is not None:
        return value[0], value[1]
    if value is not None or entry.type == "invoke":
        text = f"expected a 'key', or a value [key, value] of '{entry.f}'"
        complaints.add(Problem(entry.line, 1, text))
    return None, value


def too_many_functions(line: int) -> Problem:
    """The refusal of a history whose functions cannot be numbered."""
    return Problem(line, 1, f"expected at most {FUNCTIONS_MAX} functions")


def error_text(error: Any) -> str:
    """An error as text, whatever JSON it was."""
    return error if isinstance(error, str) else dumps(error).decode(errors="surrogatepass")


def _fits(number: int) -> bool:
    return -(2**63) < number < 2**63


def _column(values: array[int], kind: Any) -> NDArray[Any]:
    return np.frombuffer(values, dtype=kind).copy() if values else np.empty(0, dtype=kind)
