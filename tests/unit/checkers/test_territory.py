"""Where data may be while other versions of the policy are in force for a while."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from testbed.checkers.placement import check
from testbed.checkers.policy_controls import controls_of_changes
from testbed.checkers.territory import SETTLED_NS, Territory
from testbed.checkers.verdict import Validity
from testbed.history.policy_change import PolicyChange, changes_document, changes_of
from testbed.history.residency import AtRest, Canary, Finding, Found, OnWire
from testbed.history.residency_record import ResidencyRecord, read_record, write_record
from tests.histories import S
from tests.unit.checkers.test_placement import (
    ABROAD,
    BACK,
    COMPANY,
    DELIVERY,
    HOME,
    MADE,
    OUT,
    WRITTEN,
    record,
)

SECOND = "eu-central-db1"
INSIDE = "eu-west->eu-central"
FIGURES = MADE.make("order_figures", "s1", "orders/1", jurisdiction="EU")
AMERICAN = MADE.make("order_figures", "s2", "orders/2", jurisdiction="US")
ANYWHERE = {"EU": None, "US": None}
PINNED = {"EU": ("EU",), "US": ("US",)}
WIDE = PolicyChange("free_columns", 10 * S, 20 * S, 30 * S, 40 * S, {"deliveries_eu": ANYWHERE})
BOTH = replace(WIDE, name="to_america", reach={"deliveries_eu": {"EU": ("EU", "US"), "US": ()}})
AS_EVER = replace(WIDE, name="as_ever", reach={"deliveries_eu": {"EU": ("EU",), "US": ()}})
NARROW = PolicyChange("pin_table", 10 * S, 20 * S, 30 * S, 40 * S, {"order_figures": PINNED})


def territory(*changes: PolicyChange, **written_s: int) -> Territory:
    return Territory(
        allowed={"deliveries_eu": frozenset(("EU",)), "order_figures": None},
        nodes={HOME: "EU", SECOND: "EU", ABROAD: "US"},
        links={OUT: ("EU", "US"), BACK: ("US", "EU"), INSIDE: ("EU", "EU")},
        changes=changes,
        written_ns={token: at_s * S for token, at_s in written_s.items()},
    )


def on(link: str, canary: Canary, at_s: float) -> Finding:
    where = OnWire(link, "tcp a->b", "server to client", 0)
    return Finding(canary.token, "utf-8", where, time_ns=int(at_s * S), how="logical replication")


def at(node: str, canary: Canary) -> Finding:
    return Finding(canary.token, "utf-8", AtRest(node, "/srv/f", 0), time_ns=90 * S)


@pytest.mark.parametrize(
    ("at_s", "leak"),
    [(9, True), (10, False), (11, False), (25, False), (41, False), (42, False), (43, True)],
)
def test_what_crosses_is_judged_by_the_policy_of_that_moment(at_s: int, leak: bool) -> None:
    assert territory(WIDE).forbade(DELIVERY, on(OUT, DELIVERY, at_s)) is leak


@pytest.mark.parametrize(
    ("at_s", "leak"), [(9, False), (15, False), (21, False), (23, True), (30, True), (31, False)]
)
def test_what_is_withheld_must_not_cross_once_that_is_in_force(at_s: int, leak: bool) -> None:
    assert territory(NARROW).forbade(FIGURES, on(OUT, FIGURES, at_s)) is leak


@pytest.mark.parametrize(("written_s", "leak"), [(5, False), (25, False), (41, False), (43, True)])
def test_what_lies_abroad_may_have_come_while_it_might(written_s: int, leak: bool) -> None:
    here = territory(WIDE, **{DELIVERY.token: written_s})
    assert here.forbade(DELIVERY, at(ABROAD, DELIVERY)) is leak


def test_what_lies_abroad_was_written_before_all_changes_where_nobody_says_when() -> None:
    assert not territory(WIDE).forbade(DELIVERY, at(ABROAD, DELIVERY))
    assert territory().forbade(DELIVERY, at(ABROAD, DELIVERY))


def test_what_came_before_may_go_on_inside_a_jurisdiction() -> None:
    """Pages of the log that hold it are sent to standbys again."""
    assert not territory(NARROW).forbade(AMERICAN, on(INSIDE, AMERICAN, 25))
    assert not territory(NARROW).forbade(AMERICAN, at(SECOND, AMERICAN))
    assert territory(NARROW).forbade(AMERICAN, on(BACK, AMERICAN, 25))


@pytest.mark.parametrize(
    ("change", "at_s", "leak"),
    [
        # One that was never seen in force everywhere withholds nothing, and may let cross.
        (replace(NARROW, in_force_ns=None), 25, False),
        (replace(WIDE, in_force_ns=None), 25, False),
        # One that was never lifted is in force to the end.
        (replace(NARROW, lifting_ns=None, lifted_ns=None), 80, True),
        (replace(WIDE, lifting_ns=None, lifted_ns=None), 80, False),
        # One whose lifting did not end may be in force, and may not.
        (replace(NARROW, lifted_ns=None), 80, False),
        (replace(WIDE, lifted_ns=None), 80, False),
    ],
)
def test_of_what_is_not_known_nothing_is_a_leak(
    change: PolicyChange, at_s: int, leak: bool
) -> None:
    canary = FIGURES if change.name == NARROW.name else DELIVERY
    assert territory(change).forbade(canary, on(OUT, canary, at_s)) is leak


def test_another_class_is_judged_as_ever() -> None:
    assert territory(NARROW).forbade(DELIVERY, on(OUT, DELIVERY, 25))
    assert territory(NARROW).forbade(DELIVERY, at(ABROAD, DELIVERY))


def test_a_row_that_is_at_home_nowhere_may_be_nowhere_by_a_policy_that_does_not_know_it() -> None:
    odd = MADE.make("order_figures", "s9", "orders/9", jurisdiction="UK")
    assert territory(NARROW).forbade(odd, on(OUT, odd, 25))


def shown(change: PolicyChange, written_s: int, *findings: Finding) -> tuple[bool, str]:
    canaries = (DELIVERY, FIGURES, AMERICAN)
    here = territory(change, **{canary.token: written_s for canary in canaries})
    (control,) = controls_of_changes(here, canaries, Found(findings))
    assert control.name == "policy change"
    return control.shown, control.detail


CROSSED = on(OUT, FIGURES, 9)


@pytest.mark.parametrize(
    ("change", "written_s", "findings", "good"),
    [
        (NARROW, 25, (CROSSED,), True),
        # Nothing of it was written in time.
        (NARROW, 9, (CROSSED,), False),
        (NARROW, 21, (CROSSED,), False),
        # It crosses at no other time.
        (NARROW, 25, (), False),
        (NARROW, 25, (on(OUT, FIGURES, 25),), False),
        (NARROW, 25, (on(INSIDE, FIGURES, 9), at(ABROAD, FIGURES)), False),
        # It never was in force everywhere.
        (replace(NARROW, in_force_ns=None), 25, (CROSSED,), False),
        (replace(WIDE, in_force_ns=None), 25, (on(OUT, DELIVERY, 25),), False),
        (WIDE, 25, (on(OUT, DELIVERY, 25),), True),
        (WIDE, 25, (on(OUT, DELIVERY, 43),), False),
        (WIDE, 25, (on(INSIDE, DELIVERY, 25), CROSSED), False),
        (BOTH, 25, (on(OUT, DELIVERY, 25),), True),
        # One that changes nothing cannot be told from none.
        (AS_EVER, 25, (on(OUT, DELIVERY, 9), on(OUT, DELIVERY, 25)), False),
    ],
)
def test_a_version_must_be_shown_to_have_been_in_force(
    change: PolicyChange, written_s: int, findings: tuple[Finding, ...], good: bool
) -> None:
    found, detail = shown(change, written_s, *findings)
    assert found is good, detail
    assert change.name in detail


def test_what_was_seen_to_cross_at_no_other_time_is_named() -> None:
    _, detail = shown(NARROW, 25)
    assert detail.endswith("; order_figures was seen to cross at no other time")
    _, detail = shown(NARROW, 25, CROSSED)
    assert "at no other time" not in detail


def test_what_may_cross_from_a_change_on_may_do_so_at_that_moment() -> None:
    assert territory(WIDE).once_allowed(DELIVERY, on(OUT, DELIVERY, 10))
    assert not territory(WIDE).once_allowed(DELIVERY, on(OUT, DELIVERY, 9))


def edited(change: PolicyChange, *findings: Finding, written_s: int = 25) -> ResidencyRecord:
    made = record(*findings)
    return replace(
        made,
        allowed={**made.allowed, "order_figures": None},
        canaries=(*made.canaries, FIGURES),
        found=made.found + Found((Finding(FIGURES.token, "utf-8", AtRest(HOME, "/srv/f", 0)),)),
        changes=(change,),
        written_ns={FIGURES.token: written_s * S},
    )


def test_a_run_with_another_version_in_force_is_judged_by_it() -> None:
    written = (*WRITTEN, FIGURES)
    clean = check(edited(NARROW, on(OUT, FIGURES, 9)), written)
    assert clean.validity is Validity.VALID, clean.reason
    leaked = check(edited(NARROW, on(OUT, FIGURES, 9), on(OUT, FIGURES, 26)), written)
    assert leaked.validity is Validity.VIOLATION
    assert [one.name for one in leaked.causes] == ["older policy"]
    idle = check(edited(NARROW, on(OUT, FIGURES, 9), written_s=5), written)
    assert idle.validity is Validity.UNKNOWN
    assert "the control policy change" in idle.reason


@pytest.mark.parametrize(("at_s", "cause"), [(50, "older policy"), (9, "column list")])
def test_what_a_lifted_version_let_cross_is_sent_by_it(at_s: int, cause: str) -> None:
    leaked = check(edited(WIDE, on(OUT, DELIVERY, at_s)), (*WRITTEN, FIGURES))
    assert [one.name for one in leaked.causes] == [cause]


def test_what_never_might_cross_is_no_older_policys() -> None:
    lifted = replace(WIDE, reach={"companies": ANYWHERE})
    leaked = check(edited(lifted, on(OUT, DELIVERY, 50)), (*WRITTEN, FIGURES))
    assert [one.name for one in leaked.causes] == ["column list"]
    assert COMPANY.token not in str(leaked.counterexample)


def test_versions_survive_their_file(tmp_path: Any) -> None:
    path = tmp_path / "residency.json"
    made = edited(NARROW)
    write_record(made, path)
    assert read_record(path) == made
    assert changes_of(changes_document((WIDE, NARROW))) == (WIDE, NARROW)


def test_what_was_sent_before_has_time_to_arrive() -> None:
    late = NARROW.in_force_ns
    assert late is not None
    assert not NARROW.holds(late + SETTLED_NS - 1, SETTLED_NS)
    assert NARROW.holds(late + SETTLED_NS, SETTLED_NS)
