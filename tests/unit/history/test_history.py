from __future__ import annotations

import pytest

from testbed.history.history import History
from testbed.history.operation import Operation
from testbed.history.problem import HistoryError

HISTORY = History(
    (
        Operation(1, 0, "invoke", "add", 7, region="eu-west"),
        Operation(2, "faults", "info", "pause", {"phase": "inject", "title": "pause"}),
        Operation(3, 1, "invoke", "count", region="us-east", due=2),
        Operation(4, 0, "ok", "add", node="a"),
        Operation(5, 0, "invoke", "add", 8),
    )
)


def test_invocations_stand_beside_their_completions() -> None:
    added, counted, open_ = HISTORY.pairs()
    assert (added.outcome, added.start_ns, added.due_ns, added.end_ns) == ("ok", 1, 1, 4)
    assert (added.value, added.region, added.node) == (7, "eu-west", "a")
    assert (counted.outcome, counted.due_ns, counted.end_ns, counted.node) == (
        "info",
        2,
        None,
        None,
    )
    assert (open_.f, open_.outcome) == ("add", "info")


def test_faults_are_split_off() -> None:
    assert [line.f for line in HISTORY.faults] == ["pause"]


def test_pairs_by_function_and_outcome() -> None:
    assert [pair.value for pair in HISTORY.of({"add"})] == [7, 8]
    assert [pair.value for pair in HISTORY.of({"add"}, "ok")] == [7]
    assert HISTORY.of({"read"}) == ()


def test_what_cannot_be_paired_is_refused_when_asked_for() -> None:
    with pytest.raises(HistoryError, match="completes nothing"):
        History((Operation(1, 0, "ok", "add"),)).pairs()
