"""Edge cases of a policy: versions that operators put in force for a while, and take back.

Each is a whole policy, made from another one. All are about one class, the first that crosses under
a pseudonym and takes in the rows of every jurisdiction: with it withheld, rows, columns or a table
stay at home; with more of it, a personal column crosses under the pseudonym.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from testbed.topology.placement import PINNED, PSEUDONYMISED, DataClass, Policy, row_filter

Edit = Callable[[Policy, str], Policy]
"""A policy and a jurisdiction of it -> another policy."""


def edited_class(policy: Policy) -> DataClass | None:
    """The class that edits are about; None where a policy has none, and so no edge case here."""
    return next(
        (
            one
            for one in policy.classes.values()
            if one.rule == PSEUDONYMISED and one.table is not None and one.residency is None
        ),
        None,
    )


def pin_rows(policy: Policy, home: str) -> Policy:
    """A row filter is made narrower: rows of one jurisdiction cross, those of the others stay."""
    one = _required(policy)
    narrow = replace(one, residency=home, row_filter=row_filter(policy.residency, home))
    others = [_kept(policy, one, name, one.columns) for name in policy.jurisdictions]
    return _with(policy, one, narrow, *(each for each in others if each.jurisdiction != home))


def pin_columns(policy: Policy, home: str) -> Policy:
    """Columns and rows are withheld at once: of one jurisdiction's rows, the key alone crosses."""
    one = _required(policy)
    key = policy.tables[str(one.table)].key
    narrow = replace(
        one,
        columns=tuple(name for name in one.columns if name in key),
        residency=home,
        row_filter=row_filter(policy.residency, home),
    )
    withheld = tuple(name for name in one.columns if name not in key)
    others = [
        _kept(policy, one, name, withheld if name == home else one.columns)
        for name in policy.jurisdictions
    ]
    return _with(policy, one, narrow, *others)


def pin_table(policy: Policy, home: str) -> Policy:
    """A table is added to what is pinned: nothing of it is published any more."""
    del home
    one = _required(policy)
    return _with(policy, one, *(_kept(policy, one, n, one.columns) for n in policy.jurisdictions))


def free_columns(policy: Policy, home: str) -> Policy:
    """Personal columns cross under the pseudonym as well: nothing of the table is pinned."""
    del home
    one = _required(policy)
    table = policy.tables[str(one.table)]
    wide = replace(one, columns=tuple(table.columns))
    classes = {
        name: each
        for name, each in policy.classes.items()
        if each.table != one.table or each.rule != PINNED
    }
    tables = {**policy.tables, table.name: replace(table, personal=())}
    return replace(policy, tables=tables, classes={**classes, one.name: wide})


EDITS: Mapping[str, Edit] = MappingProxyType(
    {
        "pin_rows": pin_rows,
        "pin_columns": pin_columns,
        "pin_table": pin_table,
        "free_columns": free_columns,
    }
)
"""Name of a work of operators -> the policy that it puts in force."""


def reach(policy: Policy, edited: Policy) -> dict[str, dict[str, tuple[str, ...] | None]]:
    """Where data that was written as each class of a policy may be by another version of it.

    Args:
        policy: By whose classes data was written.
        edited: By which it is judged.

    Returns:
        By class and by the jurisdiction that a row is at home in: the jurisdictions where it may
        be; None for anywhere. Of classes of keys nothing, since no edit is about them.
    """
    return {
        name: {home: _reach(policy, edited, one, home) for home in policy.jurisdictions}
        for name, one in policy.classes.items()
        if one.table is not None
    }


def _reach(policy: Policy, edited: Policy, one: DataClass, home: str) -> tuple[str, ...] | None:
    key = policy.tables[str(one.table)].key
    carried = set(one.columns).difference(key)
    rows = one.residency or home
    same = [
        each
        for each in edited.classes.values()
        if each.table == one.table
        and each.residency in (None, rows)
        and carried.intersection(each.columns)
    ]
    # All columns have the same marker: with one of them that may cross, it may.
    if any(each.crosses for each in same):
        return None
    return tuple(dict.fromkeys(str(each.jurisdiction) for each in same))


def _required(policy: Policy) -> DataClass:
    """The class that edits are about.

    Raises:
        ValueError: There is none.
    """
    one = edited_class(policy)
    if one is None:
        raise ValueError(
            "no class of the policy crosses under a pseudonym with rows of every jurisdiction:"
            " there is nothing to edit"
        )
    return one


def _kept(policy: Policy, one: DataClass, home: str, columns: tuple[str, ...]) -> DataClass:
    """What of a class stays in a jurisdiction."""
    return DataClass(
        name=f"{one.name}_{home.lower()}",
        rule=PINNED,
        jurisdiction=home,
        table=one.table,
        residency=home,
        columns=columns,
        row_filter=row_filter(policy.residency, home),
        because="withheld for a while",
    )


def _with(policy: Policy, old: DataClass, *new: DataClass) -> Policy:
    """A policy with classes in the place of another one."""
    classes = {name: one for name, one in policy.classes.items() if name != old.name}
    return replace(policy, classes={**classes, **{one.name: one for one in new}})
