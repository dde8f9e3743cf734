"""Circles of random graphs, against the closure of who reaches whom."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.checkers import kernel
from testbed.checkers.budget import Budget
from testbed.checkers.transactions.anomaly import FORMS, implied_by
from testbed.checkers.transactions.circle import FAR, Paths, shortest_circle
from testbed.checkers.transactions.classify import classify
from testbed.checkers.transactions.cycles import components, cyclic_core
from testbed.checkers.transactions.graph import DependencyGraph, Edge, Edges
from testbed.checkers.transactions.shape_search import Cycle
from tests.dice import Dice, dice

NODES = 6
WW, WR, RW = Edge.WW, Edge.WR, Edge.RW
FORM_KINDS = {"": set(), "-process": {Edge.PROCESS}, "-realtime": {Edge.PROCESS, Edge.REALTIME}}

Triple = tuple[int, int, Edge]


def drawn_edges(chosen: Dice) -> list[Triple]:
    kinds = [WW, WR, RW, RW, Edge.PROCESS, Edge.REALTIME]
    triples = [
        (chosen.number(0, NODES - 1), chosen.number(0, NODES - 1), chosen.of(kinds))
        for _ in range(chosen.number(0, 15))
    ]
    return [each for each in triples if each[0] != each[1] and _forwards(each)]


edges = dice(46).map(drawn_edges)


def _forwards(edge: Triple) -> bool:
    """Time alone never goes in a circle."""
    return edge[2] <= RW or edge[0] < edge[1]


def arrays(triples: list[Triple]) -> Edges:
    source, target, kind = (np.array([each[n] for each in triples], np.int64) for n in range(3))
    return Edges(source.astype(np.int32), target.astype(np.int32), kind.astype(np.int8))


def closure(pairs: set[tuple[int, int]], nodes: int) -> np.ndarray:
    reach = np.zeros((nodes, nodes), bool)
    for a, b in pairs:
        reach[a, b] = True
    for middle in range(nodes):
        reach |= np.outer(reach[:, middle], reach[middle])
    return reach


def expected(triples: list[Triple]) -> set[str]:
    """Every anomaly by its definition."""
    found = set()
    for form, extra in FORM_KINDS.items():

        def among(kinds, extra=extra):
            return {(a, b) for a, b, k in triples if k in kinds | extra}

        overwrites = closure(among({WW}), NODES)
        informed = closure(among({WW, WR}), NODES)
        causal = closure(among({WR}), NODES)
        anything = closure(among({WW, WR, RW}), NODES)
        for a, b, kind in triples:
            checks = {
                "G0": kind == WW and overwrites[b, a],
                "G1c": kind == WR and informed[b, a],
                "causal-violation": kind == RW and causal[b, a],
                "G-single": kind == RW and informed[b, a],
                "G2-item": kind == RW and anything[b, a],
            }
            found |= {name + form for name, holds in checks.items() if holds}
            if kind == RW and form == "" and (b, a, WR) in triples:
                found.add("fractured-read")
            if kind == RW and form == "" and (b, a, RW) in triples:
                found.add("write-skew")
            if kind == RW and form == "-realtime" and (b, a, Edge.REALTIME) in triples:
                found.add("fractured-read-realtime")
        sessions = closure({(a, b) for a, b, k in triples if k == Edge.PROCESS}, NODES)
        if form == "-process" and any(k == RW and sessions[b, a] for a, b, k in triples):
            found.add("fractured-read-process")
        for name, before in (("G-nonadjacent", {WW, WR}), ("prefix-violation", {WR})):
            if _alternates(triples, before | extra, {WW, WR, RW} | extra):
                found.add(name + form)
    return found


def _alternates(triples: list[Triple], before: set[Edge], kinds: set[Edge]) -> bool:
    """Whether there is a circle with an RW in which each follows an edge of ``before``."""
    states = set()
    missed = set()
    for (a, b, kind), after in product(triples, (0, 1)):
        if kind not in kinds or (kind == RW and after):
            continue
        pair = (2 * a + after, 2 * b + (0 if kind in before else 1))
        states.add(pair)
        if kind == RW:
            missed.add(pair)
    reach = closure(states, 2 * NODES)
    return any(reach[b, a] for a, b in missed)


@given(edges)
def test_the_anomalies_are_those_of_the_definitions(triples):
    graph = DependencyGraph(NODES, NODES, arrays(triples), timed=True)
    cycles = classify(graph, Budget())
    assert cycles.undecided == ()
    found = implied_by(cycle.special for cycle in cycles.cycles)
    assert found == implied_by(expected(triples))
    for cycle in cycles.cycles:
        _is_there(cycle, triples)


def _is_there(cycle: Cycle, triples: list[Triple]) -> None:
    sessions = closure({(a, b) for a, b, k in triples if k == Edge.PROCESS}, NODES)
    for at, (row, kind) in enumerate(zip(cycle.rows, cycle.kinds, strict=True)):
        after = cycle.rows[(at + 1) % len(cycle.rows)]
        there = sessions[row, after] if kind == Edge.PROCESS else (row, after, kind) in triples
        assert there, (row, after, kind)
    name = cycle.anomaly.removesuffix("-process").removesuffix("-realtime")
    missed = cycle.kinds.count(RW)
    assert missed == {"G0": 0, "G1c": 0, "G-single": 1}.get(name, missed)
    assert missed >= 2 or name in {"G0", "G1c", "G-single"}
    form = next(form for form in reversed(FORMS) if cycle.anomaly.endswith(form))
    assert set(cycle.kinds) <= {WW, WR, RW} | FORM_KINDS[form]


@given(edges)
def test_the_core_is_what_lies_on_circles(triples):
    source, target, kind = (getattr(arrays(triples), n) for n in ("source", "target", "kind"))
    reach = closure({(a, b) for a, b, _ in triples}, NODES)
    circular = [node for node in range(NODES) if reach[node, node]]
    core = cyclic_core(NODES, source, target, kind)
    assert (core is None) == (not circular)
    if core is not None:
        inside = {(a, b, k) for a, b, k in triples if reach[b, a]}
        numbers = core.original
        assert inside == {
            (numbers[a], numbers[b], k)
            for a, b, k in zip(core.source, core.target, core.kind, strict=True)
        }
    label = components(NODES, source, target)
    for a, b in product(range(NODES), repeat=2):
        assert (label[a] == label[b]) == (a == b or (reach[a, b] and reach[b, a]))


@given(edges, st.integers(0, 2**12 - 1))
def test_the_way_back_is_the_shortest(triples, free_bits):
    both = arrays(triples)
    seeds = np.flatnonzero(both.kind == RW)
    back = np.flatnonzero(both.kind != RW)
    free = np.array([bool(free_bits >> n & 1) for n in range(len(back))], bool)
    paths = Paths(NODES, both.source[back], both.target[back], free, np.zeros(NODES, np.int32))
    ends = (both.source[seeds], both.target[seeds])
    circle = shortest_circle(paths, ends, Budget(), longest=FAR, certain=False)
    far = np.full((NODES, NODES), 99)
    far[range(NODES), range(NODES)] = 0
    for edge, costless in zip(back, free, strict=True):
        a, b = both.source[edge], both.target[edge]
        far[a, b] = min(far[a, b], 0 if costless else 1)
    for middle in range(NODES):
        far = np.minimum(far, far[:, [middle]] + far[[middle], :])
    ways = [int(far[b, a]) for a, b in zip(*ends, strict=True)]
    best = min((way for way in ways if 0 < way < 99), default=None)
    if circle.seed < 0:
        assert best is None or 0 in ways
    elif 0 not in ways:
        assert sum(not free[step] for step in circle.path) == best
        node = int(ends[1][circle.seed])
        for step in circle.path:
            assert paths.source[step] == node
            node = int(paths.target[step])
        assert node == int(ends[0][circle.seed])


@pytest.mark.parametrize("steps", [0, 3])
def test_a_search_that_gives_up_says_so(steps, monkeypatch):
    monkeypatch.setattr("testbed.checkers.transactions.circle._STEPS_PLAIN", steps)
    size = 40
    triples = [(n, n + 1, WW) for n in range(size - 1)]
    triples += [(size - 1, 0, RW), (0, size - 1, RW)]
    graph = DependencyGraph(size, size, arrays(triples), timed=False)
    cycles = classify(graph, Budget())
    assert "G-single" in cycles.undecided
    assert any(cycle.anomaly == "G-nonadjacent" for cycle in cycles.cycles)


def test_compiled_as_plain(monkeypatch):
    """Too slow for every example: the same random graphs through both."""
    random = np.random.default_rng(3)
    graphs = []
    for _ in range(20):
        size = int(random.integers(2, 14))
        triples = [
            (int(a), int(b), Edge(int(k)))
            for a, b, k in zip(
                random.integers(0, NODES, size),
                random.integers(0, NODES, size),
                random.integers(0, 3, size),
                strict=True,
            )
            if a != b
        ]
        graphs.append(DependencyGraph(NODES, NODES, arrays(triples), timed=False))
    plain = [classify(graph, Budget()) for graph in graphs]
    monkeypatch.setattr(kernel, "COMPILED_FROM", 0)
    assert [classify(graph, Budget()) for graph in graphs] == plain
