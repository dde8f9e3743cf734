"""The transitive closure that grows and shrinks, against one that is made anew."""

from __future__ import annotations

from itertools import product

from hypothesis import example, given
from hypothesis import strategies as st

from testbed.checkers.transactions.reachability import BASE, Reachability, bits

NODES = 7
Pair = tuple[int, int]
forwards = st.tuples(st.integers(0, NODES - 1), st.integers(0, NODES - 1)).filter(
    lambda edge: edge[0] < edge[1]
)
edges = st.lists(forwards, max_size=8, unique=True)
names = st.permutations(range(NODES))


def reached(pairs: list[Pair]) -> set[Pair]:
    """Who leads to whom, itself included."""
    closed = {(node, node) for node in range(NODES)} | set(pairs)
    while more := {(a, d) for a, b in closed for c, d in closed if b == c} - closed:
        closed |= more
    return closed


def held(graph: Reachability) -> set[Pair]:
    """The same as the graph says it."""
    after = {(one, two) for one in range(NODES) for two in bits(graph.after[one])}
    assert after == {(one, two) for two in range(NODES) for one in bits(graph.before[two])}
    assert after == {
        (one, two) for one in range(NODES) for two in range(NODES) if graph.leads(one, two)
    }
    return after


def distances(pairs: list[Pair], source: int) -> dict[int, int]:
    found, waiting = {source: 0}, [source]
    for node in waiting:
        for one, two in pairs:
            if one == node and two not in found:
                found[two] = found[node] + 1
                waiting.append(two)
    return found


@given(names, edges, edges, st.integers(0, 8))
def test_what_is_inserted_is_reached_and_what_is_undone_is_not(
    name: list[int], first: list[Pair], more: list[Pair], kept: int
) -> None:
    first, more = ([(name[a], name[b]) for a, b in each] for each in (first, more))
    graph = Reachability(NODES, first)
    assert held(graph) == reached(first)
    mark, states = graph.mark(), [(graph.mark(), held(graph), [list(out) for out in graph.out])]
    for at, edge in enumerate(more):
        before = held(graph)
        gained = list(graph.insert(edge, at, at))
        told = {(node, other) for node, mask in gained for other in bits(mask)}
        assert held(graph) == reached([*first, *more[: at + 1]])
        assert told == held(graph) - before
        assert len(gained) == len({node for node, _ in gained})
        states.append((graph.mark(), held(graph), [list(out) for out in graph.out]))
    back, then, out = states[min(kept, len(more))]
    graph.back_to(back)
    assert (held(graph), graph.out) == (then, out)
    graph.back_to(mark)
    assert held(graph) == reached(first)


@example(list(range(NODES)), [(0, 1), (0, 2), (2, 3)], [(1, 3)])
@given(names, edges, edges)
def test_a_path_is_a_shortest_one_by_older_edges(
    name: list[int], first: list[Pair], more: list[Pair]
) -> None:
    first, more = ([(name[a], name[b]) for a, b in each] for each in (first, more))
    graph = Reachability(NODES, first)
    literals = dict.fromkeys(first, BASE)
    for at, edge in enumerate(more):
        if not graph.leads(*edge):
            literals[edge] = at
        list(graph.insert(edge, at, at))
    for stamp, source in product(range(len(more) + 1), range(NODES)):
        older = [edge for edge, literal in literals.items() if literal < stamp]
        for target, length in distances(older, source).items():
            path = graph.path(source, target, stamp)
            assert len(path) == length
            nodes = [source, *(two for _, two, _ in path)]
            assert nodes == [*(one for one, _, _ in path), target]
            assert all((one, two) in older for one, two, _ in path)
            assert all(literals[one, two] == literal for one, two, literal in path)


@given(st.integers(0, 2**70))
def test_the_bits_of_a_number(mask: int) -> None:
    assert list(bits(mask)) == [bit for bit in range(80) if mask >> bit & 1]
