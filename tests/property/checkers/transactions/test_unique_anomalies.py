"""Named anomalies of unique-value registers against every order of the versions."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.checkers.request import Request
from testbed.checkers.transactions.anomaly import FORMS
from testbed.checkers.transactions.rw_unique import check
from testbed.checkers.transactions.unique_anomalies import RULED_OUT_BY
from testbed.checkers.verdict import Validity
from tests.property.checkers.transactions.commit_orders import executions
from tests.property.checkers.transactions.register_histories import histories, rmw, tangled
from tests.property.checkers.transactions.version_orders import OF_ADYA, some_order_is_without
from tests.transaction_tables import table_of

drawn = histories(most=4) | tangled(most=4) | tangled(most=4).map(rmw)


def asked(history: list[dict[str, Any]], *names: str) -> Validity:
    verdict = check(table_of(history, lists=False), Request(anomalies=names))
    assert bool(verdict.counterexample) == (verdict.validity == Validity.VIOLATION)
    return verdict.validity


def judged(history: list[dict[str, Any]]) -> bool:
    """Whether it reads anything, and nothing that no order explains."""
    reads = any(op[0] == "r" for each in history if each["outcome"] == "ok" for op in each["ops"])
    return reads and any(each is not None for each in executions(history))


@pytest.mark.parametrize("form", FORMS)
@given(history=drawn, name=st.sampled_from(sorted(RULED_OUT_BY)))
def test_an_anomaly_is_there_when_every_order_of_versions_shows_it(
    form: str, name: str, history: list[dict[str, Any]]
) -> None:
    if not judged(history):
        return
    found, without = asked(history, name + form), some_order_is_without(history, [name + form])
    if without is None:
        assert found != Validity.VALID
        assert asked(history, "G1" + form) == Validity.VIOLATION
    else:
        assert found == (Validity.VALID if without else Validity.VIOLATION)
        assert asked(history, "G1c" + form) == Validity.VALID


@given(
    history=drawn,
    names=st.lists(
        st.sampled_from([name + form for name in (*RULED_OUT_BY, "G0", "G1c") for form in FORMS]),
        min_size=2,
        max_size=3,
    ),
)
def test_of_several_one_order_has_to_be_without_all(
    names: list[str], history: list[dict[str, Any]]
) -> None:
    if not judged(history):
        return
    without = some_order_is_without(history, names)
    found = asked(history, *names)
    if found != Validity.UNKNOWN and without is not None:
        assert found == (Validity.VALID if without else Validity.VIOLATION)
    if without is None and not all(name.startswith("G0") for name in names):
        assert found != Validity.VALID


@pytest.mark.parametrize("form", FORMS)
@given(history=drawn, name=st.sampled_from(sorted(OF_ADYA)))
def test_what_no_level_alone_rules_out_is_told_or_not_known(
    form: str, name: str, history: list[dict[str, Any]]
) -> None:
    if not judged(history):
        return
    found, without = asked(history, name + form), some_order_is_without(history, [name + form])
    if found != Validity.UNKNOWN:
        assert found == (Validity.VALID if without else Validity.VIOLATION)


@pytest.mark.parametrize("form", FORMS)
@given(history=drawn)
def test_what_begins_and_commits_at_times_unknown_is_told_or_not_known(
    form: str, history: list[dict[str, Any]]
) -> None:
    """There where a case of it is, and not where nothing is that it is a case of."""
    if not judged(history):
        return
    found = asked(history, "G-SIb" + form)
    if form != "-process":
        assert found == asked(history, "G-single" + form)
    if found == Validity.VALID:
        assert asked(history, "G-single" + form) == Validity.VALID
    if found == Validity.VIOLATION:
        assert asked(history, "G-nonadjacent" + form) == Validity.VIOLATION
