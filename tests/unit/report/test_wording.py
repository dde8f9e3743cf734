from __future__ import annotations

import pytest

from testbed.checkers.counted import counted
from testbed.report.judgement import Outcome
from testbed.report.wording import SIGNS, moment, number, percent, seconds


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0.0, "0.0 s"), (0.0123, "0.012 s"), (9.13, "9.1 s"), (119.94, "119.9 s"),
     (135.0, "2 min 15 s"), (7261.0, "2 h 1 min")],
)  # fmt: skip
def test_durations_read_well(value: float | None, text: str) -> None:
    assert seconds(value) == text


def test_times_on_the_runs_clock_stay_comparable() -> None:
    assert moment(1234.56) == "1234.6 s"
    assert moment(None) == "-"


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0.0, "0"), (50.0, "50"), (12.3456, "12.346"), (5521.0, "5,521"),
     (1e6, "1,000,000"),
     (-0.5, "-0.5")],
)  # fmt: skip
def test_numbers_have_no_idle_digits(value: float | None, text: str) -> None:
    assert number(value) == text


def test_a_share_is_never_rounded_up_to_all() -> None:
    assert percent(1.0) == "100 %"
    assert percent(0.99999) == "99.9 %"
    assert percent(0.5) == "50 %"
    assert percent(None) == "-"


def test_counts_have_their_noun() -> None:
    assert counted(1, "write") == "1 write"
    assert counted(1200, "write") == "1,200 writes"


def test_outcomes_differ_in_symbol_word_and_colour() -> None:
    for field in ("symbol", "plain", "word", "colour"):
        assert len({getattr(SIGNS[outcome], field) for outcome in Outcome}) == len(Outcome)
    assert all(SIGNS[outcome].plain.isascii() for outcome in Outcome)
