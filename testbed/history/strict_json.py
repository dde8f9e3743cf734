"""JSON read strictly: exact numbers, no NaN, bounded nesting, and where each value stands."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from json.decoder import JSONDecodeError
from typing import Any, NoReturn

import orjson

from testbed.history.problem import Problem

_LONG_NUMBER = re.compile(rb"\d{19}")
_TOKEN = re.compile(r'(?P<text>"(?:[^"\\]|\\.)*")[ \t\r\n]*(?P<colon>:)?|[{}\[\]]')
_BLANK = re.compile(r"[ \t\r\n]*")


class JsonError(Exception):
    """Not JSON.

    Args:
        line: Line within what was read, from 1.
        column: Column in characters, from 1.
        why: What was expected.
    """

    def __init__(self, line: int, column: int, why: str) -> None:
        self.line, self.column, self.why = line, column, why
        super().__init__(why)

    def problem(self, line: int = 1) -> Problem:
        """The problem, when what was read begins on a line of the file."""
        return Problem(line + self.line - 1, self.column, self.why)


def loads(data: bytes) -> Any:
    """The value of a JSON document.

    Raises:
        JsonError: It is not JSON in UTF-8, or it is nested too deeply.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        # A whole number beyond the floats is refused as an infinite one.
        if "infinity" in error.msg and _LONG_NUMBER.search(data) is not None:
            return _exactly(data)
        raise _explained(data, error) from error
    # A whole number beyond 64 bits comes back as a float: read such documents exactly.
    return refuse_repeated(data, value) if _LONG_NUMBER.search(data) is None else _exactly(data)


def refuse_repeated(data: bytes, value: Any) -> Any:
    """The value of a document, when no object in it has a name twice.

    Parsers keep one of the two and say nothing; which one differs, so that two readers would judge
    two histories.

    Raises:
        JsonError: A name came before in the same object; at its second place.
    """
    # An object has a colon a name. Where there are more, some may be parts of texts.
    if _fewer_names(value, data.count(b":")):
        text = data.decode(errors="replace")
        found = repeated(text)
        if found is not None:
            position, name = found
            line, column = line_and_column(text, position)
            raise JsonError(line, column, f"expected each name once, {name[:40]!r} came before")
    return value


def _fewer_names(value: Any, colons: int) -> bool:
    """Whether the objects of a value have fewer names than there are colons in its text."""
    level = [value] if isinstance(value, dict | list) else []
    while level and colons:
        colons -= sum(len(one) for one in level if type(one) is dict)
        if not colons:
            break
        inner = (one.values() if type(one) is dict else one for one in level)
        level = [one for ones in inner for one in ones if type(one) in (dict, list)]
    return colons > 0


def repeated(text: str) -> tuple[int, str] | None:
    """The first name that its object has twice, and where; of a sound document.

    Returns:
        The position of the name's second place and the name; None where there is none.
    """
    names: list[set[str] | None] = []
    for token in _TOKEN.finditer(text):
        first = token[0][0]
        if first == "{":
            names.append(set())
        elif first == "[":
            names.append(None)
        elif first in "}]":
            names.pop()
        elif token["colon"] and names and (known := names[-1]) is not None:
            name = json.loads(token["text"])
            if name in known:
                return token.start(), name
            known.add(name)
    return None


def dumps(value: Any) -> bytes:
    """A value as compact JSON, numbers beyond 64 bits included."""
    return written(value, 0)


def written(value: Any, options: int) -> bytes:
    """A value as compact JSON with options of orjson, whatever plain JSON it is."""
    try:
        return orjson.dumps(value, option=options)
    except orjson.JSONEncodeError:
        pass
    try:  # names of EDN as keys are a subclass of str
        return orjson.dumps(value, option=options | orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError:  # a number beyond 64 bits, or half of a surrogate pair
        in_order = bool(options & orjson.OPT_SORT_KEYS)
        text = json.dumps(value, ensure_ascii=False, sort_keys=in_order, separators=(",", ":"))
        return text.encode(errors="surrogatepass")


def _explained(data: bytes, error: orjson.JSONDecodeError) -> JsonError:
    try:
        data.decode()
    except UnicodeDecodeError as bad:
        before = data[: bad.start].decode(errors="replace")
        line, column = line_and_column(before, len(before))
        return JsonError(line, column, f"expected UTF-8, not the byte 0x{data[bad.start]:02x}")
    why = f"expected JSON: {error.msg.partition(': line')[0]}"
    return JsonError(max(error.lineno, 1), max(error.colno, 1), why)


def _exactly(data: bytes) -> Any:
    try:
        value = json.loads(data, parse_constant=_refused, parse_int=_integer, parse_float=_finite)
        return refuse_repeated(data, value)
    except _UnfitNumberError as error:
        text = data.decode(errors="replace")
        numbers = (found for found in _NUMBER.finditer(text) if found.group() == error.number)
        line, column = line_and_column(text, next(numbers).start())
        raise JsonError(line, column, error.why) from error
    except RecursionError as error:
        raise JsonError(1, 1, "expected less nesting") from error
    except JSONDecodeError as error:
        raise JsonError(error.lineno, error.colno, f"expected JSON: {error.msg}") from error


DIGITS_MAX = 1000
"""Longer whole numbers are refused: making them takes time that grows with their square."""

_NUMBER = re.compile(r'"(?:[^"\\]++|\\.)*+"|-?(?:[0-9][0-9.eE+-]*+|Infinity)|NaN', re.DOTALL)
"""Numbers, and texts, in which no number is."""


class _UnfitNumberError(Exception):
    """A number that is refused, as it is written."""

    def __init__(self, number: str, why: str) -> None:
        self.number, self.why = number, why
        super().__init__(why)


def _integer(text: str) -> int:
    if len(text) > DIGITS_MAX:
        raise _UnfitNumberError(text, f"expected whole numbers of at most {DIGITS_MAX} digits")
    return int(text)


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise _UnfitNumberError(text, "expected numbers that are finite")
    return value


def _refused(name: str) -> NoReturn:
    raise _UnfitNumberError(name, f"expected a number, not {name}")


def line_and_column(text: str, position: int) -> tuple[int, int]:
    """Line and column, both from 1, of a position in a text."""
    start = text.rfind("\n", 0, position) + 1
    return text.count("\n", 0, position) + 1, position - start + 1


def place(text: str, path: Sequence[str | int]) -> int:
    """The position of a value in a sound document; that of what encloses it if it is missing.

    Args:
        text: The document.
        path: Names and numbers that lead to the value.
    """
    decoder = json.JSONDecoder()
    position = _skip(text, 0)
    for step in path:
        try:
            found = _child(decoder, text, position, step)
        except RecursionError:
            return position
        if found is None:
            return position
        position = found
    return position


def _child(decoder: json.JSONDecoder, text: str, position: int, step: str | int) -> int | None:
    in_object = text[position] == "{"
    if text[position] not in "{[":
        return None
    position = _skip(text, position + 1)
    count = 0
    while text[position] not in "}]":
        name: str | int = count
        if in_object:
            name, position = decoder.raw_decode(text, position)
            position = _skip(text, _skip(text, position) + 1)
        if name == step:
            return position
        _, position = decoder.raw_decode(text, position)
        position = _skip(text, position)
        if text[position] == ",":
            position = _skip(text, position + 1)
        count += 1
    return None


def _skip(text: str, position: int) -> int:
    found = _BLANK.match(text, position)
    return found.end() if found is not None else position
