"""Operations as counterexamples show them."""

from __future__ import annotations

import dataclasses

import numpy as np

from testbed.checkers.row_view import row_text, shown_row
from tests.unit.checkers.linearizability.tables import table

HISTORY = table(
    (0, "invoke", "write", 1, "a"),
    (1, "invoke", "read", None, "a"),
    (2, "invoke", "write", 2, "a"),
    (1, "ok", "read", 1, "a"),
    (0, "fail", "write", 1, "a"),
    (1, "invoke", "cas", [1, None]),
    (2, "info", "write", 2, "a"),
)


def test_a_read_shows_what_it_saw_whichever_row_is_given() -> None:
    expected = {
        "line": 2,
        "process": 1,
        "f": "read",
        "key": "a",
        "value": 1,
        "outcome": "ok",
        "start": 2,
        "end": 4,
    }
    assert shown_row(HISTORY, 1) == expected
    assert shown_row(HISTORY, 3) == expected


def test_what_never_completed_is_indeterminate() -> None:
    shown = shown_row(HISTORY, 5)
    assert (shown["outcome"], shown["end"], shown["value"]) == ("info", None, [1, None])
    assert "key" not in shown
    assert shown_row(HISTORY, 2)["end"] is None


def test_times_and_errors_are_shown_where_there_are_any() -> None:
    timed = dataclasses.replace(HISTORY, time_ns=np.arange(7) * 10, errors={4: "no leader"})
    shown = shown_row(timed, 0)
    assert (shown["start_ns"], shown["end_ns"], shown["error"]) == (0, 40, "no leader")


def test_an_operation_in_words() -> None:
    assert row_text(HISTORY, 1) == 'process 1 read of key "a" 1 (lines 2 to 4)'
    assert row_text(HISTORY, 0) == 'process 0 write of key "a" 1 (lines 1 to 5, failed)'
    assert row_text(HISTORY, 5) == ("process 1 cas [1, null] (from line 6 on, outcome unknown)")
