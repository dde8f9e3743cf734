"""Values in counterexamples, bounded: a read of millions of items must not be printed whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

ITEMS_MAX = 12
"""Of a list or an object so many are told in words."""

CHARACTERS_MAX = 300
"""Of a text so many are told in words."""

PLAIN_ITEMS_MAX = 100
PLAIN_CHARACTERS_MAX = 4000
"""The same in what programs read."""


def brief(value: Any) -> str:
    """A value as JSON for people; of what is long the beginning, and how much there is in all."""
    return "".join(_words(value))


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, list | tuple):
        yield "["
        for place, item in enumerate(value[:ITEMS_MAX]):
            yield ", " if place else ""
            yield from _words(item)
        yield f", ... {len(value)} in all]" if len(value) > ITEMS_MAX else "]"
    elif isinstance(value, dict):
        yield "{"
        for place, (name, item) in enumerate(islice(value.items(), ITEMS_MAX)):
            yield f"{', ' if place else ''}{_text(str(name))}: "
            yield from _words(item)
        yield f", ... {len(value)} in all}}" if len(value) > ITEMS_MAX else "}"
    elif isinstance(value, str):
        yield _text(value)
    else:
        yield json.dumps(value, ensure_ascii=False, default=str)


def _text(value: str) -> str:
    if len(value) <= CHARACTERS_MAX:
        return json.dumps(value, ensure_ascii=False)
    begin = json.dumps(value[:CHARACTERS_MAX], ensure_ascii=False)
    return f'{begin[:-1]}... {len(value)} characters in all"'


def bounded(value: Any) -> Any:
    """Plain JSON with nothing in it that is long.

    A list of more than ``PLAIN_ITEMS_MAX`` is cut, and ends in a text that says how many there
    were; a long text likewise. Lists of objects are kept whole: those are the operations that a
    counterexample consists of.
    """
    if isinstance(value, dict):
        return {name: bounded(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        if len(value) > PLAIN_ITEMS_MAX and not isinstance(value[0], dict):
            begin = [bounded(item) for item in value[:PLAIN_ITEMS_MAX]]
            return [*begin, f"... {len(value)} in all"]
        return [bounded(item) for item in value]
    if isinstance(value, str) and len(value) > PLAIN_CHARACTERS_MAX:
        return f"{value[:PLAIN_CHARACTERS_MAX]}... {len(value)} characters in all"
    return value
