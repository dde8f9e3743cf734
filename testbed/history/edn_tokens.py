"""Tokens of EDN, and where a collection of them ends, told without making its values."""

from __future__ import annotations

import re

# Repetitions that never give back: else one token of a hundred megabytes takes gigabytes.
TOKEN = re.compile(
    r"""
      (?P<blank>(?:[\s,]++|;[^\n]*+)++)
    | (?P<integer>[+-]?(?:0|[1-9][0-9]*)N?(?=[\s,;"()\[\]{}]|$))
    | (?P<keyword>:[^\s,;"()\[\]{}@^`~\\:][^\s,;"()\[\]{}@^`~\\]*)
    | (?P<open>[\[({]|\#\{)
    | (?P<close>[\])}])
    | (?P<string>"[^"\\]*+(?:\\.[^"\\]*+)*+")
    | (?P<ratio>[+-]?(?:0|[1-9][0-9]*)/[1-9][0-9]*(?=[\s,;"()\[\]{}]|$))
    | (?P<float>[+-]?(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?M?(?=[\s,;"()\[\]{}]|$))
    | (?P<word>(?![+-]?[0-9])[A-Za-z.*!_?$%&=<>|+/-][A-Za-z0-9.*!_?$%&=<>|+/:\#'-]*)
    | (?P<character>\\(?:newline|return|space|tab|formfeed|backspace|u[0-9A-Fa-f]{4}|\S))
    | (?P<discard>\#_)
    | (?P<symbolic>\#\#[A-Za-z]+)
    | (?P<tag>\#[A-Za-z][A-Za-z0-9._/*!?$%&=<>+-]*)
    """,
    re.VERBOSE | re.DOTALL,
)

CLOSES = {"[": "]", "(": ")", "{": "}", "#{": "}"}
"""Of each opening bracket the one that closes it."""

_LEAF = r"""[^"\\;\[\](){}]++ | "(?:[^"\\]++|\\.)*+" | ;[^\n]*+ | \\."""


def _with_collections(inner: str) -> str:
    return rf"{inner} | [\[({{] (?:{inner})*+ [\])}}]"


_STEP = re.compile(
    rf"""
      (?P<whole>(?:{_with_collections(_with_collections(_with_collections(_LEAF)))})++)
    | (?P<opening>[\[({{]++)
    | (?P<closing>[\])}}]++)
    """,
    re.VERBOSE | re.DOTALL,
)
"""What goes over as much as can be at once: a step of Python takes as long as twenty characters."""


def end_of_collection(text: str, position: int, bound: int, depth: int) -> int | None:
    """Where as many brackets are closed as are open, None where that is beyond a bound.

    Args:
        text: The text.
        position: Inside the collection, between two tokens.
        bound: Up to where to look.
        depth: How many brackets are open there.
    """
    while found := _STEP.match(text, position, bound):
        position = found.end()
        if found.lastgroup == "opening":
            depth += position - found.start()
        elif found.lastgroup == "closing":
            closed = position - found.start()
            if closed >= depth:
                return found.start() + depth
            depth -= closed
    return None
