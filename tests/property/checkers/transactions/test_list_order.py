"""The order of commits that is found without edges, against the graph of dependencies."""

from __future__ import annotations

import dataclasses
import random
from typing import Any
from unittest import mock

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from testbed.checkers.transactions import list_order
from testbed.checkers.transactions.cycles import cyclic_core
from testbed.checkers.transactions.list_append import committed_in
from testbed.checkers.transactions.list_dependencies import dependencies_of, successors_of
from testbed.checkers.transactions.list_order import ordered_dependencies
from testbed.checkers.transactions.list_versions import versions_of
from testbed.checkers.transactions.time_order import dependency_graph
from testbed.history.transaction_table import Outcome, TransactionTable
from tests.property.checkers.transactions.test_list_append import history
from tests.transaction_tables import table_of


def longer(seed: int) -> list[dict[str, Any]]:
    """Up to thirty transactions in some order, over three lists, of which some reads are old.

    Several at a time, some of them indeterminate; now and then the last appends are never read.
    """
    dice = random.Random(seed)
    lists: dict[str, list[int]] = {"x": [], "y": [], "z": []}
    old = dice.choice([0, 0, 0, 0.02, 0.1])
    clients, count = dice.randint(1, 5), dice.randint(2, 30)
    found: list[dict[str, Any]] = []
    for number in range(count):
        ops: list[list[Any]] = []
        for _ in range(dice.randint(1, 4)):
            key = dice.choice("xyz")
            if dice.random() < 0.5 or number > count * 0.8:
                lists[key].append(1000 * number + len(ops))
                ops.append(["append", key, lists[key][-1]])
            else:
                missing = dice.randint(0, 2) if dice.random() < old else 0
                ops.append(["r", key, lists[key][: max(len(lists[key]) - missing, 0)]])
        outcome = dice.choices(["ok", "info"], [15, 1])[0]
        start = 4 * max(number - dice.randint(0, clients), 0) + dice.random()
        end = 4 * number + 1 + dice.random()
        found.append({"process": number, "outcome": outcome, "ops": ops, "s": start, "e": end})
    moments = sorted([each[name] for each in found for name in "se"])
    row = {moment: place for place, moment in enumerate(moments)}
    for each in found:
        each |= {"start": row[each.pop("s")], "end": row[each.pop("e")]}
    return found


def both(table: TransactionTable) -> tuple[int | None, int | None]:
    """Dependencies, None where they are circular: without edges, and by the graph."""
    versions = versions_of(table)
    committed = committed_in(table, versions)
    successors = successors_of(table, versions, committed)
    quick = ordered_dependencies(table, versions, successors, committed)
    edges, nodes = dependencies_of(table, versions, successors, committed)
    graph = dependency_graph(table, committed, edges, nodes)
    edges = graph.edges
    core = cyclic_core(graph.nodes, edges.source, edges.target, edges.kind)
    return quick, graph.dependencies if core is None else None


@given(st.integers(0, 2**40))
def test_an_order_is_found_exactly_where_no_dependencies_are_circular(seed: int) -> None:
    quick, thorough = both(table_of(history(seed)))
    assert quick == thorough


@given(st.integers(0, 2**40))
@example(70827)  # a reader's own append stands between others that nobody read
@example(142)  # it is the last of them
def test_the_same_of_longer_histories(seed: int) -> None:
    quick, thorough = both(table_of(longer(seed)))
    assert quick == thorough


@given(st.integers(0, 2**40))
@example(18406)  # nothing completed
def test_what_is_told_by_edges_alone_is_left_to_them(seed: int) -> None:
    """Sparse times, and a session that goes on before its last transaction has ended."""
    table = table_of(longer(seed))
    _, thorough = both(table)
    sparse = dataclasses.replace(
        table,
        start=table.start * 1000,
        end=np.where(table.end < 2**61, table.end * 1000, table.end),
    )
    quick, by_edges = both(sparse)
    assert by_edges == thorough
    # Where nothing completed there are no times that could be sparse.
    assert quick is None or not np.any(table.outcome == Outcome.OK)
    one_session = dataclasses.replace(table, process=np.zeros_like(table.process))
    quick, by_edges = both(one_session)
    assert quick in {None, by_edges}


def test_where_too_much_would_have_to_be_looked_at_edges_tell() -> None:
    """Of appends that no read shows each one is looked at by every reader before them."""
    unseen = [{"process": at, "ops": [["append", "x", at]]} for at in range(4)]
    readers = [{"process": 9, "ops": [["r", "x", []]]}]
    seen = [{"process": 0, "ops": [["append", "x", 1]]}, {"process": 1, "ops": [["r", "x", [1]]]}]
    for rows, without in ((readers + unseen, None), (seen, 1)):
        table = table_of(rows)
        quick, thorough = both(table)
        assert quick == thorough
        assert quick is not None
        with mock.patch.object(list_order, "WORK_MAX", 0):
            assert both(table) == (without, thorough)
