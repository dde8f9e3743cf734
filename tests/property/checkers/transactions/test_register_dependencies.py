"""Many readers and writers of a version are joined by helpers, as if by an edge for each pair."""

from __future__ import annotations

from typing import Any
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from testbed.checkers.transactions import register_dependencies
from testbed.checkers.transactions.graph import Edge, Edges
from testbed.checkers.transactions.register_order import version_order
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
