"""The form of a policy file: tables, classes and jurisdictions, each name with its line."""

from __future__ import annotations

import re
from collections.abc import Iterable

from testbed.topology.placement_draft import (
    ClassDraft,
    JurisdictionDraft,
    PolicyDraft,
    TableDraft,
    Word,
)
from testbed.topology.problem import Place, Problem, nearest
from testbed.topology.source import Item, Listing, Scalar, Table

_PARTS = ("residency", "free", "jurisdictions", "tables", "classes")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_VALUE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,40}")
_PREFIX = re.compile(r"[a-z0-9_/.-]{1,80}")
_CLASS_FIELDS = (
    "rule", "jurisdiction", "table", "residency", "columns", "key_prefix", "mapping", "because",
)  # fmt: skip
_TOPIC = re.compile("topics?|channels?|events?")
_NO_TOPICS = (
    "keep personal values out of messages: PostgreSQL's channels do not leave their cluster, and "
    "Consul's events reach every server everywhere, so no policy can keep either at home"
)


class PolicyReader:
    """Reads a policy file and reports what does not have its form.

    Args:
        problems: Gets every problem.
    """

    def __init__(self, problems: list[Problem]) -> None:
        self._problems = problems

    def read(self, root: Item) -> PolicyDraft | None:
        """The whole file; None when it is none at all."""
        parts = self._fields(root, _PARTS, "the policy")
        if not parts:
            return None
        for name in _PARTS:
            if name not in parts:
                self._add(root.place, f"the policy has no {name}", f"add `{name}:`")
        tables = self._named(parts.get("tables"), "the tables", _NAME)
        classes = self._named(parts.get("classes"), "the classes", _NAME)
        places = self._named(parts.get("jurisdictions"), "the jurisdictions", _VALUE)
        return PolicyDraft(
            place=root.place,
            residency=self._word(parts.get("residency"), "residency", _NAME, root.place),
            free=self._word(parts.get("free"), "free", _VALUE, root.place),
            tables=tuple(self._table_of(*each) for each in tables),
            classes=tuple(self._class_of(*each) for each in classes),
            jurisdictions=tuple(self._jurisdiction_of(*each) for each in places),
        )

    def _table_of(self, name: str, place: Place, item: Item) -> TableDraft:
        what = f"the table {name}"
        parts = self._fields(item, ("columns", "key", "personal"), what)
        columns = {
            column: self._word(each, f"the type of {name}.{column}", _NAME, at)
            for column, at, each in self._named(parts.get("columns"), f"{name}'s columns", _NAME)
        }
        for part in ("columns", "key"):
            if not parts.get(part):
                self._add(place, f"{what} has no {part}", f"add `{part}:`")
        return TableDraft(
            name,
            place,
            columns,
            self._words(parts.get("key"), f"{name}'s key") or (),
            self._words(parts.get("personal"), f"{name}'s personal columns") or (),
        )

    def _class_of(self, name: str, place: Place, item: Item) -> ClassDraft:
        parts = self._fields(item, _CLASS_FIELDS, f"the class {name}")

        def word(field: str, form: re.Pattern[str]) -> Word | None:
            if field not in parts:
                return None
            return self._word(parts[field], f"{field} of {name}", form, place)

        because = parts.get("because")
        return ClassDraft(
            name,
            place,
            rule=self._word(parts.get("rule"), f"rule of {name}", _NAME, place),
            jurisdiction=word("jurisdiction", _VALUE),
            table=word("table", _NAME),
            residency=word("residency", _VALUE),
            columns=self._words(parts.get("columns"), f"{name}'s columns"),
            key_prefix=word("key_prefix", _PREFIX),
            mapping=word("mapping", _NAME),
            because=because.text if isinstance(because, Scalar) else "",
        )

    def _jurisdiction_of(self, name: str, place: Place, item: Item) -> JurisdictionDraft:
        fields = ("failover", "backups", "clients")
        parts = self._fields(item, fields, f"the jurisdiction {name}")
        for part in fields:
            if part not in parts:
                remedy = f"add `{part}: [REGION]`, or `[]` for none"
                self._add(place, f"the jurisdiction {name} does not say {part}", remedy)
        failover, backups, clients = (
            self._words(parts.get(part), f"{part} of {name}") or () for part in fields
        )
        return JurisdictionDraft(name, place, failover, backups, clients)

    def _named(
        self, item: Item | None, what: str, form: re.Pattern[str]
    ) -> list[tuple[str, Place, Item]]:
        """The entries of a mapping from names that have a form."""
        if item is None:
            return []
        if not isinstance(item, Table):
            self._add(item.place, f"{what}: no mapping", "write one NAME: a line below it")
            return []
        found = []
        for name, each in item.entries.items():
            place = item.keys[name]
            if form.fullmatch(name):
                found.append((name, place, each))
            else:
                self._add(place, f"{name} is no name", f"write one like {_like(form)}")
        return found

    def _fields(self, item: Item, known: tuple[str, ...], what: str) -> dict[str, Item]:
        """The known fields of a mapping; the others are problems."""
        if not isinstance(item, Table):
            self._add(item.place, f"{what}: no mapping", f"write some of: {', '.join(known)}")
            return {}
        for key, place in item.keys.items():
            if key not in known:
                remedy = _NO_TOPICS if _TOPIC.fullmatch(key) else nearest(key, known)
                self._add(place, f"unknown field {key} in {what}", remedy)
        return {key: each for key, each in item.entries.items() if key in known}

    def _words(self, item: Item | None, what: str) -> tuple[Word, ...] | None:
        """A list of names, each once; None where there is none."""
        if item is None:
            return None
        if not isinstance(item, Listing):
            self._add(item.place, f"{what}: no list", "write [NAME, NAME]")
            return ()
        found: list[Word] = []
        for each in item.items:
            text = each.text if isinstance(each, Scalar) else ""
            if not text:
                self._add(each.place, f"{what} hold something that is no name", "write a name")
            elif text in _texts(found):
                self._add(each.place, f"{what} name {text} twice", "name it once")
            else:
                found.append(Word(text, each.place))
        return tuple(found)

    def _word(self, item: Item | None, what: str, form: re.Pattern[str], above: Place) -> Word:
        """A name; an empty one after a problem was said."""
        if isinstance(item, Scalar) and isinstance(item.value, str) and form.fullmatch(item.text):
            return Word(item.text, item.place)
        if item is None:
            # What has no rule is said with its class.
            if what.startswith(("rule", "the type")):
                self._add(above, f"there is no {what}", "state it")
            return Word("", above)
        shown = item.text if isinstance(item, Scalar) else "a list or mapping"
        remedy = f"write one like {_like(form)}, in quotes if YAML reads it otherwise"
        self._add(item.place, f"{what} is {shown or 'empty'}, no name", remedy)
        return Word("", item.place)

    def _add(self, place: Place, message: str, remedy: str) -> None:
        self._problems.append(Problem(place, message, remedy))


def _texts(words: Iterable[Word]) -> set[str]:
    return {word.text for word in words}


def _like(form: re.Pattern[str]) -> str:
    return {_NAME.pattern: "customers_eu", _VALUE.pattern: "EU"}.get(form.pattern, "personal/eu/")
