"""What a file of sessions may hold in one piece, told before any of it is made a value."""

from __future__ import annotations

import re

from testbed.history.line import LINE_BYTES_MAX
from testbed.history.problem import HistoryError, Problem

LENGTH_MAX = LINE_BYTES_MAX
"""Longer transactions and strings are refused, as the lines of JSON that would hold them are."""

_NAME = b'"committed"'
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[][{}]', re.DOTALL)
_DEPTH = 3
"""How many brackets a transaction stands in: the document's, the sessions' and its session's."""


def refuse_long(data: bytes, name: str) -> None:
    """Refuse a document with a transaction or a string that is too long, at its beginning.

    Documents are walked through only where such a piece may be: each transaction says once whether
    it is committed, so what is too long leaves a long way without that.

    Args:
        data: The document.
        name: The file, for messages.

    Raises:
        HistoryError: There is one.
    """
    if len(data) <= LENGTH_MAX or _often_named(data):
        return
    depth = start = 0
    for found in _TOKEN.finditer(data):
        if found.end() - found.start() > LENGTH_MAX:
            raise _refused(data, found.start(), "string", name)
        bracket = found.group()
        if bracket in (b"[", b"{"):
            if depth == _DEPTH:
                start = found.start()
            depth += 1
        elif bracket in (b"]", b"}"):
            depth -= 1
            if depth == _DEPTH and found.end() - start > LENGTH_MAX:
                raise _refused(data, start, "transaction", name)


def _often_named(data: bytes) -> bool:
    """Whether every stretch of an eighth of the bound has the name: then nothing is too long.

    Of a transaction beyond the bound nearly half comes before or after its name.
    """
    step = max(LENGTH_MAX // 8, 1)
    return all(
        data.find(_NAME, at, at + step + len(_NAME)) >= 0 for at in range(0, len(data) - step, step)
    )


def _refused(data: bytes, position: int, what: str, name: str) -> HistoryError:
    line_start = data.rfind(b"\n", 0, position) + 1
    column = len(data[line_start:position].decode(errors="replace")) + 1
    expected = f"expected a {what} of at most {LENGTH_MAX} bytes, this one is longer"
    return HistoryError(name, [Problem(data.count(b"\n", 0, position) + 1, column, expected)])
