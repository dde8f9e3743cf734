"""Which versions of a policy were in force, from a history alone."""

from __future__ import annotations

from typing import Any

from testbed.probes.policy_changes import policy_changes, written_ns
from testbed.topology.inventory import find, load
from testbed.topology.placement_edits import EDITS, reach
from tests.histories import MS, S, Scribe

POLICY = load(find("data-placement")).policy
assert POLICY is not None


def edited(scribe: Scribe, work: str, step: int, *phases: tuple[str, int], **more: Any) -> Scribe:
    """A fault `maintenance us-east`, phase by phase."""
    for phase, at_s in phases:
        given: dict[str, Any] = {"parameters": {"work": work}} if phase == "inject" else {}
        if phase == "injected":
            given["resolved"] = "us-east"
        if phase == "effect":
            given |= more
        title = "maintenance role:primary"
        scribe.fault("maintenance", title, at_s * S, phase, step=step, **given)
    return scribe


WHOLE = (("inject", 2), ("injected", 8), ("effect", 9), ("heal", 20), ("healed", 27),
         ("absence", 28))  # fmt: skip


def test_a_version_is_in_force_from_its_effect_to_its_lifting() -> None:
    assert POLICY is not None
    history = edited(Scribe(), "pin_rows", 0, *WHOLE).history()
    (found,) = policy_changes(history, POLICY)
    assert (found.name, found.begun_ns, found.in_force_ns) == ("pin_rows", 2 * S, 9 * S)
    assert (found.lifting_ns, found.lifted_ns) == (20 * S, 27 * S)
    # Of the jurisdiction of the region that it was resolved to.
    assert found.reach == reach(POLICY, EDITS["pin_rows"](POLICY, "US"))
    assert found.reach["order_figures"] == {"EU": ("EU",), "US": None}


def test_one_that_was_not_seen_never_was_in_force_everywhere() -> None:
    assert POLICY is not None
    history = edited(Scribe(), "pin_table", 0, *WHOLE, shown=False).history()
    (found,) = policy_changes(history, POLICY)
    assert found.in_force_ns is None
    history = edited(Scribe(), "pin_table", 0, *WHOLE[:2]).history()
    (found,) = policy_changes(history, POLICY)
    assert (found.in_force_ns, found.lifting_ns, found.lifted_ns) == (None, None, None)


def test_other_works_and_other_faults_change_no_policy() -> None:
    assert POLICY is not None
    scribe = edited(Scribe(), "add_column", 0, *WHOLE).window(30 * S, 40 * S)
    assert policy_changes(scribe.history(), POLICY) == ()


def test_several_are_in_order() -> None:
    assert POLICY is not None
    scribe = edited(Scribe(), "free_columns", 0, *WHOLE)
    later = tuple((phase, at_s + 60) for phase, at_s in WHOLE)
    history = edited(scribe, "pin_columns", 1, *later).history()
    assert [one.name for one in policy_changes(history, POLICY)] == ["free_columns", "pin_columns"]


def test_when_canaries_were_sent_is_when_their_operation_was() -> None:
    canary = {
        "token": "t" * 24, "data_class": "companies", "subject": "s", "row": "customers/1",
        "version": 1, "jurisdiction": "EU", "purpose": "row", "uuid": "", "bigint": 1,
        "numeric": "1", "bytea": "",
    }  # fmt: skip
    scribe = Scribe().call("publish", 5 * S, 6 * S, value={"rows": [], "canaries": [canary]})
    scribe.call("rows", 7 * S, 7 * S + MS, result={})
    assert written_ns(scribe.history()) == {"t" * 24: 5 * S}
