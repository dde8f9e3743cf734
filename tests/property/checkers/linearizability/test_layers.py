"""The layers of the search over registers against the general search, on longer histories."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import event, example, given
from hypothesis import strategies as st

from testbed.checkers.budget import Budget
from testbed.checkers.linearizability import cas_search
from testbed.checkers.linearizability.calls import NEVER, calls_of
from testbed.checkers.linearizability.cas_arrays import CAS, DIFFERS, READ, WRITE
from testbed.checkers.linearizability.cas_judge import general_calls, step
from testbed.checkers.linearizability.cas_problem import CasOperations, problem_of
from testbed.checkers.linearizability.cas_values import CasReader
from testbed.checkers.linearizability.sequential import search
from testbed.checkers.linearizability.values import numbered
from tests.property.checkers.linearizability.drawn import Run, Step, steps
from tests.property.checkers.linearizability.objects import OBJECTS
from tests.unit.checkers.linearizability.oracle import lines_of
from tests.unit.checkers.linearizability.tables import table_of

CLIENTS = 6
long_steps = steps(80, CLIENTS, least=30)


def operations(taken: list[Step]) -> CasOperations:
    model = OBJECTS["etcd-cas-register"]
    run = Run.of(model, CLIENTS).go(taken)
    table = table_of(lines_of(run, model.sees))
    reader = CasReader(table, numbered(table, 0), failed_differs=True)
    return reader.read(calls_of(table))


@pytest.mark.parametrize(("narrow", "relaxed_from"), [(1, 1), (1, 4), (16, 64)])
@given(taken=long_steps)
def test_the_layers_agree_with_the_general_search(
    narrow: int, relaxed_from: int, taken: list[Step]
) -> None:
    drawn = operations(taken)
    general = search(general_calls(drawn), drawn.initial, step, Budget())
    event(str(general.valid))
    problem = problem_of(drawn.simplified())
    assert problem is not None
    widths = cas_search.Widths(narrow=narrow, relaxed_from=relaxed_from, stride=6)
    assert cas_search.decide(problem, Budget(), widths).valid == general.valid


def crowded(rng: random.Random) -> CasOperations:
    """Operations around moments at which they take effect, many at once; some reads are wrong."""
    state, rows, spans = 0, [], []
    span, right = rng.choice([15, 60, 120]), rng.choice([1, 0.9, 0.6])
    for number in range(rng.randint(10, 30)):
        code = rng.choice([WRITE, WRITE, READ, CAS, CAS, DIFFERS])
        first, second = rng.randint(0, 3), -1
        done = code in (READ, DIFFERS) or rng.random() < 0.75
        happens = done or rng.random() < 0.6
        if code == READ:
            first = state if rng.random() < right else first
        elif code == CAS:
            first, second = (state if happens else first), rng.randint(0, 3)
        elif code == DIFFERS and first == state:
            first = (state + 1) % 4
        if happens and code in (WRITE, CAS):
            state = first if code == WRITE else second
        at = 10 * number
        rows.append((code, first, second))
        spans.append((at - rng.randint(1, span), at + rng.randint(1, span) if done else None))
    ends = [(time, who, end) for who, both in enumerate(spans) for end, time in enumerate(both)]
    place = {
        (who, end): row
        for row, (_, who, end) in enumerate(sorted(one for one in ends if one[0] is not None))
    }
    code, first, second = np.array(rows, dtype=np.int64).T
    start = np.array([place[who, 0] for who in range(len(rows))])
    end = np.array([place.get((who, 1), NEVER) for who in range(len(rows))])
    order = np.argsort(start)
    return CasOperations(
        code=code[order],
        first=first[order],
        second=second[order],
        start=start[order],
        end=end[order],
        initial=0,
        names=np.arange(4),
    )


@pytest.mark.parametrize(
    ("widest", "relaxed", "decided"),
    [(1, 1, False), (1, 16, False), (4, 1, False), (4096, 16, True)],
)
@example(seed=2204111)  # goes back to a place where room had been lacking
@example(seed=4950087)  # goes back to a place that was reached with more room
@example(seed=549755813889)  # a write without an answer hides another, and leaves the value
@given(seed=st.integers(0, 2**48))
def test_what_does_not_fit_is_given_up_and_nothing_wrong_is_said(
    widest: int, relaxed: int, decided: bool, seed: int
) -> None:
    drawn = crowded(random.Random(seed))
    general = search(general_calls(drawn), drawn.initial, step, Budget())
    problem = problem_of(drawn.simplified())
    assert problem is not None
    widths = cas_search.Widths(narrow=1, widest=widest, relaxed_from=1, relaxed=relaxed, stride=6)
    found = cas_search.decide(problem, Budget(), widths)
    event(f"{general.valid}, found {found.valid}")
    assert found.valid == general.valid or (found.valid is None and not decided)
