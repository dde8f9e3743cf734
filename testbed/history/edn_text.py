"""EDN written: values of plain JSON, and values that were read from EDN as they were."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from testbed.history.edn_values import (
    BigDecimal,
    Character,
    Independent,
    IntegerKey,
    Keyword,
    Name,
    OtherKey,
    Ratio,
    Set,
    Symbol,
)
from testbed.history.entry import Entry, micro_operations

_KEYWORD = re.compile(r"[A-Za-z][A-Za-z0-9*+!_?<>=.-]*(/[A-Za-z][A-Za-z0-9*+!_?<>=.-]*)?")
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}")
_ESCAPED = re.compile(r'["\\\x00-\x1f]')
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_CHARACTERS = {
    "\n": "newline",
    "\r": "return",
    " ": "space",
    "\t": "tab",
    "\f": "formfeed",
    "\b": "backspace",
}


def text_of_entry(entry: Entry) -> str:
    """A map of Jepsen's, with keywords where Jepsen has them."""
    fields: dict[str, Any] = {
        "process": _named(entry.process),
        "type": Keyword(entry.type),
        "f": _named(entry.f),
        "key": _named(entry.key),
        "value": entry.value,
        "time": entry.time,
        "error": _named(entry.error),
        "index": entry.index,
        "untimed": entry.untimed or None,
    }
    kept = {name: value for name, value in fields.items() if value is not None or name == "value"}
    if micro_operations(kept["value"]):
        kept["value"] = [[Keyword(micro[0]), _named(micro[1]), *micro[2:]] for micro in entry.value]
    return text_of(kept | dict(entry.more))


def text_of(value: Any) -> str:
    """Any value.

    Names keep their kind. The keys of a map that are plain texts become whole numbers or keywords
    where they read as such, and strings else.
    """
    if isinstance(value, str):
        return _text_of_name(value)
    if isinstance(value, Mapping):
        return _text_of_map(value)
    if isinstance(value, list):
        inner = " ".join(text_of(item) for item in value)
        if isinstance(value, Independent):
            return f"#jepsen.independent/tuple [{inner}]"
        return f"#{{{inner}}}" if isinstance(value, Set) else f"[{inner}]"
    return _text_of_number(value)


def _text_of_number(value: Any) -> str:
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return f"{value}N"
    return repr(value)


def _text_of_name(value: str) -> str:
    if isinstance(value, Keyword):
        return f":{value}"
    if isinstance(value, Character):
        return f"\\{_CHARACTERS.get(value, value)}"
    if isinstance(value, BigDecimal | IntegerKey | OtherKey | Ratio | Symbol):
        return str(value)
    escaped = _ESCAPED.sub(_escape, value)
    return f'"{escaped}"'


def _text_of_map(value: Mapping[str, Any]) -> str:
    if len(value) == 1:
        ((tag, inner),) = value.items()
        if isinstance(tag, Symbol) and tag.startswith("#"):
            return f"{tag} {text_of(inner)}"
    pairs = (f"{text_of(_key(key))} {text_of(item)}" for key, item in value.items())
    return "{" + ", ".join(pairs) + "}"


def _key(key: str) -> str:
    if type(key) is str and _WHOLE.fullmatch(key):
        return IntegerKey(key)
    named: str = _named(key)
    return named


def _named(value: Any) -> Any:
    """A plain text as a keyword, if it can be one."""
    plain = isinstance(value, str) and not isinstance(value, Name)
    return Keyword(value) if plain and _KEYWORD.fullmatch(value) else value


def _escape(found: re.Match[str]) -> str:
    character = found.group()
    return _ESCAPES.get(character, f"\\u{ord(character):04x}")


def same(one: Any, two: Any) -> bool:
    """Whether two values that were read from EDN are equal, the kinds of names included."""
    if type(one) is not type(two):
        return False
    if isinstance(one, dict):
        kinds = {key: type(key) for key in one}
        return kinds == {key: type(key) for key in two} and all(
            same(item, two[key]) for key, item in one.items()
        )
    if isinstance(one, list):
        return len(one) == len(two) and all(map(same, one, two))
    return bool(one == two)
