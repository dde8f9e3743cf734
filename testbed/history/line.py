"""One line of a history: an operation as compact JSON and back, strictly."""

from __future__ import annotations

import dataclasses
from typing import Any, get_args

import orjson

from testbed.history.operation import Operation, OperationType
from testbed.history.problem import Problem
from testbed.history.strict_json import JsonError, refuse_repeated

LINE_BYTES_MAX = 64 * 1024 * 1024
"""Longer lines are refused: a final read of millions of elements fits well below."""

_TYPES = frozenset(get_args(OperationType))
_FIELDS = frozenset(field.name for field in dataclasses.fields(Operation))
_REQUIRED = ("time", "process", "type", "f")
_NUMBERS = ("time", "due", "term", "index")
_TEXTS = ("f", "region", "node", "error")


class CutLineError(Exception):
    """The line ends in the middle of a JSON object."""


def encode(operation: Operation) -> dict[str, Any]:
    """The fields of an operation that hold something, in the order of reading."""
    document: dict[str, Any] = {
        "time": operation.time,
        "process": operation.process,
        "type": operation.type,
        "f": operation.f,
    }
    for name in ("key", "value", "region", "node", "error", "due", "term", "index"):
        value = getattr(operation, name)
        if value is not None:
            document[name] = value
    return document


def decode(line: bytes, number: int) -> Operation | list[Problem]:
    """One line as an operation, or everything that is wrong with it.

    Args:
        line: The line without its newline.
        number: Its line number, from 1; it becomes the index of an operation that has none.

    Raises:
        CutLineError: The line is the beginning of a JSON object.
    """
    if len(line) > LINE_BYTES_MAX:
        return [Problem(number, 1, f"expected at most {LINE_BYTES_MAX} bytes, not {len(line)}")]
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        if _is_beginning(line):
            raise CutLineError from error
        return [Problem(number, error.colno, f"expected one JSON object: {error.msg}")]
    try:
        refuse_repeated(line, document)
    except JsonError as error:
        return [error.problem(number)]
    if not isinstance(document, dict):
        return [Problem(number, 1, f"expected a JSON object, not {_kind(document)}")]
    problems = [
        Problem(number, _column(line, name), expected) for name, expected in _faults_of(document)
    ]
    if problems:
        return problems
    document.setdefault("index", number)
    return Operation(**document)


def _faults_of(document: dict[str, Any]) -> list[tuple[str, str]]:
    """Each field that is missing, unknown or of the wrong kind, with what was expected."""
    found = [(name, f"expected the field '{name}'") for name in _REQUIRED if name not in document]
    for name, value in document.items():
        if name not in _FIELDS:
            known = ", ".join(sorted(_FIELDS))
            found.append((name, f"unknown field '{name}', expected one of {known}"))
        elif name in _NUMBERS and (type(value) is not int or value < 0):
            found.append((name, f"expected '{name}' as a whole number from 0, not {value!r:.40}"))
        elif name in _TEXTS and (not isinstance(value, str) or not value):
            found.append((name, f"expected '{name}' as text, not {value!r:.40}"))
    kind = document.get("type")
    if "type" in document and (not isinstance(kind, str) or kind not in _TYPES):
        found.append(("type", f"expected 'type' as one of {_listed()}, not {kind!r:.40}"))
    process = document.get("process", 0)
    if not (type(process) is int and process >= 0) and not (isinstance(process, str) and process):
        found.append(("process", f"expected 'process' as a number or name, not {process!r:.40}"))
    return found


def _is_beginning(line: bytes) -> bool:
    """Whether more bytes could have made a JSON object of it."""
    if not line.startswith(b"{"):
        return False
    # A cut may fall inside a character: at most its first three bytes may have to go.
    text = line.decode(errors="ignore")
    whole = text.encode()
    if not line.startswith(whole) or len(line) - len(whole) > 3:
        return False
    try:
        orjson.loads(whole)
    except orjson.JSONDecodeError as error:
        return error.pos >= len(text)  # counted in characters
    return False


def _column(line: bytes, name: str) -> int:
    before = line[: max(line.find(orjson.dumps(name) + b":"), 0)]
    return len(before.decode(errors="replace")) + 1


def _listed() -> str:
    return ", ".join(sorted(_TYPES))


def _kind(document: Any) -> str:
    return "null" if document is None else type(document).__name__
