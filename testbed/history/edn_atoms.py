"""The values of EDN that hold no others: numbers, texts, names."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from testbed.history.edn_values import BigDecimal, Character, Keyword, Ratio, Symbol

DIGITS_MAX = 1000
"""Longer numbers are refused: making them takes time that grows with their square."""


class EdnError(Exception):
    """Not EDN.

    Args:
        position: Where in the text.
        why: What was expected.
    """

    def __init__(self, position: int, why: str) -> None:
        self.position, self.why = position, why
        super().__init__(why)


_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_ESCAPES = {"t": "\t", "r": "\r", "n": "\n", "b": "\b", "f": "\f", "\\": "\\", '"': '"'}
_CHARACTERS = {
    "newline": "\n",
    "return": "\r",
    "space": " ",
    "tab": "\t",
    "formfeed": "\f",
    "backspace": "\b",
}
_WORDS = {"nil": None, "true": True, "false": False}


def _string(lexeme: str, start: int) -> str:
    if "\\" not in lexeme:
        return lexeme[1:-1]

    def plain(found: re.Match[str]) -> str:
        escape = found.group(1)
        if len(escape) == 5:
            return chr(int(escape[1:], 16))
        if escape not in _ESCAPES:
            raise EdnError(start + 1 + found.start(), f"expected no escape '\\{escape}'")
        return _ESCAPES[escape]

    text = _ESCAPE.sub(plain, lexeme[1:-1])
    # Characters beyond 16 bits are written as two escapes.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _word(lexeme: str, _start: int) -> Any:
    return _WORDS[lexeme] if lexeme in _WORDS else Symbol(lexeme)


def _integer(lexeme: str, start: int) -> int:
    if len(lexeme) > DIGITS_MAX:
        raise EdnError(start, f"expected numbers of at most {DIGITS_MAX} digits")
    return int(lexeme.removesuffix("N"))


def _float(lexeme: str, start: int) -> float | BigDecimal:
    if lexeme.endswith("M"):
        return BigDecimal(lexeme)
    number = float(lexeme)
    if number in (float("inf"), float("-inf")):
        raise EdnError(start, "expected a number that fits 64 bits")
    return number


def _character(lexeme: str, _start: int) -> Character:
    name = lexeme[1:]
    if len(name) == 5 and name[0] == "u":
        return Character(chr(int(name[1:], 16)))
    return Character(_CHARACTERS.get(name, name))


def _symbolic(lexeme: str, start: int) -> Any:
    raise EdnError(start, f"expected a number, not {lexeme}")


ATOMS: dict[str, Callable[[str, int], Any]] = {
    "integer": _integer,
    "keyword": lambda lexeme, _start: Keyword(lexeme[1:]),
    "string": _string,
    "word": _word,
    "ratio": lambda lexeme, _start: Ratio(lexeme.removeprefix("+")),
    "float": _float,
    "character": _character,
    "symbolic": _symbolic,
}
"""Makes a value of its text, by the kind of token; the second argument is its place.

Each raises :class:`EdnError` where the text is none.
"""
