"""The layers of the search over registers against the general search, on longer histories."""

from __future__ import annotations

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from testbed.checkers.budget import Budget
from testbed.checkers.linearizability import cas_search
from testbed.checkers.linearizability.calls import calls_of
from testbed.checkers.linearizability.cas_judge import general_calls, step
from testbed.checkers.linearizability.cas_problem import CasOperations, problem_of
from testbed.checkers.linearizability.cas_values import CasReader
from testbed.checkers.linearizability.sequential import search
from testbed.checkers.linearizability.values import numbered
from tests.property.checkers.linearizability.drawn import Run
from tests.property.checkers.linearizability.objects import OBJECTS
from tests.unit.checkers.linearizability.oracle import lines_of
from tests.unit.checkers.linearizability.tables import table_of

CLIENTS = 6
long_steps = st.lists(
    st.tuples(
        st.integers(0, CLIENTS - 1), st.integers(0, 11), st.integers(0, 8), st.integers(0, 5)
    ),
    min_size=30,
    max_size=80,
)


def operations(steps: list[tuple[int, int, int, int]]) -> CasOperations:
    model = OBJECTS["etcd-cas-register"]
    run = Run.of(model, CLIENTS).go(steps)
    table = table_of(lines_of(run, model.sees))
    reader = CasReader(table, numbered(table, 0), failed_differs=True)
    return reader.read(calls_of(table))


@pytest.mark.parametrize("narrow", [1, 16])
@given(steps=long_steps)
def test_the_layers_agree_with_the_general_search(
    narrow: int, steps: list[tuple[int, int, int, int]]
) -> None:
    drawn = operations(steps)
    general = search(general_calls(drawn), drawn.initial, step, Budget())
    event(str(general.valid))
    problem = problem_of(drawn.simplified())
    assert problem is not None
    widths = cas_search.Widths(narrow=narrow, relaxed_from=4 * narrow, stride=6)
    assert cas_search.decide(problem, Budget(), widths).valid == general.valid
