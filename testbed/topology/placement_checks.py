"""Whether a placement policy is consistent in itself: tables, classes and what may cross."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

from testbed.topology.placement import (
    COLUMN_TYPES,
    PINNED,
    PSEUDONYMISED,
    RULES,
)
from testbed.topology.placement_draft import ClassDraft, PolicyDraft, TableDraft
from testbed.topology.problem import Problem, nearest

PolicyCheck = Callable[[PolicyDraft], Iterator[Problem]]


def tables(policy: PolicyDraft) -> Iterator[Problem]:
    """A table's key and personal columns are columns of it, and their types are known."""
    for table in policy.tables:
        for word in (*table.key, *table.personal):
            if word.text not in table.columns:
                message = f"{table.name} has no column {word.text}"
                yield Problem(word.place, message, nearest(word.text, table.columns))
        for name, word in table.columns.items():
            if word.text and word.text not in COLUMN_TYPES:
                message = f"{table.name}.{name} is of the unknown type {word.text}"
                yield Problem(word.place, message, nearest(word.text, COLUMN_TYPES))
        for word in table.personal:
            if word.text in {key.text for key in table.key}:
                message = f"{table.name}.{word.text} is personal and in the key"
                remedy = "keep it out of the key: a key crosses with every row that may"
                yield Problem(word.place, message, remedy)


def classes(policy: PolicyDraft) -> Iterator[Problem]:
    """A class has a known rule, and is rows of a known table or keys, never both."""
    for one in policy.classes:
        if one.rule.text and one.rule.text not in RULES:
            message = f"{one.name} has the unknown rule {one.rule.text}"
            yield Problem(one.rule.place, message, nearest(one.rule.text, RULES))
        if (one.table is None) == (one.key_prefix is None):
            message = f"{one.name} is {'neither rows nor keys' if one.table is None else 'both'}"
            yield Problem(one.place, message, "state either `table:` or `key_prefix:`")
        if one.table is not None and policy.table(one.table.text) is None:
            message = f"{one.name} names an unknown table, {one.table.text}"
            known = [table.name for table in policy.tables]
            yield Problem(one.table.place, message, nearest(one.table.text, known))
        if one.key_prefix is not None:
            for word in (one.residency, *(one.columns or ())):
                if word is not None:
                    message = f"{one.name} is keys, which have no rows or columns"
                    yield Problem(word.place, message, "remove it")
        yield from _class_columns(policy, one)
        yield from _class_place(policy, one)


def _class_columns(policy: PolicyDraft, one: ClassDraft) -> Iterator[Problem]:
    """A class names columns of its table, and picks rows only by a column that is there."""
    table = policy.table(one.table.text) if one.table is not None else None
    if table is None:
        return
    for word in one.columns or ():
        if word.text not in table.columns:
            message = f"{one.name} names a column that {table.name} has not, {word.text}"
            yield Problem(word.place, message, nearest(word.text, table.columns))
    if one.columns == ():
        yield Problem(one.place, f"{one.name} has no column", "name some, or leave `columns` out")
    if one.residency is not None and policy.residency.text not in {k.text for k in table.key}:
        message = f"{one.name} picks rows of {table.name}, whose key lacks {policy.residency.text}"
        # Without it an update or a delete of a filtered table fails at the publisher.
        yield Problem(one.residency.place, message, f"add {policy.residency.text} to the key")


def _class_place(policy: PolicyDraft, one: ClassDraft) -> Iterator[Problem]:
    """What is pinned says where, and only rows that are at home there."""
    known = [each.name for each in policy.jurisdictions]
    if one.rule.text == PINNED and one.jurisdiction is None:
        yield Problem(one.place, f"{one.name} is pinned to nothing", "add `jurisdiction:`")
    if one.rule.text != PINNED and one.jurisdiction is not None:
        message = f"{one.name} may cross and names a jurisdiction"
        yield Problem(one.jurisdiction.place, message, "pin it, or remove the jurisdiction")
    if one.jurisdiction is not None and one.jurisdiction.text not in known:
        message = f"{one.name} names an unknown jurisdiction, {one.jurisdiction.text}"
        yield Problem(one.jurisdiction.place, message, nearest(one.jurisdiction.text, known))
    if one.residency is not None and one.residency.text not in (*known, policy.free.text):
        message = f"{one.name} picks rows that nobody writes, those of {one.residency.text}"
        remedy = nearest(one.residency.text, [*known, policy.free.text])
        yield Problem(one.residency.place, message, remedy)
    if one.rule.text != PINNED or one.jurisdiction is None or one.table is None:
        return
    rows = one.residency.text if one.residency is not None else "every jurisdiction"
    if rows != one.jurisdiction.text:
        message = f"{one.name} pins rows of {rows} to {one.jurisdiction.text}"
        place = one.residency.place if one.residency is not None else one.place
        yield Problem(place, message, f"write `residency: {one.jurisdiction.text}`")


def crossings(policy: PolicyDraft) -> Iterator[Problem]:
    """What may cross and what is pinned have no column in common where they share rows."""
    for crossing, pinned in itertools.product(policy.classes, policy.classes):
        if crossing.rule.text == PINNED or pinned.rule.text != PINNED:
            continue
        if not _share_rows(crossing, pinned):
            continue
        table = _table(policy, crossing)
        key = {word.text for word in table.key} if table is not None else set()
        both = set(policy.columns_of(crossing)) & set(policy.columns_of(pinned)) - key
        if both:
            message = (
                f"{crossing.name} lets {', '.join(sorted(both))} cross, which {pinned.name} pins"
            )
            yield Problem(crossing.place, message, "take the columns out of one of them")


def identities(policy: PolicyDraft) -> Iterator[Problem]:
    """What crosses brings its key: without it no update or delete can be sent."""
    for one in policy.classes:
        table = _table(policy, one)
        if one.rule.text == PINNED or table is None:
            continue
        columns = policy.columns_of(one)
        missing = [word.text for word in table.key if word.text not in columns]
        if missing:
            message = f"{one.name} crosses without {table.name}'s key {', '.join(missing)}"
            yield Problem(one.place, message, f"add to its columns: {', '.join(missing)}")


def one_list_a_table(policy: PolicyDraft) -> Iterator[Problem]:
    """PostgreSQL publishes a table to one subscriber with one list of columns."""
    first: dict[str, ClassDraft] = {}
    for one in policy.classes:
        if one.rule.text == PINNED or one.table is None:
            continue
        other = first.setdefault(one.table.text, one)
        if set(policy.columns_of(other)) != set(policy.columns_of(one)):
            message = f"{one.name} and {other.name} cross with different columns of one table"
            yield Problem(one.place, message, "give both the same columns, or split the table")


def nothing_personal_is_forgotten(policy: PolicyDraft) -> Iterator[Problem]:
    """Every personal column of every jurisdiction's rows is pinned, and crosses in no class."""
    for table in policy.tables:
        for place, word in itertools.product(policy.jurisdictions, table.personal):
            pins = [
                one
                for one in policy.classes
                if one.rule.text == PINNED
                and one.jurisdiction is not None
                and (one.jurisdiction.text, _name(one)) == (place.name, table.name)
                and word.text in policy.columns_of(one)
            ]
            if not pins and word.text in table.columns:
                message = f"no class pins {table.name}.{word.text} to {place.name}"
                yield Problem(word.place, message, f"add a pinned class of {place.name} for it")


def contradictions(policy: PolicyDraft) -> Iterator[Problem]:
    """No column of a row belongs to two classes, no key to two prefixes of different places."""
    for one, other in itertools.combinations(policy.classes, 2):
        if one.rule.text == other.rule.text == PINNED and _share_rows(one, other):
            table = _table(policy, one)
            key = {word.text for word in table.key} if table is not None else set()
            both = set(policy.columns_of(one)) & set(policy.columns_of(other)) - key
            if both:
                message = f"{other.name} and {one.name} both pin {', '.join(sorted(both))}"
                yield Problem(other.place, message, "keep each column in one of them")
        if one.key_prefix is None or other.key_prefix is None:
            continue
        a, b = one.key_prefix.text, other.key_prefix.text
        if a.startswith(b) or b.startswith(a):
            message = f"keys of {other.name} ({b}) are keys of {one.name} ({a}) as well"
            yield Problem(other.key_prefix.place, message, "let neither prefix begin the other")


def mappings(policy: PolicyDraft) -> Iterator[Problem]:
    """What crosses under a pseudonym names the table that leads back, and that one stays home."""
    for one in policy.classes:
        if one.rule.text != PSEUDONYMISED:
            if one.mapping is not None:
                message = f"{one.name} is not pseudonymised and names a mapping"
                yield Problem(one.mapping.place, message, "remove it")
            continue
        if one.mapping is None:
            message = f"{one.name} does not say what leads from the pseudonym to the person"
            yield Problem(one.place, message, "add `mapping: TABLE`")
            continue
        if policy.table(one.mapping.text) is None:
            message = f"{one.name} names an unknown table, {one.mapping.text}"
            known = [table.name for table in policy.tables]
            yield Problem(one.mapping.place, message, nearest(one.mapping.text, known))
            continue
        for each in policy.classes:
            if each.rule.text != PINNED and _name(each) == one.mapping.text:
                message = f"{each.name} lets the mapping of {one.name} cross"
                yield Problem(each.place, message, f"pin {one.mapping.text} in each jurisdiction")


def _share_rows(one: ClassDraft, other: ClassDraft) -> bool:
    """Whether some row may be of both classes."""
    if one.table is None or other.table is None or one.table.text != other.table.text:
        return False
    if one.residency is None or other.residency is None:
        return True
    return one.residency.text == other.residency.text


def _table(policy: PolicyDraft, one: ClassDraft) -> TableDraft | None:
    return policy.table(one.table.text) if one.table is not None else None


def _name(one: ClassDraft) -> str:
    return one.table.text if one.table is not None else ""


POLICY_CHECKS: tuple[PolicyCheck, ...] = (
    tables,
    classes,
    crossings,
    identities,
    one_list_a_table,
    nothing_personal_is_forgotten,
    contradictions,
    mappings,
)
