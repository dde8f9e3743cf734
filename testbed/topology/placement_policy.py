"""A policy file read and judged together with its inventory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from testbed.topology.draft import Draft
from testbed.topology.placement import DataClass, Jurisdiction, Policy, PolicyTable, row_filter
from testbed.topology.placement_checks import POLICY_CHECKS
from testbed.topology.placement_draft import ClassDraft, PolicyDraft, Word
from testbed.topology.placement_map_checks import MAP_CHECKS, PLACEMENT
from testbed.topology.placement_reader import PolicyReader
from testbed.topology.problem import Problem, place_in
from testbed.topology.source import read

POLICY = "group_vars/policy.yml"
"""Beside the variables of groups, where Ansible reads nothing but those: none is called policy."""


def read_policy(folder: Path, draft: Draft, problems: list[Problem]) -> Policy | None:
    """The policy of an inventory folder; None where it has none, or one that cannot be used.

    Args:
        folder: Of the inventory.
        draft: The rest of the inventory.
        problems: Gets every problem of the policy.
    """
    path = folder / POLICY
    if not path.exists():
        problems.extend(_groups_without_policy(path, draft))
        return None
    found: list[Problem] = []
    content = read(path, found)
    policy = PolicyReader(found).read(content) if content is not None else None
    if policy is not None:
        for check in POLICY_CHECKS:
            found.extend(check(policy))
        for map_check in MAP_CHECKS:
            found.extend(map_check(policy, draft))
    problems.extend(found)
    return None if policy is None or found else _policy(policy, draft)


def _groups_without_policy(path: Path, draft: Draft) -> Iterator[Problem]:
    for group in draft.groups:
        if group.name == PLACEMENT:
            message = f"there is a group {PLACEMENT}, and no policy for it to keep"
            remedy = f"write {place_in(path)}, or remove the group"
            yield Problem(group.place, message, remedy)


def _policy(policy: PolicyDraft, draft: Draft) -> Policy:
    """The frozen data of a draft without problems."""
    return Policy(
        residency=policy.residency.text,
        free=policy.free.text,
        tables={
            one.name: PolicyTable(
                one.name,
                {name: word.text for name, word in one.columns.items()},
                _texts(one.key),
                _texts(one.personal),
            )
            for one in policy.tables
        },
        classes={one.name: _data_class(policy, one) for one in policy.classes},
        jurisdictions={
            one.name: Jurisdiction(
                one.name,
                tuple(each.name for each in draft.regions if each.jurisdiction == one.name),
                _texts(one.failover),
                _texts(one.backups),
                _texts(one.clients),
            )
            for one in policy.jurisdictions
        },
    )


def _data_class(policy: PolicyDraft, one: ClassDraft) -> DataClass:
    residency = _text(one.residency)
    return DataClass(
        name=one.name,
        rule=one.rule.text,
        jurisdiction=_text(one.jurisdiction),
        table=_text(one.table),
        residency=residency,
        columns=policy.columns_of(one),
        row_filter=row_filter(policy.residency.text, residency),
        key_prefix=_text(one.key_prefix) or "",
        mapping=_text(one.mapping) or "",
        because=one.because,
    )


def _text(word: Word | None) -> str | None:
    return None if word is None else word.text


def _texts(words: tuple[Word, ...]) -> tuple[str, ...]:
    return tuple(word.text for word in words)
