"""A stream that fails again and again is found, and a slot that keeps too much."""

from __future__ import annotations

import json
from typing import Any

import pytest

from testbed.checkers import stuck_streams
from testbed.checkers.verdict import Validity, Verdict
from tests.unit.checkers.mesh_looks import MIB, recording, row

SETTLED_NS = int(10e9)


def judged(*rows: dict[str, Any]) -> Verdict:
    return stuck_streams.check(recording(*rows), SETTLED_NS, until_checkpoint_bytes=2 * MIB)


def test_streams_that_run_and_slots_that_are_read_are_valid() -> None:
    verdict = judged(row(1), row(11), row(12, counts={"apply_error_count": 3}))
    assert verdict.validity is Validity.VALID
    assert verdict.numbers["kept_bytes_max"] == MIB


def test_what_failed_while_links_were_cut_is_no_loop() -> None:
    failing = {"running": False, "received": None}
    looks = [row(t, stream=failing, counts={"apply_error_count": 10 * t}) for t in range(1, 9)]
    assert judged(*looks, row(11, counts={"apply_error_count": 90})).validity is Validity.VALID


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (
            row(13, counts={"apply_error_count": 30, "confl_insert_exists": 30}),
            "from_east of west-db1 failed 30 times in the last 2.0 s (insert_exists 30 times)",
        ),
        (row(13, slot={"active": False, "wal_status": "lost"}), "in the end, and it is lost"),
        (row(13, slot={"kept_bytes": 7 * MIB}), "kept 7.0 MiB, bound 4.0 MiB"),
    ],
)
def test_what_is_stuck_is_a_violation(last: dict[str, Any], said: str) -> None:
    verdict = judged(row(1), row(11), last)
    assert verdict.validity is Validity.VIOLATION
    assert said in verdict.reason
    assert verdict.counterexample
    # A verdict is kept as JSON, which has no infinity.
    json.dumps(verdict.counterexample, allow_nan=False)


DOWN = [
    ({"stream": {"received": None}}, "from_east of west-db1 has not run for the last"),
    ({"stream": {"running": False}}, "from_east of west-db1 has not run for the last"),
    ({"slot": {"active": False}}, "nobody reads the slot east_from_west of west-db1 in the end"),
]


@pytest.mark.parametrize(("down", "said"), DOWN)
def test_what_is_down_is_stuck_once_it_has_been_for_long_enough(
    down: dict[str, Any], said: str
) -> None:
    looks = [row(11 + tenths / 10, **down) for tenths in range(0, 46, 5)]
    verdict = judged(row(1), *looks)
    assert verdict.validity is Validity.VIOLATION
    assert f"{said}" in verdict.reason
    assert "4.5 s" in verdict.reason

    opened_again = judged(row(1), *looks[:4], row(12.8), *looks[4:])
    assert opened_again.validity is Validity.UNKNOWN
    assert "2.5 s, which is too short to be stuck" in opened_again.reason
    assert judged(row(1), *looks, row(16)).validity is Validity.VALID


@pytest.mark.parametrize(("down", "said"), DOWN)
def test_what_was_down_while_the_mesh_was_disturbed_does_not_count(
    down: dict[str, Any], said: str
) -> None:
    looks = [row(t, **down) for t in (1, 3, 6, 9, 10.1, 10.6)]
    assert judged(*looks).validity is Validity.UNKNOWN
    assert judged(*looks, row(11)).validity is Validity.VALID


def test_what_is_surely_stuck_hides_behind_nothing() -> None:
    failing = row(13, slot={"active": False}, counts={"apply_error_count": 30})
    assert judged(row(1), row(11), failing).validity is Validity.VIOLATION


def test_a_slot_that_kept_too_much_before_is_found_though_it_does_no_more() -> None:
    verdict = judged(row(1), row(5, slot={"kept_bytes": 50 * MIB}), row(11))
    assert verdict.validity is Validity.VIOLATION


def test_a_slot_that_was_lost_and_is_there_again_is_valid() -> None:
    lost = {"active": False, "wal_status": "lost", "kept_bytes": 50 * MIB}
    verdict = judged(row(1), row(5, slot=lost), row(11, seeded=[{}]))
    assert verdict.validity is Validity.VALID
    assert verdict.numbers["seeded_again"] == 1


def test_failures_of_a_stream_that_was_made_anew_count_from_zero_again() -> None:
    counted = [row(11 + n, counts={"apply_error_count": errors}) for n, errors in enumerate((9, 0))]
    assert judged(row(1), *counted).validity is Validity.VALID
    more = row(14, counts={"apply_error_count": 4})
    assert "failed 4 times" in judged(row(1), *counted, more).reason


def test_failures_and_conflicts_of_before_are_no_loop() -> None:
    counted = {"apply_error_count": 30, "confl_insert_exists": 30}
    looks = [row(time_s, counts=counted) for time_s in (1, 11, 12, 13)]
    assert judged(*looks).validity is Validity.VALID
    more = row(14, counts={"apply_error_count": 35, "confl_insert_exists": 34})
    assert "failed 5 times in the last 3.0 s (insert_exists 4 times)" in judged(*looks, more).reason


@pytest.mark.parametrize("down", [down for down, _ in DOWN])
def test_what_is_down_in_the_last_look_alone_may_be_opened_again(down: dict[str, Any]) -> None:
    verdict = judged(row(1), row(11), row(16, **down))
    assert verdict.validity is Validity.UNKNOWN
    assert "for the last 0.0 s, which is too short" in verdict.reason


@pytest.mark.parametrize("down", [down for down, _ in DOWN])
def test_down_for_just_as_long_as_it_may_be_is_not_stuck(down: dict[str, Any]) -> None:
    looks = [row(1), row(11, **down), row(15, **down)]
    assert judged(*looks).validity is Validity.UNKNOWN
    assert judged(*looks, row(15.1, **down)).validity is Validity.VIOLATION


def test_a_look_at_the_moment_from_which_nothing_is_disturbed_counts() -> None:
    assert judged(row(1), row(10)).validity is Validity.VALID


@pytest.mark.parametrize(("kept_mib", "valid"), [(3, True), (5, True), (6, True), (7, False)])
def test_a_slot_may_keep_its_bound_and_what_is_written_until_a_checkpoint(
    kept_mib: int, *, valid: bool
) -> None:
    verdict = judged(row(1), row(11, slot={"kept_bytes": kept_mib * MIB}), row(12))
    assert (verdict.validity is Validity.VALID) is valid
    assert verdict.numbers["kept_bytes_max"] == kept_mib * MIB


def test_a_slot_that_was_lost_before_the_first_look_is_found() -> None:
    lost = {"active": False, "wal_status": "lost", "kept_bytes": None}
    verdict = judged(row(1, slot=lost), row(11, slot=lost))
    assert verdict.validity is Validity.VIOLATION
    assert verdict.numbers["kept_bytes_max"] == 0
    assert "more" not in verdict.reason
    failed = judged(row(11, slot=lost), row(12, slot=lost, counts={"apply_error_count": 9}))
    assert failed.reason.endswith(", and 1 more")


def test_without_looks_at_the_end_nothing_can_be_said() -> None:
    assert judged(row(1)).validity is Validity.UNKNOWN
    assert judged().validity is Validity.UNKNOWN
    assert judged(row(11, standby=True)).validity is Validity.UNKNOWN
