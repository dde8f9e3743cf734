"""What a reader of a list missed, against the lists themselves."""

from __future__ import annotations

from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from testbed.checkers.transactions.graph import Edge
from testbed.checkers.transactions.list_append import committed_in
from testbed.checkers.transactions.list_dependencies import successors_of
from testbed.checkers.transactions.list_missed import missed_by
from testbed.checkers.transactions.list_versions import versions_of
from tests.property.checkers.transactions.list_histories import (
    appended,
    histories,
)
from tests.transaction_tables import table_of


@given(histories, st.integers(0, 2**4 - 1))
def test_a_reader_missed_every_later_version_of_what_it_read(transactions, bits):
    table = table_of(transactions)
    versions = versions_of(table)
    committed = committed_in(table, versions)
    inside = committed & np.array([bool(bits >> row & 1) for row in range(len(table))])
    edges, nodes = missed_by(table, versions, successors_of(table, versions, committed), inside)
    assert len(edges) == 0 or max(edges.source.max(), edges.target.max()) < nodes
    leads: dict[int, set[int]] = {}
    columns = (edges.source.tolist(), edges.target.tolist(), edges.kind.tolist())
    for source, target, kind in zip(*columns, strict=True):
        assert (kind == Edge.RW) == (source < len(table))
        leads.setdefault(source, set()).add(target)
    missed = {(row, each) for row in range(len(table)) for each in _reached(leads, row, len(table))}
    assert missed == {
        (row, other)
        for row, other in permutations(np.flatnonzero(inside).tolist(), 2)
        for access, key, value in transactions[row]["ops"]
        if access == "r" and transactions[row]["outcome"] == "ok"
        if set(appended(transactions[other], key)) - set(value)
    }


def _reached(leads: dict[int, set[int]], row: int, transactions: int) -> set[int]:
    """Other transactions to which a way through helpers leads."""
    found: set[int] = set()
    waiting = list(leads.get(row, ()))
    while waiting:
        node = waiting.pop()
        if node >= transactions:
            waiting += leads.get(node, ())
        elif node != row:
            found.add(node)
    return found
