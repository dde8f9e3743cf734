"""Values of EDN that plain JSON does not have."""

from __future__ import annotations

from typing import Any


class Name(str):
    """A text that is no string in EDN: a symbol, a character, a ratio, a number as a key, ..."""

    __slots__ = ()


class Keyword(Name):
    """A keyword, without its colon."""

    __slots__ = ()


class Symbol(Name):
    """A symbol."""

    __slots__ = ()


class Ratio(Name):
    """A ratio, as ``1/2``."""

    __slots__ = ()


class BigDecimal(Name):
    """A decimal number of any precision, as ``1.50M``."""

    __slots__ = ()


class Character(Name):
    """A character, as ``a``."""

    __slots__ = ()


class IntegerKey(Name):
    """A whole number that is the key of a map."""

    __slots__ = ()


class OtherKey(Name):
    """Any other value that is the key of a map, as it was written."""

    __slots__ = ()


class Set(list[Any]):
    """The elements of a set."""


class Independent(list[Any]):
    """A key and a value of Jepsen's independent keys."""
