"""EDN, the notation of Clojure: values read strictly, with their places and bounded nesting.

Source: the edn-format specification (https://github.com/edn-format/edn) and what Clojure's printer
writes besides: ratios, symbolic values, records. Values come as plain JSON so that checkers read
one kind of history; a name that JSON does not have (a keyword, a symbol, a ratio) is a subclass
of ``str``, a set one of ``list``, so that nothing is forgotten by who must write it again.
"""

from __future__ import annotations

import re
from typing import Any

from testbed.history.edn_atoms import ATOMS, EdnError
from testbed.history.edn_tokens import CLOSES, TOKEN, end_of_collection
from testbed.history.edn_values import Independent, IntegerKey, OtherKey, Set, Symbol
from testbed.history.line import LINE_BYTES_MAX

NESTING_MAX = 200
"""Deeper values are refused."""

LENGTH_MAX = LINE_BYTES_MAX
"""Values of more characters are refused, as the lines of JSON that would hold them are."""

MEASURED_FROM = LENGTH_MAX // 256
"""From so many characters on a value is measured before more of it is made."""

_RECORDS = ("jepsen.history.Op", "knossos.op.Op", "jepsen.history.op")
_INDEPENDENT = re.compile(r"(jepsen\.)?independent[./][Tt]uple")
_NONE = object()

END = object()
"""What :meth:`Reader.next_value` gives at the end of the text."""


class _Frame:
    """A collection that is being read, or a tag or discard that waits for its value."""

    __slots__ = ("ends", "items", "opened", "places", "start")

    def __init__(self, opened: str, start: int) -> None:
        self.opened = opened
        self.start = start
        self.items: list[Any] = []
        self.places: list[int] = []
        self.ends: list[int] = []


def _open(stack: list[_Frame], opened: str, start: int) -> None:
    if len(stack) >= NESTING_MAX:
        raise EdnError(start, f"expected at most {NESTING_MAX} levels of nesting")
    stack.append(_Frame(opened, start))


class Reader:
    """Reads values one after the other from a text.

    Args:
        text: The text.
        position: Where to begin.
    """

    def __init__(self, text: str, position: int = 0) -> None:
        self.text = text
        self.position = position
        self._places: dict[str, int] = {}

    def next_value(self) -> Any:
        """The next value, or :data:`END` when there is none.

        Raises:
            EdnError: The text is not EDN there, or the value is too long.
        """
        stack: list[_Frame] = []
        match, text, first = TOKEN.match, self.text, self.position
        end = first + LENGTH_MAX + 1  # no token reaches beyond it, so none is copied that does
        measured = first + MEASURED_FROM if len(text) >= end else len(text)
        while True:
            if self.position > measured:
                measured = self._measured(stack, first)
            found = match(text, self.position, end)
            if found is None:
                return self._ended(stack, first)
            start, self.position = self.position, found.end()
            kind, lexeme = found.lastgroup, found.group()
            if kind == "blank":
                continue
            if kind in ("open", "tag", "discard"):
                _open(stack, lexeme, start)
                continue
            if kind == "close":
                value = self._closed(stack, lexeme, start)
                start = stack.pop().start
            else:
                value = ATOMS[str(kind)](lexeme, start)
            if stack and stack[-1].opened not in CLOSES:
                value, start = self._unwrapped(stack, value, start)
                if value is _NONE:
                    continue
            if not stack:
                self._bounded(first)
                return value
            stack[-1].items.append(value)
            stack[-1].places.append(start)
            stack[-1].ends.append(self.position)

    def _unwrapped(self, stack: list[_Frame], value: Any, start: int) -> tuple[Any, int]:
        """Give a value to the tags that wait for it; :data:`_NONE` if it is discarded."""
        while stack and stack[-1].opened not in CLOSES:
            frame = stack.pop()
            if frame.opened == "#_":
                return _NONE, start
            start = frame.start
            value = self._tagged(frame.opened[1:], value, start)
        return value, start

    def _measured(self, stack: list[_Frame], first: int) -> int:
        """Refuse a value that is too long before all of it is made; up to where it is not.

        Small numbers take fifty bytes and two microseconds each: those of 64 MiB take minutes.
        """
        depth = sum(frame.opened in CLOSES for frame in stack)
        if not depth:
            return self.position + MEASURED_FROM
        end = end_of_collection(self.text, self.position, first + LENGTH_MAX, depth)
        if end is None:
            raise EdnError(first, f"expected a value of at most {LENGTH_MAX} characters")
        return end

    def _bounded(self, first: int) -> None:
        if self.position - first > LENGTH_MAX:
            raise EdnError(first, f"expected a value of at most {LENGTH_MAX} characters")

    def _ended(self, stack: list[_Frame], first: int) -> Any:
        self._bounded(first)
        if self.position < len(self.text):
            cut = TOKEN.match(self.text, self.position)
            if cut is not None:  # a token that was looked for up to the bound, and is longer
                self.position = cut.end()
                self._bounded(first)
            raise EdnError(self.position, self._unexpected())
        if not stack:
            return END
        close = CLOSES.get(stack[-1].opened)
        if close is None:
            raise EdnError(stack[-1].start, f"expected a value after '{stack[-1].opened:.40}'")
        raise EdnError(self.position, f"expected '{close}' before the end of the file")

    def _closed(self, stack: list[_Frame], lexeme: str, start: int) -> Any:
        """The value of the innermost collection, which ends here."""
        if not stack:
            raise EdnError(start, f"expected a value, not '{lexeme}'")
        frame = stack[-1]
        close = CLOSES.get(frame.opened)
        if close is None:
            raise EdnError(frame.start, f"expected a value after '{frame.opened:.40}'")
        if close != lexeme:
            raise EdnError(start, f"expected '{close}', not '{lexeme}'")
        if frame.opened == "{":
            outermost = all(other.opened[1:] in _RECORDS for other in stack[:-1])
            return self._map(frame, start, outermost=outermost)
        return Set(frame.items) if frame.opened == "#{" else frame.items

    def _map(self, frame: _Frame, end: int, *, outermost: bool) -> dict[str, Any]:
        items, places = frame.items, [*frame.places, end]
        if len(items) % 2:
            raise EdnError(frame.start, "expected a value for every key of the map")
        found: dict[str, Any] = {}
        for number in range(0, len(items), 2):
            key = items[number]
            if not isinstance(key, str):
                # Not up to the next value: what is discarded and a comment's end lie between.
                written = self.text[places[number] : frame.ends[number]]
                key = IntegerKey(key) if type(key) is int else OtherKey(written)
            if key in found:
                why = f"expected each key once, '{key:.40}' came before"
                raise EdnError(places[number], why)
            found[key] = items[number + 1]
        if outermost:
            self._places = dict(zip(found, places[1::2], strict=False))
        return found

    def opened(self) -> str | None:
        """Enter the collection that begins here, if a vector or a list does."""
        self._skip()
        if self.text[self.position : self.position + 1] in ("[", "("):
            self.position += 1
            return CLOSES[self.text[self.position - 1]]
        return None

    def closed(self, bracket: str) -> bool:
        """Leave a collection if it ends here.

        Raises:
            EdnError: The text ends before it does.
        """
        self._skip()
        found = self.text[self.position : self.position + 1]
        if not found:
            raise EdnError(self.position, f"expected '{bracket}' before the end of the file")
        if found == bracket:
            self.position += 1
            return True
        return False

    def at_end(self) -> bool:
        """Whether nothing is left."""
        self._skip()
        return self.position >= len(self.text)

    def _skip(self) -> None:
        """Go on to the next value: over blanks, comments and what is discarded."""
        while found := TOKEN.match(self.text, self.position):
            if found.lastgroup == "blank":
                self.position = found.end()
            elif found.lastgroup == "discard":
                self.position = found.end()
                if self.next_value() is END:
                    raise EdnError(found.start(), "expected a value to discard after '#_'")
            else:
                return

    def place_of(self, name: str, otherwise: int) -> int:
        """Where the value of a field of the last outermost map stands."""
        return self._places.get(name, otherwise)

    def fresh(self) -> None:
        """Forget the places of the last map."""
        self._places = {}

    def _tagged(self, tag: str, value: Any, start: int) -> Any:
        if tag in _RECORDS:
            if not isinstance(value, dict):
                raise EdnError(start, f"expected a map after '#{tag}'")
            return value
        if _INDEPENDENT.fullmatch(tag):
            if isinstance(value, dict) and set(value) == {"key", "value"}:
                value = [value["key"], value["value"]]
            if not isinstance(value, list) or len(value) != 2:
                raise EdnError(start, f"expected a key and a value after '#{tag}'")
            return Independent(value)
        return {Symbol("#" + tag): value}

    def _unexpected(self) -> str:
        character = self.text[self.position]
        if character == '"':
            return "expected the string to end before the file does"
        rest = re.split(r"[\s,;\"()\[\]{}]", self.text[self.position : self.position + 40])[0]
        return f"expected a value, not {rest or character!r}"
