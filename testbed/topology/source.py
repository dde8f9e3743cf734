"""YAML with places: every value remembers its file and line.

Only what stock Ansible and this testbed read alike is accepted: one document, text keys, no tags,
no merge keys, decimal numbers. Everything else is a problem with its line, never a surprise.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from testbed.topology.problem import Place, Problem, place_in

_VALUES_MAX = 20_000
_BYTES_MAX = 1_000_000
_DIGITS_MAX = 18
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FRACTION = re.compile(r"[-+]?[0-9]+\.[0-9]*([eE][-+]?[0-9]+)?")
_PECULIAR = re.compile("[\t?\x85\u2028\u2029\ufeff]")
"""What the two parsers of YAML do not read alike: tabs, keys behind a ``?``, rare ends of lines."""
_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value.

    Args:
        place: Where it stands.
        value: As YAML reads it; None for an empty value.
        text: As it was written, without quotes.
    """

    place: Place
    value: str | int | float | bool | None
    text: str


@dataclass(frozen=True, slots=True)
class Listing:
    """A sequence of values."""

    place: Place
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping, in the order of the file.

    Args:
        place: Where it begins.
        entries: The values by key.
        keys: Where each key stands.
    """

    place: Place
    entries: Mapping[str, Item]
    keys: Mapping[str, Place]


Item = Scalar | Listing | Table


class _RefusedError(Exception):
    """The document as a whole cannot be read."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def read(path: Path, problems: list[Problem]) -> Item | None:
    """The content of a YAML file.

    Args:
        path: The file.
        problems: Gets every problem of the file's form.

    Returns:
        What could be read, or None when nothing could.
    """
    file = place_in(path).file
    try:
        return _Reader(file, problems).document(_text(path))
    except _RefusedError as refused:
        problems.append(refused.problem)
    except RecursionError:
        problems.append(Problem(Place(file, 1), "nested too deep to be read", "flatten it"))
    return None


def scalar_of(text: str, place: Place) -> Scalar:
    """A value written by itself, for example on the command line, read as YAML reads it."""
    loader: Any = yaml.SafeLoader("")  # its resolver has no types
    tag: str = loader.resolve(yaml.ScalarNode, text, (True, False))
    return Scalar(place, _plain(tag.removeprefix(_TAG), text), text)


def _text(path: Path) -> str:
    """The text of a file.

    Raises:
        _RefusedError: It cannot be read, is no UTF-8, is too long, or holds nothing.
    """
    place = place_in(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        remedy = "create it" if isinstance(error, FileNotFoundError) else "make it readable"
        raise _RefusedError(Problem(place, f"cannot be read ({error.strerror})", remedy)) from None
    if len(content) > _BYTES_MAX:
        message = f"is {len(content)} bytes long, more than {_BYTES_MAX}"
        raise _RefusedError(Problem(place, message, "check that it is the right file"))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        message = f"byte {content[error.start]:#04x} is no UTF-8"
        raise _RefusedError(Problem(place_in(path, line), message, "save it as UTF-8")) from None
    return text


def _composed(text: str) -> yaml.Node | None:
    """The nodes of a document.

    The parser in C is ten times quicker. What it refuses, or what is peculiar, is read by the one
    in Python, whose words for what is wrong are the ones that people are shown.

    Raises:
        yaml.YAMLError: The text is no YAML.
        ValueError: An escape names no character; or OverflowError.
        RecursionError: It is nested too deep.
    """
    loader: Any
    if yaml.__with_libyaml__ and not _PECULIAR.search(text):
        with contextlib.suppress(yaml.YAMLError, ValueError, OverflowError, RecursionError):
            loader = yaml.CSafeLoader
            return yaml.compose(text, Loader=loader)
    loader = yaml.SafeLoader
    return yaml.compose(text, Loader=loader)


def _form_problem(file: str, text: str, error: yaml.YAMLError) -> Problem:
    """A syntax error in the parser's own words, with its line and what to do."""
    if isinstance(error, yaml.reader.ReaderError):
        line = text[: error.position].count("\n") + 1
        message = f"the character {error.character!r} is not allowed"
        return Problem(Place(file, line), message, "remove it")
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = min(mark.line + 1, text.count("\n") + 1) if mark is not None else 1
    words = getattr(error, "problem", None) or "cannot be read"
    if "\\t" in words or "\t" in _line(text, line):
        message = "a tab where YAML wants spaces"
        return Problem(Place(file, line), message, "indent with spaces, two a level")
    if "expected a single document" in str(error):
        return Problem(Place(file, line), "a second document begins", "keep one document a file")
    context = getattr(error, "context", None)
    message = f"no valid YAML: {f'{context}, ' if context else ''}{words}"
    return Problem(Place(file, line), message, "correct this line or the one before it")


def _line(text: str, number: int) -> str:
    """One line of a text, counted from 1; empty past its end."""
    lines = text.splitlines()
    return lines[number - 1] if number <= len(lines) else ""


def _plain(tag: str, text: str) -> str | int | float | bool | None:
    """A scalar's value; what YAML 1.1 would read in its own way (octal, base 60) stays text."""
    if tag == "null":
        return None
    if tag == "bool":
        return text.lower() in {"true", "yes", "on"}
    if tag == "int" and _DECIMAL.fullmatch(text) and len(text) <= _DIGITS_MAX:
        return int(text)
    if tag == "float" and _FRACTION.fullmatch(text):
        return float(text) if math.isfinite(float(text)) else text
    return text


class _Reader:
    """Turns one file's parsed nodes into items and reports what has no place in an inventory."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self._file = file
        self._problems = problems
        self._count = 0

    def document(self, text: str) -> Item:
        """The one document of a file.

        Raises:
            _RefusedError: The text is empty or no YAML.
        """
        try:
            node = _composed(text)
        except yaml.YAMLError as error:
            raise _RefusedError(_form_problem(self._file, text, error)) from None
        except (ValueError, OverflowError):  # an escape such as "\\UFFFFFFFF" names no character
            message = "no valid YAML: an escape that names no character"
            raise _RefusedError(
                Problem(Place(self._file, 1), message, "write it plainly")
            ) from None
        if node is None or (isinstance(node, yaml.ScalarNode) and not node.value):
            problem = Problem(Place(self._file, 1), "the file is empty", "see a shipped inventory")
            raise _RefusedError(problem)
        return self._item(node, ())

    def _item(self, node: yaml.Node, above: tuple[int, ...]) -> Item:
        place = Place(self._file, node.start_mark.line + 1)
        self._count += 1
        if id(node) in above or self._count > _VALUES_MAX:
            message = "an alias (*NAME) makes the document endless or far too long"
            raise _RefusedError(Problem(place, message, "write the value out"))
        above = (*above, id(node))
        if isinstance(node, yaml.MappingNode):
            self._known_tag(node, place, "map")
            return self._table(node, place, above)
        if isinstance(node, yaml.SequenceNode):
            self._known_tag(node, place, "seq")
            return Listing(place, tuple(self._item(child, above) for child in node.value))
        tag = node.tag.removeprefix(_TAG)
        self._known_tag(node, place, "str", "int", "float", "bool", "null", "timestamp", "value")
        return Scalar(place, _plain(tag, node.value), node.value)

    def _known_tag(self, node: yaml.Node, place: Place, *known: str) -> None:
        if node.tag.removeprefix(_TAG) not in known:
            message = f"the tag {node.tag} is not read here"
            self._problems.append(Problem(place, message, "write a plain value"))

    def _table(self, node: yaml.MappingNode, place: Place, above: tuple[int, ...]) -> Table:
        entries: dict[str, Item] = {}
        keys: dict[str, Place] = {}
        for key_node, value_node in node.value:
            at = Place(self._file, key_node.start_mark.line + 1)
            key = self._key(key_node, at)
            if key is None:
                continue
            if key in entries:
                message = f"{key} stands twice in one mapping, first in line {keys[key].line}"
                self._problems.append(Problem(at, message, "keep one of them"))
                continue
            entries[key] = self._item(value_node, above)
            keys[key] = at
        return Table(place, entries, keys)

    def _key(self, node: yaml.Node, place: Place) -> str | None:
        tag = node.tag.removeprefix(_TAG)
        if tag == "merge":
            self._problems.append(
                Problem(place, "merge keys (<<) are not read here", "write the keys out")
            )
            return None
        if not isinstance(node, yaml.ScalarNode):
            self._problems.append(Problem(place, "a key that is no text", "write a plain name"))
            return None
        if tag != "str":
            message = f"YAML reads the key {node.value or 'nothing'} as {tag}, not as text"
            self._problems.append(Problem(place, message, f'write "{node.value}" in quotes'))
            return None
        return str(node.value)
