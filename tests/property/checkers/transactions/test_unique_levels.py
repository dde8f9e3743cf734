"""Levels of unique-value registers against their definitions, in both directions."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from hypothesis import given

from testbed.checkers.budget import Budget
from testbed.checkers.transactions import causal, order_search
from testbed.checkers.transactions.order_problem import RULES
from testbed.checkers.transactions.resolve import resolve
from testbed.checkers.transactions.unique_levels import BELOW, LevelJudge, included_in
from tests.property.checkers.transactions import commit_orders
from tests.property.checkers.transactions.register_histories import histories, rmw, tangled
from tests.transaction_tables import table_of

LEVELS = [
    "read-committed",
    "read-atomic",
    "causal",
    "prefix",
    "snapshot-isolation",
    "serializable",
    "strong-read-committed",
    "strong-read-atomic",
    "strong-causal-cerone",
    "strong-prefix",
    "strong-snapshot-isolation",
    "strict-serializable",
]
PARALLEL = ["parallel-snapshot-isolation", "strong-parallel-snapshot-isolation"]


def judged(history: list[dict[str, Any]], level: str) -> bool | None:
    judge = LevelJudge(resolve(table_of(history, lists=False)), Budget())
    found = judge.decide(level)
    assert (found.counterexample is not None) == (found.holds is False)
    return found.holds


@pytest.mark.parametrize("level", LEVELS)
@given(history=histories())
def test_a_level_holds_when_some_order_of_commits_explains_it(
    level: str, history: list[dict[str, Any]]
) -> None:
    assert judged(history, level) == commit_orders.holds(history, level)


@pytest.mark.parametrize("level", LEVELS)
@given(history=tangled())
def test_a_level_holds_for_tangled_transactions_when_some_order_of_commits_explains_it(
    level: str, history: list[dict[str, Any]]
) -> None:
    assert judged(history, level) == commit_orders.holds(history, level)


@pytest.mark.parametrize("level", ["causal", "strong-causal-cerone"])
@given(history=histories() | tangled())
def test_causality_is_judged_alike_where_room_has_to_be_made(
    level: str, history: list[dict[str, Any]]
) -> None:
    with mock.patch.multiple(causal, CLOCKS=2, EDGES=1):
        found = judged(history, level)
    assert found == commit_orders.holds(history, level)


@pytest.mark.parametrize("level", [each for each in LEVELS if not each.startswith("str")])
@given(history=histories() | tangled())
def test_without_sessions_a_level_holds_when_some_order_without_them_explains_it(
    level: str, history: list[dict[str, Any]]
) -> None:
    resolved = resolve(table_of(history, lists=False)).without_sessions()
    holds = LevelJudge(resolved, Budget()).decide(level).holds
    assert holds == commit_orders.holds(history, level, sessions=False)


@pytest.mark.parametrize("level", PARALLEL)
@given(history=tangled(most=4, keys=3))
def test_parallel_snapshot_isolation_of_tangled_transactions(
    level: str, history: list[dict[str, Any]]
) -> None:
    assert judged(history, level) == commit_orders.holds(history, level)


@pytest.mark.parametrize("level", PARALLEL)
@given(history=histories(most=4))
def test_parallel_snapshot_isolation_holds_when_some_visibility_explains_it(
    level: str, history: list[dict[str, Any]]
) -> None:
    assert judged(history, level) == commit_orders.holds(history, level)


@pytest.mark.parametrize("level", ["snapshot-isolation", "serializable", "strict-serializable"])
@given(history=histories(ops=2).map(rmw) | tangled(blind=False))
def test_the_polynomial_way_agrees_for_transactions_that_read_what_they_write(
    level: str, history: list[dict[str, Any]]
) -> None:
    assert judged(history, level) == commit_orders.holds(history, level)


@pytest.mark.parametrize("level", sorted(RULES))
@given(history=histories(most=4) | tangled(most=4, keys=2) | tangled(most=4, keys=3))
def test_the_search_agrees_also_where_no_guess_is_right(
    level: str, history: list[dict[str, Any]]
) -> None:
    with (
        mock.patch.object(order_search, "_replayed", return_value=False),
        mock.patch.object(order_search, "_explains", return_value=False),
    ):
        found = judged(history, level)
    assert found == commit_orders.holds(history, level)


@given(history=histories())
def test_a_stronger_level_never_holds_where_a_weaker_one_does_not(
    history: list[dict[str, Any]],
) -> None:
    found = {level: judged(history, level) for level in BELOW}
    for level, holds in found.items():
        if holds:
            assert all(found[lower] for lower in included_in(level))
