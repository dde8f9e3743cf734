"""Adya's levels between read committed and serializability against their definitions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from testbed.checkers.transactions.level import included_in, named
from tests.adya_oracle import HOLDS, Dsg, read_committed
from tests.list_oracle import FORMS, allowed_in, earlier
from tests.property.checkers.transactions.list_histories import completions, histories
from tests.property.checkers.transactions.test_list_append import (
    Transaction,
    history,
    judged,
    versions_known,
)


def few(transactions: list[Transaction]) -> bool:
    return len([each for each in transactions if each["outcome"] != "fail"]) <= 4


@given(st.integers(0, 2**48))
def test_a_level_between_is_violated_exactly_when_its_definition_is(seed):
    transactions = history(seed)
    verdict = judged(transactions)
    clean = ("read-committed", "") in allowed_in(transactions)
    if verdict.levels is None or not clean or not versions_known(transactions):
        return
    found, allowed = verdict.levels.violated, verdict.levels.allowed
    committed = allowed_in(transactions)
    for form in FORMS:
        dsg = Dsg(transactions, earlier(transactions, range(len(transactions)), form))
        for level, definition in HOLDS.items():
            if level == "forward-consistent-view" and not few(transactions):
                continue
            name = named(form + level)
            holds = ("read-committed", form) in committed and definition(dsg)
            violated = bool(included_in(name) & set(found))
            known = any(name in included_in(each) for each in allowed)
            assert not (violated and holds), f"false alarm: {name} {verdict.reason}"
            assert not (known and not holds), f"missed: {name} {verdict.reason}"
            if verdict.numbers["dependencies"] and name != "strong-session-forward-consistent-view":
                assert violated or known, f"not decided: {name} {verdict.reason}"


@given(histories)
def test_the_same_where_most_reads_are_of_old_versions(transactions):
    verdict = judged(transactions)
    if verdict.levels is None:
        return
    found, allowed = verdict.levels.violated, verdict.levels.allowed
    complete = list(completions(transactions))
    for form in FORMS:
        graphs = [Dsg(each, earlier(each, range(len(each)), form)) for each in complete]
        for level, definition in HOLDS.items():
            if level == "forward-consistent-view":
                continue
            name = named(form + level)
            holds = any(read_committed(dsg) and definition(dsg) for dsg in graphs)
            violated = bool(included_in(name) & set(found))
            known = any(name in included_in(each) for each in allowed)
            assert not (violated and holds), f"false alarm: {name} {verdict.reason}"
            assert not (known and not holds), f"missed: {name} {verdict.reason}"
            if len(complete) == 1 and verdict.numbers["dependencies"]:
                assert violated or known, f"not decided: {name} {verdict.reason}"
