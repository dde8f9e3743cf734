"""The format ``jsonl``: one operation a line in Jepsen's terms, or one JSON array of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from json.decoder import JSONDecodeError
from typing import Any

from testbed.history.entry import Entry, entry_of, shown
from testbed.history.pairing import Complaints
from testbed.history.problem import Problem
from testbed.history.strict_json import JsonError, line_and_column, loads, place, refuse_repeated

QUICK_FROM_LINES = 20_000
QUICK_FROM_BYTES = 3_000_000
"""From so many lines or bytes in the first block on, the compiled scanner is worth loading."""


def entries(blocks: Iterable[bytes], complaints: Complaints) -> Iterator[Entry]:
    """The lines of a file, those of faults included.

    Blank lines are left out. Whatever is wrong goes to the complaints.

    Args:
        blocks: The file in pieces of whole lines.
        complaints: Where problems go.
    """
    blocks = iter(blocks)
    number = 1
    for block in blocks:
        if number == 1 and block.lstrip()[:1] == b"[":
            yield from _of_array(b"".join([block, *blocks]), complaints)
            return
        yield from entries_of_block(block, number, complaints)
        number += block.count(b"\n")


def worth_scanning(block: bytes) -> bool:
    """Whether the file that begins with a block is long and has an object a line."""
    if block[:100].lstrip()[:1] != b"{":
        return False
    return len(block) >= QUICK_FROM_BYTES or block.count(b"\n") >= QUICK_FROM_LINES


def entries_of_block(block: bytes, number: int, complaints: Complaints) -> Iterator[Entry]:
    """The entries of whole lines, of which the first has a number."""
    for line in block.split(b"\n"):
        if line and not line.isspace():
            entry = entry_of_line(line, number)
            if isinstance(entry, Entry):
                yield entry
            else:
                complaints.add(*entry)
        number += 1


def entry_of_line(line: bytes, number: int) -> Entry | list[Problem]:
    """One line as an entry, or everything that is wrong with it."""
    try:
        document = loads(line)
    except JsonError as error:
        return [error.problem(number)]
    if not isinstance(document, dict):
        return [Problem(number, 1, f"expected a JSON object, not {shown(document)}")]
    return entry_of(document, number, lambda name: _column(line, name))


def _column(line: bytes, name: str) -> int:
    return place(line.decode(), (name,)) + 1


def _of_array(data: bytes, complaints: Complaints) -> Iterator[Entry]:
    """The entries of an array, each read on its own so that its place is known."""
    try:
        text = data.decode()
        yield from _elements(text, complaints)
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        line, column = line_and_column(before, len(before))
        text = f"expected UTF-8, not the byte 0x{data[error.start]:02x}"
        complaints.add(Problem(line, column, text))


def _elements(text: str, complaints: Complaints) -> Iterator[Entry]:
    decoder = json.JSONDecoder(parse_constant=_NotJsonError.of)
    position = _after_blank(text, text.index("[") + 1)
    line, counted = 1, 0
    more = text[position : position + 1] != "]"
    while more:
        line += text.count("\n", counted, position)
        counted = position
        try:
            document, end = decoder.raw_decode(text, position)
        except (JSONDecodeError, RecursionError, _NotJsonError) as error:
            complaints.add(_unreadable(text, position, error))
            return
        own = text[position:end]
        try:
            refuse_repeated(own.encode(errors="replace"), document)
            entry = _element(document, own, line, text, position)
        except JsonError as error:
            # Its place within the element, at the element's own place.
            at = line_and_column(text, position)
            column = error.column + (at[1] - 1 if error.line == 1 else 0)
            entry = [Problem(at[0] + error.line - 1, column, error.why)]
        if isinstance(entry, Entry):
            yield entry
        else:
            complaints.add(*entry)
        position = _after_blank(text, end)
        more = text[position : position + 1] == ","
        if more:
            position = _after_blank(text, position + 1)
    if text[position : position + 1] != "]":
        at = line_and_column(text, position)
        complaints.add(Problem(*at, "expected ',' or ']' after an operation"))
        return
    position = _after_blank(text, position + 1)
    if position < len(text):
        at = line_and_column(text, position)
        complaints.add(Problem(*at, "expected nothing after the array of operations"))


def _element(document: Any, own: str, line: int, text: str, position: int) -> Entry | list[Problem]:
    if not isinstance(document, dict):
        column = line_and_column(text, position)[1]
        return [Problem(line, column, f"expected a JSON object, not {shown(document)}")]
    return entry_of(
        document,
        line,
        lambda name: line_and_column(text, position + place(own, (name,)))[1],
    )


class _NotJsonError(ValueError):
    """NaN or an infinity, which JSON does not have."""

    @staticmethod
    def of(name: str) -> Any:
        raise _NotJsonError(f"expected a number, not {name}")


def _unreadable(text: str, position: int, error: Exception) -> Problem:
    if isinstance(error, JSONDecodeError):
        return Problem(error.lineno, error.colno, f"expected JSON: {error.msg}")
    line, column = line_and_column(text, position)
    if isinstance(error, RecursionError):
        return Problem(line, column, "expected less nesting")
    return Problem(line, column, str(error))


def _after_blank(text: str, position: int) -> int:
    while text[position : position + 1] in (" ", "\n", "\r", "\t"):
        position += 1
    return position
