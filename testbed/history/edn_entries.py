"""The format ``edn``: Jepsen's own files, a map or a tuple a line or one vector of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from testbed.history.edn import END, Reader
from testbed.history.edn_atoms import EdnError
from testbed.history.edn_values import Independent, Name
from testbed.history.entry import TYPES, Entry, entry_of, micro_operations, shown
from testbed.history.pairing import Complaints
from testbed.history.problem import Problem
from testbed.history.source import Source


def entries(source: Source, complaints: Complaints) -> Iterator[Entry]:
    """The operations of a file, those of faults included.

    Raises:
        HistoryError: The file cannot be unpacked; other problems go to the complaints.
    """
    text = text_of(source, complaints)
    if text is not None:
        yield from entries_of_text(text, complaints)


def text_of(source: Source, complaints: Complaints) -> str | None:
    """The text of a file; None if it is not UTF-8, which goes to the complaints."""
    data = source.whole()
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        why = f"expected UTF-8, not the byte 0x{data[error.start]:02x}"
        complaints.add(_problem(before, len(before), why))
        return None


def entries_of_text(text: str, complaints: Complaints) -> Iterator[Entry]:
    """The operations of a text."""
    yield from (found.entry for found in written_entries(text, complaints))


@dataclass(frozen=True, slots=True)
class Written:
    """An operation and how it was written.

    Args:
        entry: The operation.
        document: What was read: a map or a tuple, every name with its kind.
        text: How it stands in the file.
    """

    entry: Entry
    document: Any
    text: str


def written_entries(text: str, complaints: Complaints) -> Iterator[Written]:
    """The operations of a text, each as it was written."""
    reader = Reader(text)
    names = _Names()
    line, counted = 1, 0
    try:
        bracket = _of_one_collection(reader)
        while not (reader.at_end() if bracket is None else reader.closed(bracket)):
            start = reader.position
            line += text.count("\n", counted, start)
            counted = start
            reader.fresh()
            document = reader.next_value()
            found = _entry(document, line, reader, start)
            if isinstance(found, Entry):
                trouble = names.trouble(found)
                if trouble is None:
                    yield Written(found, document, text[start : reader.position])
                    continue
                found = [_problem(text, start, trouble)]
            complaints.add(*found)
        if not reader.at_end():
            complaints.add(_problem(text, reader.position, "expected nothing after the history"))
    except EdnError as error:
        complaints.add(_problem(text, error.position, error.why))


def _of_one_collection(reader: Reader) -> str | None:
    """The bracket that ends the history, if the whole file is one vector or list of operations.

    A file of tuples also begins with a bracket, but what follows it is not another collection.
    """
    before = reader.position
    bracket = reader.opened()
    if bracket is not None:
        inside = reader.position
        if reader.closed(bracket):
            reader.position = inside
            return bracket
        if reader.text[reader.position] in "[({#":
            return bracket
    reader.position = before
    return None


def _entry(value: Any, line: int, reader: Reader, start: int) -> Entry | list[Problem]:
    document = _of_tuple(value) if isinstance(value, list) else value
    if value is END or not isinstance(document, dict):
        return [_problem(reader.text, start, f"expected an operation as a map, not {shown(value)}")]
    fields = dict(document)
    if isinstance(value := fields.get("value"), Independent) and fields.get("key") is None:
        fields["key"], fields["value"] = value
    return entry_of(
        fields,
        line,
        lambda name: _place(reader.text, reader.place_of(name, start))[1],
    )


def _of_tuple(value: list[Any]) -> dict[str, Any] | None:
    """An operation from ``[process type f value error]``, the order of Jepsen's history.txt.

    The type may come first as well.
    """
    if not 3 <= len(value) <= 5:
        return None
    first, second = value[:2]
    if isinstance(first, str) and first in TYPES and second not in TYPES:
        first, second = second, first
    names = ("process", "type", "f", "value", "error")
    return dict(zip(names, [first, second, *value[2:]], strict=False))


class _Names:
    """Remembers as what each text of values and keys was written.

    A keyword and a string of the same text, or a ratio and a string, would become one value.
    """

    def __init__(self) -> None:
        self._keys: dict[str, type] = {}
        self._values: dict[str, type] = {}
        self._names: dict[str, type] = {}

    def trouble(self, entry: Entry) -> str | None:
        """Which text stands for two different keys or values, if any."""
        found = self._walk(entry.key, self._keys)
        if type(entry.value) is int or entry.value is None:
            return found
        if not micro_operations(entry.value):
            return found or self._walk(entry.value, self._values)
        for micro in entry.value:
            found = found or self._walk(micro[1], self._keys) or self._walk(micro[2:], self._values)
        return found

    def _walk(self, value: Any, kinds: dict[str, type]) -> str | None:
        if isinstance(value, str):
            return _respelled(value, kinds)
        if isinstance(value, dict):
            for name in value:
                trouble = _respelled(name, self._names)
                if trouble:
                    return trouble
            value = list(value.values())
        for item in value if isinstance(value, list) else ():
            trouble = self._walk(item, kinds)
            if trouble:
                return trouble
        return None


def _respelled(text: str, kinds: dict[str, type]) -> str | None:
    kind = kinds.setdefault(str(text), type(text))
    if kind is type(text):
        return None
    return (
        f"expected one spelling of '{text:.40}', it is {_spelling(kind)} before and "
        f"{_spelling(type(text))} here, and JSON has strings alone"
    )


def _spelling(kind: type) -> str:
    return f"a {kind.__name__.lower()}" if issubclass(kind, Name) else "a string"


def _problem(text: str, position: int, why: str) -> Problem:
    return Problem(*_place(text, position), why)


def _place(text: str, position: int) -> tuple[int, int]:
    start = text.rfind("\n", 0, position) + 1
    return text.count("\n", 0, position) + 1, position - start + 1
