"""Elle's inference over registers never finds what is not there."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from testbed.checkers.request import Request
from testbed.checkers.transactions.anomaly import FORMS
from testbed.checkers.transactions.rw_register import check
from testbed.checkers.verdict import Validity
from tests.dice import Dice, dice
from tests.property.checkers.transactions import commit_orders
from tests.property.checkers.transactions.register_histories import histories, rmw, tangled
from tests.transaction_tables import table_of

# A level, its name in the definitions, whether sessions count, what it lets be assumed of keys.
LEVELS = [
    ("read-committed", "read-committed", False, ()),
    ("monotonic-atomic-view", "read-committed", False, ()),
    ("read-atomic", "read-atomic", False, ()),
    ("causal", "causal", True, ()),
    ("prefix", "prefix", False, ()),
    ("snapshot-isolation", "snapshot-isolation", False, ("wfr_keys",)),
    ("serializable", "serializable", False, ("wfr_keys", "transaction_order")),
    ("repeatable-read", "serializable", False, ("wfr_keys",)),
    (
        "strong-session-serializable",
        "serializable",
        True,
        ("wfr_keys", "sequential_keys", "transaction_order"),
    ),
    (
        "strict-serializable",
        "strict-serializable",
        True,
        ("wfr_keys", "sequential_keys", "linearizable_keys", "transaction_order"),
    ),
]
drawn = histories() | tangled() | tangled().map(rmw)


@given(history=drawn, chosen=dice(sum(len(assumed) for _, _, _, assumed in LEVELS)))
def test_no_violation_is_found_where_the_level_holds(
    history: list[dict[str, Any]], chosen: Dice
) -> None:
    table = table_of(history, lists=False)
    definitions = {definition for _, definition, _, _ in LEVELS}
    holds = {
        sessions: commit_orders.holding(history, definitions, sessions=sessions)
        for sessions in (False, True)
    }
    for level, definition, sessions, assumed in LEVELS:
        params = {name: True for name in assumed if chosen.heads()}
        verdict = check(table, Request(levels=(level,), params=params))
        violated = verdict.validity == Validity.VIOLATION
        assert not (violated and holds[sessions][definition]), (level, params)
        assert bool(verdict.counterexample) == violated, (level, params)


@pytest.mark.parametrize("form", FORMS)
@given(history=histories(most=4, ops=4) | tangled(most=4))
def test_a_circle_of_who_read_from_whom_is_found(form: str, history: list[dict[str, Any]]) -> None:
    """Whichever of the reads of a key closes it."""
    runs = [each for each in commit_orders.executions(history) if each is not None]
    if not runs:
        return
    verdict = check(table_of(history, lists=False), Request(anomalies=("G1c" + form,)))
    extra = [each.session if form else set() for each in runs]
    if form == "-realtime":
        extra = [more | each.realtime for more, each in zip(extra, runs, strict=True)]
    circular = [circle(each.read_from | more) for each, more in zip(runs, extra, strict=True)]
    assert verdict.validity == Validity.VIOLATION or not all(circular)
    assert verdict.validity != Validity.VIOLATION or any(circular)


def circle(pairs: set[tuple[int, int]]) -> bool:
    """Whether something leads back to itself."""
    closed = set(pairs)
    while more := {(a, d) for a, b in closed for c, d in closed if b == c} - closed:
        closed |= more
    return any(a == b for a, b in closed)


@pytest.mark.parametrize("level", ["snapshot-isolation", "serializable"])
@given(history=tangled(blind=False))
def test_every_violation_is_found_where_every_write_follows_a_read(
    level: str, history: list[dict[str, Any]]
) -> None:
    request = Request(levels=(level,), params={"wfr_keys": True})
    verdict = check(table_of(history, lists=False), request)
    assert (verdict.validity == Validity.VIOLATION) != commit_orders.holds(
        history, level, sessions=False
    )
