"""The order of versions that is inferred, against every pair that follows from the assumption."""

from __future__ import annotations

from itertools import pairwise, permutations
from typing import Any

import pytest
from hypothesis import given

from testbed.checkers.transactions.register_order import SOURCES, version_order
from testbed.checkers.transactions.register_versions import register_versions
from testbed.checkers.transactions.resolve import resolve
from testbed.checkers.transactions.resolved import THIN_AIR
from tests.property.checkers.transactions.register_histories import histories, tangled
from tests.transaction_tables import table_of

Pair = tuple[Any, Any]


def reads_and_writes(each: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """For each key the version that a transaction read from others, and the one that it left."""
    seen: dict[str, Any] = {}
    wrote: dict[str, Any] = {}
    for access, key, value in each["ops"]:
        if access == "w":
            wrote[key] = value
        elif each["outcome"] == "ok" and key not in wrote:
            seen.setdefault(key, value)
    return seen, wrote


def touched(each: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """For each key the version read from others or else written, and the one written or read."""
    seen, wrote = reads_and_writes(each)
    return {key: ({**wrote, **seen}[key], {**seen, **wrote}[key]) for key in {**seen, **wrote}}


def steps(each: dict[str, Any]) -> dict[str, list[Any]]:
    """For each key the versions that a transaction touched, in the order in which it did."""
    wrote = reads_and_writes(each)[1]
    found: dict[str, list[Any]] = {}
    own: set[str] = set()
    for access, key, value in each["ops"]:
        if access == "w":
            own.add(key)
        elif each["outcome"] == "ok" and key not in own:
            found.setdefault(key, []).append(value)
    for key, value in wrote.items():
        found.setdefault(key, []).append(value)
    return {key: list(dict.fromkeys(versions)) for key, versions in found.items()}


def follows(one: dict[str, Any], two: dict[str, Any], assumption: str) -> bool:
    """Whether the second touches no earlier versions than the first, by an assumption."""
    if assumption == "transaction_order":
        wrote, seen = reads_and_writes(one)[1], reads_and_writes(two)[0]
        return bool(wrote.items() & seen.items())
    if one["outcome"] != "ok":
        return False
    if assumption == "linearizable_keys":
        return bool(one["end"] < two["start"])
    return bool(one["process"] == two["process"] and one["start"] < two["start"])


def expected(history: list[dict[str, Any]], assumption: str) -> set[tuple[str, Pair]]:
    pairs: set[tuple[str, Pair]] = set()
    if assumption == "wfr_keys":
        for each in history:
            wrote = reads_and_writes(each)[1]
            pairs |= {
                (key, (version, wrote[key]))
                for key, versions in steps(each).items()
                for version in versions
                if key in wrote and version != wrote[key]
            }
        return pairs
    if assumption == "sequential_keys":
        for each in history:
            pairs |= {(k, pair) for k, found in steps(each).items() for pair in pairwise(found)}
    for one, two in permutations(history, 2):
        if assumption == "sequential_keys" and follows(one, two, assumption):
            last, touches = steps(one), steps(two)
            pairs |= {
                (key, (last[key][-1], later))
                for key in last.keys() & touches.keys()
                for later in touches[key]
                if last[key][-1] != later
            }
        if follows(one, two, assumption):
            mine, theirs = touched(one), touched(two)
            for key in mine.keys() & theirs.keys():
                pairs |= {
                    (key, (mine[key][1], later)) for later in theirs[key] if mine[key][1] != later
                }
    return pairs


def closure(pairs: set[tuple[str, Pair]]) -> set[tuple[str, Pair]]:
    closed = set(pairs)
    while (
        more := {(k, (a, d)) for k, (a, b) in closed for m, (c, d) in closed if k == m and b == c}
        - closed
    ):
        closed |= more
    return closed


@pytest.mark.parametrize("assumption", SOURCES[1:])
@given(history=tangled(most=6) | histories(most=5, right=True))
def test_the_edges_and_what_follows_from_them_are_all_pairs(
    assumption: str, history: list[dict[str, Any]]
) -> None:
    resolved = resolve(table_of(history, lists=False))
    if (resolved.source <= THIN_AIR).any():
        return
    versions = register_versions(resolved)
    order = version_order(versions, {assumption: True})
    keys, table = resolved.table.keys, resolved.table

    def name(version: int) -> Any:
        op = int(versions.write_op[version])
        return table.values[table.value[op]] if op >= 0 else None

    found = {
        (keys[versions.key[one]], (name(one), name(two)))
        for one, two in zip(order.before.tolist(), order.after.tolist(), strict=True)
    }
    initial = {
        pair
        for pair, source in zip(
            [(keys[versions.key[a]], (name(a), name(b)))
             for a, b in zip(order.before.tolist(), order.after.tolist(), strict=True)],
            order.source.tolist(),
            strict=True,
        )
        if SOURCES[source] == "initial"
    }  # fmt: skip
    wanted = closure(expected(history, assumption) | initial)
    circles = {key for key, (one, two) in wanted if one == two}
    assert {keys[versions.key[each]] for _, core in order.circles for each in core.original} == (
        circles
    )
    assert {pair for pair in closure(found) if pair[0] not in circles} == {
        pair for pair in wanted if pair[0] not in circles
    }
