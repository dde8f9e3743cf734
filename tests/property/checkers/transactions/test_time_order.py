"""The edges of sessions and of real time, against every pair."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from hypothesis import given

from testbed.checkers.transactions.graph import Edge, Edges
from testbed.checkers.transactions.time_order import (
    dependency_graph,
    process_edges,
    realtime_edges,
)
from tests.dice import Dice, dice
from tests.transaction_tables import table_of


def drawn_spans(chosen: Dice) -> list[dict[str, Any]]:
    count = chosen.number(0, 8)
    points = list(range(2 * count))
    for at in range(len(points)):
        other = chosen.number(at, len(points) - 1)
        points[at], points[other] = points[other], points[at]
    return [
        {
            "process": chosen.number(0, 2),
            "outcome": chosen.of(["ok", "ok", "info", "fail"]),
            "seen": chosen.heads(),
            "ops": [],
            "start": min(points[2 * row : 2 * row + 2]),
            "end": max(points[2 * row : 2 * row + 2]),
        }
        for row in range(count)
    ]


spans = dice(1 + 16 + 24).map(drawn_spans)


def reached(edges: Edges, nodes: int) -> np.ndarray:
    reach = np.zeros((nodes, nodes), bool)
    reach[edges.source, edges.target] = True
    for middle in range(nodes):
        reach |= np.outer(reach[:, middle], reach[middle])
    return reach


def taken(rows):
    """The transactions in the order of their invocations, and which count as committed."""
    rows = sorted(rows, key=lambda each: each["start"])
    counted = [e["outcome"] == "ok" or (e["outcome"] == "info" and e["seen"]) for e in rows]
    return rows, np.array(counted, bool)


@given(spans)
def test_real_time_is_every_pair_of_which_one_ended_before_the_other_began(rows):
    rows, committed = taken(rows)
    edges, nodes = realtime_edges(table_of(rows), committed, len(rows))
    reach = reached(edges, nodes)
    for a, b in product(range(len(rows)), repeat=2):
        before = rows[a]["outcome"] == "ok" and rows[a]["end"] < rows[b]["start"]
        assert reach[a, b] == bool(before and committed[a] and committed[b])
    assert len(edges) <= 3 * len(rows)


@given(spans)
def test_a_session_is_what_its_process_ran_and_what_may_come_later_precedes_nothing(rows):
    rows, committed = taken(rows)
    reach = reached(process_edges(table_of(rows), committed), max(len(rows), 1))
    for a, b in product(range(len(rows)), repeat=2):
        same = rows[a]["process"] == rows[b]["process"] and rows[a]["outcome"] == "ok"
        assert reach[a, b] == bool(a < b and same and committed[a] and committed[b])


def test_without_times_there_are_sessions_alone():
    table = table_of([{"ops": []}, {"ops": []}], timed=False)
    empty = Edges(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.int8))
    graph = dependency_graph(table, np.ones(2, bool), empty, 2)
    assert graph.edges.kind.tolist() == [Edge.PROCESS]
    assert not graph.timed
