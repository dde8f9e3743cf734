"""Circles of transactions over lists that are taken apart, against Adya's definitions."""

from __future__ import annotations

import pytest
from hypothesis import given

from testbed.checkers.budget import Budget
from testbed.checkers.transactions.list_append import committed_in
from testbed.checkers.transactions.list_dependencies import successors_of
from testbed.checkers.transactions.list_unfold import ListUnfolding
from testbed.checkers.transactions.list_versions import versions_of
from testbed.checkers.transactions.shapes import OF_STEPS, SHAPES
from testbed.checkers.transactions.unfolded import find_unfolded
from tests.adya_oracle import HOLDS, Dsg, consistent_view, read_committed
from tests.list_oracle import earlier
from tests.property.checkers.transactions.list_histories import Transaction, completions, histories
from tests.transaction_tables import table_of
from tests.unit.checkers.transactions.test_list_append import txn

FORMS = {"": "", "-process": "strong-session-", "-realtime": "strong-"}
LEVELS = {
    "G-monotonic": "monotonic-view",
    "G-MSR": "monotonic-snapshot-read",
    "G-update": "update-serializable",
}


SESSION = (["x+1"], ["q:"], ["q:"], ["x:", "w+1"])


def unfolded(transactions: list[Transaction]) -> ListUnfolding:
    table = table_of(transactions)
    versions = versions_of(table)
    committed = committed_in(table, versions)
    return ListUnfolding(table, versions, successors_of(table, versions, committed), committed)


@given(histories)
def test_each_circle_is_there_exactly_where_its_level_is_not(transactions):
    """Whatever worse anomalies there are beside it, for which the checker would not look on."""
    complete = list(completions(transactions))
    if len(complete) > 1:
        return
    unfolding = unfolded(transactions)
    for form, words in FORMS.items():
        dsg = Dsg(complete[0], earlier(complete[0], range(len(complete[0])), words))
        if not read_committed(dsg):
            continue
        for shape in (each for each in SHAPES if each.anomaly in OF_STEPS):
            found, exhausted = find_unfolded(unfolding, unfolding.committed, shape, form, Budget())
            holds = HOLDS[LEVELS[shape.anomaly]](dsg)
            if shape.anomaly == "G-update" and found is None:
                holds = holds or not consistent_view(dsg)
            assert not exhausted
            assert (found is None) == holds, shape.anomaly + form


def test_what_an_indeterminate_transaction_was_to_read_it_missed_nothing_of():
    rows = [
        {"ops": [["append", "x", 1], ["append", "y", 5]], "process": 0},
        {"ops": [["append", "x", 2], ["r", "y", None]], "process": 1, "outcome": "info"},
        {"ops": [["r", "x", [1, 2]]], "process": 2},
    ]
    unfolding = unfolded(rows)
    for shape in (each for each in SHAPES if each.anomaly in OF_STEPS):
        assert find_unfolded(unfolding, unfolding.committed, shape, "", Budget()) == (None, False)


@pytest.mark.parametrize(
    "rows",
    [
        [["x+1", "y+1"], ["x:1", "z+1"], ["z:1", "y:"]],
        [["x+1", "y+1"], ["z+1", "x:1"], ["z:1", "y:"]],
        [["a+7"], ["a:7"], ["x+1", "y+1"], ["x+2", "y:"], ["x:12"]],
    ],
    ids=["what was written is committed", "after the last step", "a version of the second key"],
)
def test_circles_of_steps_go_on(rows):
    unfolding = unfolded([txn(*ops, process=at) for at, ops in enumerate(rows)])
    shape = next(each for each in SHAPES if each.anomaly == "G-MSR")
    found, _ = find_unfolded(unfolding, unfolding.committed, shape, "", Budget())
    assert found is not None


def test_no_circle_of_updates_leads_through_two_readers():
    fork = [["q:", "a+1"], ["q:", "b+1"], ["a:1", "b:"], ["b:1", "a:"]]
    unfolding = unfolded([txn(*ops, process=at) for at, ops in enumerate(fork)])
    shape = next(each for each in SHAPES if each.anomaly == "G-update")
    assert find_unfolded(unfolding, unfolding.committed, shape, "", Budget()) == (None, False)


def test_a_session_of_updates_goes_on_behind_readers():
    unfolding = unfolded([txn(*ops, process=0) for ops in SESSION])
    shape = next(each for each in SHAPES if each.anomaly == "G-update")
    found, _ = find_unfolded(unfolding, unfolding.committed, shape, "-process", Budget())
    assert found is not None
