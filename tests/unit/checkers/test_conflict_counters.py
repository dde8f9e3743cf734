"""What PostgreSQL counted is compared with what clients wrote."""

from __future__ import annotations

import pytest

from testbed.checkers import conflict_counters
from testbed.checkers.verdict import Validity
from testbed.measures.mesh_recording import MeshRecording
from tests.unit.checkers.mesh_looks import recording, row

COUNTED = recording(row(1), row(2, counts={"confl_update_origin_differs": 2}))
NOTHING = recording(row(1), row(2))


@pytest.mark.parametrize(
    ("recorded", "shared", "met", "logged", "validity"),
    [
        (NOTHING, {1}, {1}, True, Validity.VALID),
        (COUNTED, {1}, {1}, True, Validity.VIOLATION),
        (COUNTED, {1}, {1}, False, Validity.VALID),
        (COUNTED, set(), set(), False, Validity.VIOLATION),
        (NOTHING, {1}, {1}, False, Validity.VIOLATION),
        # Written in two regions, but perhaps a deleted row anew: PostgreSQL need not have noticed.
        (NOTHING, {1}, set(), False, Validity.VALID),
        (recording(), {1}, {1}, False, Validity.UNKNOWN),
    ],
)
def test_counters_and_history_agree_or_not(
    recorded: MeshRecording,
    shared: set[int],
    met: set[int],
    logged: bool,
    validity: Validity,
) -> None:
    verdict = conflict_counters.check(recorded, shared, met, logged=logged)
    assert verdict.validity is validity


def test_what_was_counted_is_told_by_kind() -> None:
    counts = {"confl_update_origin_differs": 2, "confl_insert_exists": 3}
    recorded = recording(row(1), row(2, counts=counts))
    found = conflict_counters.check(recorded, {1}, {1}, logged=False)
    assert found.reason.endswith("; counted: insert_exists 3, update_origin_differs 2")
    assert found.numbers["update_origin_differs_count"] == 2
    nothing = conflict_counters.check(NOTHING, {1}, set(), logged=False)
    assert nothing.reason.endswith("; counted: none")


def test_counts_begin_with_the_first_look_and_anew_with_a_new_subscription() -> None:
    numbers = (5, 7, 0, 3)
    looks = [row(t, counts={"confl_insert_exists": n}) for t, n in enumerate(numbers)]
    counted = conflict_counters.counted_conflicts(recording(*looks))
    assert dict(counted) == {"insert_exists": 5}


def test_none_that_was_counted_is_a_number_too() -> None:
    """Not so where nobody looked."""
    for recorded, counted in ((recording(row(1)), 0.0), (recording(), None)):
        found = conflict_counters.check(recorded, set(), set(), logged=True)
        assert found.numbers.get("counted") == counted
