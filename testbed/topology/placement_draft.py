"""A placement policy as it was written: every name with its place, nothing judged yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from testbed.topology.problem import Place


@dataclass(frozen=True, slots=True)
class Word:
    """A name, and where it stands."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class TableDraft:
    """A table; ``columns`` holds the type of each column by its name."""

    name: str
    place: Place
    columns: Mapping[str, Word] = field(default_factory=dict)
    key: tuple[Word, ...] = ()
    personal: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class ClassDraft:
    """A class of data; what it does not state is None."""

    name: str
    place: Place
    rule: Word
    jurisdiction: Word | None = None
    table: Word | None = None
    residency: Word | None = None
    columns: tuple[Word, ...] | None = None
    key_prefix: Word | None = None
    mapping: Word | None = None
    because: str = ""


@dataclass(frozen=True, slots=True)
class JurisdictionDraft:
    """What a jurisdiction permits."""

    name: str
    place: Place
    failover: tuple[Word, ...] = ()
    backups: tuple[Word, ...] = ()
    clients: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyDraft:
    """All of a policy.

    Args:
        place: Where the file begins.
        residency: The column that says where a row is at home.
        free: The word there for rows that are at home nowhere.
        tables: In the order of the file.
        classes: In the order of the file.
        jurisdictions: In the order of the file.
    """

    place: Place
    residency: Word
    free: Word
    tables: tuple[TableDraft, ...] = ()
    classes: tuple[ClassDraft, ...] = ()
    jurisdictions: tuple[JurisdictionDraft, ...] = ()

    def table(self, name: str) -> TableDraft | None:
        """The table of that name."""
        return next((one for one in self.tables if one.name == name), None)

    def columns_of(self, one: ClassDraft) -> tuple[str, ...]:
        """The columns of a class: those that it states, else all of its table's."""
        if one.columns is not None:
            return tuple(word.text for word in one.columns)
        table = self.table(one.table.text) if one.table is not None else None
        return () if table is None else tuple(table.columns)
