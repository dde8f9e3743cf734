"""Dependencies over registers are those of each pair of versions, also where helpers join them."""

from __future__ import annotations

from typing import Any
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from testbed.checkers.request import Request
from testbed.checkers.transactions import register_dependencies
from testbed.checkers.transactions.graph import Edge, Edges
from testbed.checkers.transactions.register_order import version_order
from testbed.checkers.transactions.register_versions import register_versions
from testbed.checkers.transactions.resolve import resolve
from testbed.checkers.transactions.rw_register import check
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


@given(
    tangled(most=9) | tangled(most=9, keys=1) | histories(most=9, ops=2),
    st.sampled_from([{}, {"wfr_keys": True}, {"sequential_keys": True}]),
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
    tangled(most=7) | histories(most=7),
    st.sampled_from([{}, {"wfr_keys": True}, {"sequential_keys": True}]),
    st.sampled_from(["read-atomic", "causal"]),
)
def test_a_level_is_judged_alike_where_helpers_lead_to_every_later_version(
    history: list[dict[str, Any]], params: dict[str, bool], level: str
) -> None:
    request = Request(levels=(level,), params=params)
    table = table_of(history, lists=False)
    with mock.patch.object(register_dependencies, "LATER_MAX", -1):
        by_helpers = check(table, request)
    one_by_one = check(table, request)
    assert by_helpers.validity == one_by_one.validity
    assert by_helpers.levels == one_by_one.levels


def closure(pairs: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """Everything that leads somewhere by one step or several."""
    whole = set(pairs)
    while more := {(a, d) for a, b in whole for c, d in pairs if b == c} - whole:
        whole |= more
    return whole
