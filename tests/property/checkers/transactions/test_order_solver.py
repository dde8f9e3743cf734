"""The search over orders against trying every choice."""

from __future__ import annotations

from itertools import product
from random import Random

from hypothesis import example, given
from hypothesis import strategies as st

from testbed.checkers.transactions.order_solver import OrderSolver
from testbed.checkers.transactions.orders import Orders
from testbed.checkers.transactions.reachability import Reachability, bits

NODES = 7
node = st.integers(0, NODES - 1)
pair = st.tuples(node, node).filter(lambda two: two[0] != two[1])
upwards = pair.map(lambda two: (min(two), max(two)))


@st.composite
def orders(draw: st.DrawFn) -> Orders:
    """Enough open pairs over few nodes that most choices end in a cycle."""
    count = 2 * draw(st.integers(1, 10))
    forbidding = draw(st.booleans())
    alternatives = [draw(st.lists(pair, min_size=1, max_size=2)) for _ in range(count)]
    missed = [draw(st.lists(pair, max_size=1)) if forbidding else [] for _ in range(count)]
    edges = draw(st.lists(upwards, max_size=4))
    forbidden = draw(st.lists(pair, max_size=2)) if forbidding else []
    return Orders(NODES, edges, forbidden, alternatives, missed)


def closure(edges: list[tuple[int, int]]) -> set[tuple[int, int]]:
    closed = set(edges)
    while more := {(a, d) for a, b in closed for c, d in closed if b == c} - closed:
        closed |= more
    return closed


def fits(problem: Orders, literals: list[int]) -> bool:
    edges, forbidden = list(problem.edges), list(problem.forbidden)
    for literal in literals:
        edges += problem.added[literal]
        forbidden += problem.missed[literal]
    closed = closure(edges)
    return all(a != b for a, b in closed) and not any((v, u) in closed for u, v in forbidden)


def some_choice_fits(problem: Orders, chosen: list[int]) -> bool:
    """Choice by choice: what does not fit does not with more either."""
    if not fits(problem, chosen):
        return False
    var = len(chosen)
    return 2 * var == len(problem.added) or any(
        some_choice_fits(problem, [*chosen, 2 * var + side]) for side in (0, 1)
    )


@given(problem=orders())
def test_an_order_is_found_when_there_is_one(problem: Orders) -> None:
    expected = some_choice_fits(problem, [])
    solver = OrderSolver(problem)
    solver.solve()
    assert solver.refuted != expected
    assert solver.solved == expected
    if expected:
        count = len(problem.added)
        assert fits(problem, [literal for literal in range(count) if solver.value[literal] > 0])


@given(seed=st.integers(0, 2**32))
@example(seed=907)  # a clause that was learned has to be watched at another place
@example(seed=149)
def test_searches_with_many_conflicts_agree_with_trying_every_choice(seed: int) -> None:
    random = Random(seed)

    def some(nodes: int) -> tuple[int, int]:
        one, two = random.sample(range(nodes), 2)
        return one, two

    nodes, count = 9, 28
    added = [[some(nodes)] for _ in range(count)]
    # The other way round of each pair, as versions are; and one edge more, as readers have it.
    for literal in range(0, count, 2):
        added[literal + 1] = [added[literal][0][::-1], some(nodes)]
        added[literal].append(some(nodes))
    problem = Orders(nodes, [], [], added, [[] for _ in range(count)])
    solver = OrderSolver(problem)
    solver.solve()
    assert solver.refuted != some_choice_fits(problem, [])


@given(edges=st.lists(upwards, max_size=6), more=st.lists(pair, max_size=6), keep=st.integers(0, 6))
def test_reachability_grows_and_shrinks(
    edges: list[tuple[int, int]], more: list[tuple[int, int]], keep: int
) -> None:
    reach = Reachability(NODES, edges)
    present, mark = list(edges), reach.mark()
    for index, edge in enumerate(more):
        if index == keep:
            mark, present_then = reach.mark(), list(present)
        if not reach.leads(edge[1], edge[0]):
            list(reach.insert(edge, 0, index))
            present.append(edge)
    closed = closure(present)
    for one, two in product(range(NODES), repeat=2):
        assert reach.leads(one, two) == (one == two or (one, two) in closed)
        assert (reach.before[two] >> one & 1) == reach.leads(one, two)
    if keep < len(more):
        reach.back_to(mark)
        closed = closure(present_then)
        for one, two in product(range(NODES), repeat=2):
            assert reach.leads(one, two) == (one == two or (one, two) in closed)


@given(numbers=st.sets(st.integers(0, 300)))
def test_bits_are_the_numbers_that_were_set(numbers: set[int]) -> None:
    assert list(bits(sum(1 << number for number in numbers))) == sorted(numbers)
