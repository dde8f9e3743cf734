"""Service where one row may be locked by a transaction whose rest was cut off."""

from __future__ import annotations

import pytest

from testbed.checkers.expectation import Expectation
from testbed.checkers.service import check
from testbed.checkers.verdict import Validity, Verdict
from tests.histories import MS, S, Scribe

LOCKED = (2 * S, 6 * S)


def judged(unserved: set[int], *spans: tuple[int, int], until_s: float = 5.0) -> Verdict:
    """Ten seconds of writes to four rows in turn, of which some are not answered for a while."""
    scribe = Scribe()
    for step in range(200):
        at, key = step * 50 * MS, step % 4
        lost = key in unserved and 2 * S <= at < until_s * S
        scribe.call(
            "write", at, at + MS, "info" if lost else "ok", key=key, value=step, region="west"
        )
    to_ns = int(max(7.0, until_s) * S)
    expected = Expectation("west", "the first fault", 2 * S, to_ns, 0.0, locked_ns=spans)
    return check(scribe.history(), [expected], {"write"})


def test_one_row_that_is_locked_is_left_out_and_said_to_be() -> None:
    assert judged({3}).validity is Validity.VIOLATION
    found = judged({3}, LOCKED)
    assert found.validity is Validity.VALID
    assert found.numbers["writes_locked"] == 15
    assert found.reason.startswith("85 of 85 writes")
    assert "15 of rows that a cut stream had locked" in found.reason


@pytest.mark.parametrize(
    ("unserved", "spans", "until_s"),
    [
        # Two rows and one stream, or all of them and every stream.
        ({2, 3}, [LOCKED], 5.0),
        ({0, 1, 2, 3}, [LOCKED, LOCKED], 5.0),
        # Longer than a stream can hold it.
        ({3}, [LOCKED], 10.0),
        ({3}, [(0, S)], 5.0),
    ],
)
def test_nothing_else_is_left_out(
    unserved: set[int], spans: list[tuple[int, int]], until_s: float
) -> None:
    assert judged(unserved, *spans, until_s=until_s).validity is Validity.VIOLATION


def test_each_stream_may_lock_a_row_of_its_own() -> None:
    found = judged({2, 3}, LOCKED, LOCKED)
    assert found.validity is Validity.VALID
    assert found.numbers["writes_locked"] == 30


def test_a_served_row_is_never_left_out() -> None:
    found = judged(set(), LOCKED)
    assert found.numbers["writes_locked"] == 0
    assert found.reason.startswith("100 of 100 writes")
    assert "left out" not in found.reason
