"""Numbers of any length as figures."""

from __future__ import annotations

import sys

import pytest

from testbed.checkers.collections.figure import figure

GREATEST = sys.float_info.max


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, 0.0), (-3, -3.0), (10**300, 1e300), (10**400, GREATEST), (-(10**400), -GREATEST)],
)
def test_what_no_float_holds_is_the_nearest_one(number: int, expected: float) -> None:
    assert figure(number) == expected
