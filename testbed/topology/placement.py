"""A placement policy: which data may be in which jurisdiction, as frozen data and as plain JSON.

A table's rows carry the jurisdiction that they are at home in, in the residency column; rows with
the free word there belong to nobody. A class of data is some columns of some rows of one table, or
all keys below a prefix.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PINNED, PSEUDONYMISED, FREELY = "pinned", "pseudonymised", "freely"
RULES = (PINNED, PSEUDONYMISED, FREELY)
"""Stays in one jurisdiction; may be anywhere under a pseudonym; may be anywhere."""

COLUMN_TYPES = ("bigint", "bytea", "jsonb", "numeric", "text", "uuid")
"""The types that a search for personal data knows how to find."""


@dataclass(frozen=True, slots=True)
class PolicyTable:
    """A table that the deployment makes.

    Args:
        name: In the schema ``public``.
        columns: Type by column.
        key: The primary key.
        personal: The columns that say something about a person.
    """

    name: str
    columns: Mapping[str, str]
    key: tuple[str, ...]
    personal: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DataClass:
    """Data that is treated alike.

    Args:
        name: For example ``customers_eu``.
        rule: One of ``RULES``.
        jurisdiction: Where a pinned class belongs; None for the others.
        table: Whose rows; None for a class of keys.
        residency: Only rows with this word in the residency column; None for all rows.
        columns: Of the table, all of them spelt out; empty for a class of keys.
        row_filter: What ``residency`` is in SQL; empty for all rows.
        key_prefix: The beginning of the keys in a key-value store; empty for a class of rows.
        mapping: The table that leads from a pseudonym to a person.
        because: Why, for people.
    """

    name: str
    rule: str
    jurisdiction: str | None = None
    table: str | None = None
    residency: str | None = None
    columns: tuple[str, ...] = ()
    row_filter: str = ""
    key_prefix: str = ""
    mapping: str = ""
    because: str = ""

    @property
    def crosses(self) -> bool:
        """Whether it may be outside of a jurisdiction."""
        return self.rule != PINNED


@dataclass(frozen=True, slots=True)
class Jurisdiction:
    """A legal area and what of its pinned data may be where.

    Args:
        name: As the inventory's regions state it, for example ``EU``.
        regions: The regions in it.
        failover: Regions whose servers may become primary for what is pinned.
        backups: Regions where dumps, base backups and archived WAL may be stored.
        clients: Regions whose clients are routed to it.
    """

    name: str
    regions: tuple[str, ...]
    failover: tuple[str, ...]
    backups: tuple[str, ...]
    clients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A whole policy.

    Args:
        residency: The column that says where a row is at home.
        free: The word there for rows that are at home nowhere.
        tables: By name.
        classes: By name.
        jurisdictions: By name.
    """

    residency: str
    free: str
    tables: Mapping[str, PolicyTable] = field(default_factory=dict)
    classes: Mapping[str, DataClass] = field(default_factory=dict)
    jurisdictions: Mapping[str, Jurisdiction] = field(default_factory=dict)

    def allowed(self) -> dict[str, tuple[str, ...] | None]:
        """The jurisdictions of each class; None for one that may be anywhere."""
        return {
            name: None if one.jurisdiction is None else (one.jurisdiction,)
            for name, one in self.classes.items()
        }

    def document(self) -> dict[str, Any]:
        """The policy as plain JSON, as records of runs and reports have it."""
        return {
            "residency": self.residency,
            "free": self.free,
            "jurisdictions": {
                name: {
                    "name": name,
                    "regions": list(one.regions),
                    "failover": list(one.failover),
                    "backups": list(one.backups),
                    "clients": list(one.clients),
                }
                for name, one in self.jurisdictions.items()
            },
            "tables": {
                name: {
                    "name": name,
                    "columns": dict(one.columns),
                    "key": list(one.key),
                    "personal": list(one.personal),
                }
                for name, one in self.tables.items()
            },
            "classes": {name: _class_document(one) for name, one in self.classes.items()},
        }


def row_filter(column: str, residency: str | None) -> str:
    """Rows of a residency in SQL; empty for all rows."""
    return "" if residency is None else f"{column} = '{residency}'"


def policy_of(document: Mapping[str, Any]) -> Policy:
    """The reverse of :meth:`Policy.document`.

    Raises:
        KeyError: A part is missing.
        TypeError: A part has another shape.
    """
    tables = {
        name: PolicyTable(
            name, dict(one["columns"]), tuple(one["key"]), tuple(one.get("personal", ()))
        )
        for name, one in document["tables"].items()
    }
    classes = {
        name: DataClass(**{**one, "columns": tuple(one["columns"])})
        for name, one in document["classes"].items()
    }
    jurisdictions = {
        name: Jurisdiction(
            name, *(tuple(one[part]) for part in ("regions", "failover", "backups", "clients"))
        )
        for name, one in document["jurisdictions"].items()
    }
    return Policy(document["residency"], document["free"], tables, classes, jurisdictions)


def _class_document(one: DataClass) -> dict[str, Any]:
    return {
        "name": one.name,
        "rule": one.rule,
        "jurisdiction": one.jurisdiction,
        "table": one.table,
        "residency": one.residency,
        "columns": list(one.columns),
        "row_filter": one.row_filter,
        "key_prefix": one.key_prefix,
        "mapping": one.mapping,
        "because": one.because,
    }
