"""Dependencies over registers are those of each pair of versions, also where helpers join them."""

from __future__ import annotations

from typing import Any
from unittest import mock

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from testbed.checkers.transactions import register_dependencies
from testbed.checkers.transactions.graph import Edge, Edges
from testbed.checkers.transactions.register_order import SOURCES, version_order
from testbed.checkers.transactions.register_versions import register_versions
from testbed.checkers.transactions.resolve import resolve
from tests.property.checkers.transactions.register_histories import histories, tangled
from tests.transaction_tables import table_of


def missed(edges: Edges, transactions: int) -> set[tuple[int, int]]:
    """Who leads to whom by RW, straight or through helpers alone."""
    following: dict[int, set[int]] = {}
    for one, two, kind in zip(
        edges.source.tolist(), edges.target.tolist(), edges.kind.tolist(), strict=True
    ):
        if kind == Edge.RW or one >= transactions:
            following.setdefault(one, set()).add(two)
    found: set[tuple[int, int]] = set()
    for start in range(transactions):
        seen: set[int] = set()
        waiting = [start]
        while waiting:
            for two in following.get(waiting.pop(), set()) - seen:
                seen.add(two)
                if two >= transactions:
                    waiting.append(two)
        found |= {(start, two) for two in seen if two < transactions}
    return found


@given(
    tangled(most=9) | tangled(most=9, keys=1) | histories(most=9, ops=2, keys=1),
    st.sampled_from([{}, {"wfr_keys": True}, {"sequential_keys": True}]),
)
def test_helpers_lead_where_an_edge_for_each_pair_would(
    history: list[dict[str, Any]], params: dict[str, bool]
) -> None:
    resolved = resolve(table_of(history, lists=False))
    versions = register_versions(resolved)
    order = version_order(versions, params)
    count = len(history)
    found = []
    for few in (-1, 10**9):
        with mock.patch.object(register_dependencies, "FEW", few):
            edges, nodes = register_dependencies.register_dependencies(versions, order, count)
        assert max(edges.target.max(initial=0), edges.source.max(initial=0)) < max(nodes, 1)
        found.append(missed(edges, count))
    assert found[0] == found[1]


def by_kind(edges: Edges, kind: Edge) -> set[tuple[int, int]]:
    """The edges of one kind."""
    chosen = edges.kind == kind
    return set(zip(edges.source[chosen].tolist(), edges.target[chosen].tolist(), strict=True))


def backwards(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same with what was last at first, so that transactions read from later ones."""
    end = 1 + max(each["end"] for each in history)
    return [{**each, "start": end - each["end"], "end": end - each["start"]} for each in history]


drawn = tangled(most=9) | tangled(most=9, keys=1) | histories(most=9, ops=2)


@given(
    drawn | drawn.map(backwards),
    st.fixed_dictionaries({}, optional={name: st.just(True) for name in SOURCES[1:]}),
)
def test_each_pair_of_versions_makes_its_dependencies_and_no_others_are_there(
    history: list[dict[str, Any]], params: dict[str, bool]
) -> None:
    versions = register_versions(resolve(table_of(history, lists=False)))
    order = version_order(versions, params)
    edges, nodes = register_dependencies.register_dependencies(versions, order, len(history))
    assert nodes == len(history)
    writer = dict(enumerate(versions.writer.tolist()))
    reads = list(zip(versions.read_row.tolist(), versions.read_version.tolist(), strict=True))
    assert by_kind(edges, Edge.WR) == {
        (writer[version], row) for row, version in reads if writer[version] not in (-1, row)
    }
    pairs = list(zip(order.before.tolist(), order.after.tolist(), strict=True))
    overwrites = {(writer[one], writer[two]) for one, two in pairs}
    assert by_kind(edges, Edge.WW) == {
        (one, two) for one, two in overwrites if one != two and -1 not in (one, two)
    }
    every = {
        (row, writer[two])
        for row, version in reads
        for one, two in pairs
        if one == version and writer[two] not in (-1, row)
    }
    found = by_kind(edges, Edge.RW)
    assert found <= every
    # What is left out follows: the initial state precedes what a written version precedes.
    following = found | by_kind(edges, Edge.WW)
    assert every <= closure(following)


@given(
    drawn,
    st.sampled_from([{}, {"wfr_keys": True}, {"sequential_keys": True}]),
    st.integers(0, 2**9 - 1),
)
def test_helpers_of_versions_lead_to_who_wrote_any_later_one(
    history: list[dict[str, Any]], params: dict[str, bool], some: int
) -> None:
    resolved = resolve(table_of(history, lists=False))
    versions = register_versions(resolved)
    order = version_order(versions, params)
    count = len(history)
    inside = resolved.committed & np.array([some >> row & 1 == 0 for row in range(count)])
    found = []
    for most, expected in ((10**9, count), (-1, count + len(versions))):
        with mock.patch.object(register_dependencies, "LATER_MAX", most):
            edges, nodes = register_dependencies.later_versions(versions, order, inside, count)
        assert nodes == (expected if len(edges.source) else count)
        # Back to itself nothing leads but helpers, which is no circle.
        found.append({(one, two) for one, two in missed(edges, count) if one != two})
    assert found[0] == found[1]
    assert all(inside[one] and inside[two] for one, two in found[0])


def closure(pairs: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """Everything that leads somewhere by one step or several."""
    whole = set(pairs)
    while more := {(a, d) for a, b in whole for c, d in pairs if b == c} - whole:
        whole |= more
    return whole
