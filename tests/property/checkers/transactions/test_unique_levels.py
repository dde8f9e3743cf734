"""Levels of unique-value registers against their definitions, in both directions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from unittest import mock

from hypothesis import given, settings

from testbed.checkers.budget import Budget
from testbed.checkers.transactions import causal, order_search
from testbed.checkers.transactions.order_problem import RULES
from testbed.checkers.transactions.resolve import resolve
from testbed.checkers.transactions.resolved import Resolved
from testbed.checkers.transactions.unique_levels import BELOW, LevelJudge, included_in
from testbed.history.transaction_table import Outcome
from tests.property.checkers.transactions.commit_orders import holding
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
CAUSAL = ["causal", "strong-causal-cerone"]
PARALLEL = ["parallel-snapshot-isolation", "strong-parallel-snapshot-isolation"]
POLYNOMIAL = ["snapshot-isolation", "serializable", "strict-serializable"]
UNTIMED = [each for each in LEVELS if not each.startswith("str")]

_USUAL = settings.default.max_examples if settings.default else 0
several = settings(max_examples=min(5 * _USUAL, max(_USUAL, 10_000)))
"""A history is judged at all levels: where few are drawn, more than for one level alone."""


def judged(
    history: list[dict[str, Any]], levels: Iterable[str], *, sessions: bool = True
) -> dict[str, bool | None]:
    """What holds of the levels, each decided by itself: nothing follows from another's answer."""
    resolved = resolve(table_of(history, lists=False))
    if not sessions:
        resolved = resolved.without_sessions()
    found = {level: LevelJudge(resolved, Budget()).decide(level) for level in levels}
    for answer in found.values():
        assert (answer.counterexample is not None) == (answer.holds is False)
        if answer.counterexample is not None:
            assert_told_truly(resolved, answer.counterexample)
    return {level: answer.holds for level, answer in found.items()}


def assert_told_truly(resolved: Resolved, example: dict[str, Any]) -> None:
    """What a counterexample says of reads, sessions and times is so, and leads where it says."""
    table, edges = resolved.table, example.get("edges", ())
    told = "\n".join(edge["why"] for edge in edges)
    row = {shown["name"]: shown["line"] - 1 for shown in example["operations"]}
    for one, other in re.findall(r"(T\d+) had ended before (T\d+) began", told):
        assert table.outcome[row[one]] == Outcome.OK
        assert table.end[row[one]] < table.start[row[other]]
    for one, other in re.findall(r"process \S+ did (T\d+) before (T\d+)", told):
        assert table.process[row[one]] == table.process[row[other]]
        assert row[one] < row[other]
    for reader, writer in re.findall(r"(T\d+) read [^,;]+, which (T\d+) wrote", told):
        reads = slice(*resolved.read_first[[row[reader], row[reader] + 1]])
        assert row[writer] in resolved.read_source[reads]
    for edge in edges:
        if edge["kind"] == "forced":
            assert f"so {edge['from']} would have to come before {edge['to']}" in edge["why"]


@several
@given(history=histories())
def test_levels_hold_when_some_order_of_commits_explains_it(history: list[dict[str, Any]]) -> None:
    assert judged(history, LEVELS) == holding(history, LEVELS)


@several
@given(history=tangled())
def test_levels_hold_for_tangled_transactions_when_some_order_of_commits_explains_it(
    history: list[dict[str, Any]],
) -> None:
    assert judged(history, LEVELS) == holding(history, LEVELS)


@several
@given(history=histories() | tangled())
def test_causality_is_judged_alike_where_room_has_to_be_made(
    history: list[dict[str, Any]],
) -> None:
    with mock.patch.multiple(causal, CLOCKS=2, EDGES=1):
        found = judged(history, CAUSAL)
    assert found == holding(history, CAUSAL)


@several
@given(history=histories() | tangled())
def test_without_sessions_levels_hold_when_some_order_without_them_explains_it(
    history: list[dict[str, Any]],
) -> None:
    found = judged(history, UNTIMED, sessions=False)
    assert found == holding(history, UNTIMED, sessions=False)


@several
@given(history=tangled(most=4, keys=3) | histories(most=4))
def test_parallel_snapshot_isolation_holds_when_some_visibility_explains_it(
    history: list[dict[str, Any]],
) -> None:
    assert judged(history, PARALLEL) == holding(history, PARALLEL)


@several
@given(history=histories(ops=2).map(rmw) | tangled(blind=False))
def test_the_polynomial_way_agrees_for_transactions_that_read_what_they_write(
    history: list[dict[str, Any]],
) -> None:
    assert judged(history, POLYNOMIAL) == holding(history, POLYNOMIAL)


@several
@given(history=histories(most=4) | tangled(most=4, keys=2) | tangled(most=4, keys=3))
def test_the_search_agrees_also_where_no_guess_is_right(history: list[dict[str, Any]]) -> None:
    with (
        mock.patch.object(order_search, "_replayed", return_value=False),
        mock.patch.object(order_search, "_explains", return_value=False),
    ):
        found = judged(history, RULES)
    assert found == holding(history, RULES)


@several
@given(history=histories())
def test_a_stronger_level_never_holds_where_a_weaker_one_does_not(
    history: list[dict[str, Any]],
) -> None:
    found = judged(history, BELOW)
    for level, holds in found.items():
        if holds:
            assert all(found[lower] for lower in included_in(level))
