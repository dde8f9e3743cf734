from __future__ import annotations

from typing import Any

import pytest

from testbed.history.fault_window import fault_windows
from testbed.history.history import History
from testbed.history.operation import Operation
from testbed.history.problem import HistoryError


def fault(time: int, **value: Any) -> Operation:
    return Operation(time, "faults", "info", "region-cut", value)


def test_phases_become_one_window_an_injection() -> None:
    title = "region-cut eu-west"
    history = History(
        (
            fault(10, phase="inject", title=title, resolved="eu-west"),
            fault(11, phase="injected", title=title),
            fault(12, phase="effect", title=title, shown=True, observation="7 packets"),
            fault(20, phase="heal", title=title),
            fault(21, phase="healed", title=title),
            fault(22, phase="absence", title=title, shown=False),
            fault(30, phase="inject", title=title, resolved="eu-west"),
        )
    )
    first, second = fault_windows(history)
    assert (first.inject_ns, first.injected_ns, first.effect_ns) == (10, 11, 12)
    assert (first.heal_ns, first.healed_ns, first.absence_ns) == (20, 21, 22)
    assert (first.effect_shown, first.absence_shown, first.bitten_ns) == (True, False, 11)
    assert first.details == {"resolved": "eu-west"}
    assert (second.inject_ns, second.heal_ns, second.bitten_ns) == (30, None, 30)


def test_faults_of_one_title_at_one_time_are_told_apart_by_step() -> None:
    history = History(
        (
            fault(1, phase="inject", title="pause a", step=0),
            fault(2, phase="inject", title="pause a", step=1),
            fault(3, phase="heal", title="pause a", step=0),
        )
    )
    first, second = fault_windows(history)
    assert (first.heal_ns, second.heal_ns) == (3, None)
    assert (first.details["step"], second.details["step"]) == (0, 1)


def test_lines_that_do_not_say_enough_are_all_refused() -> None:
    history = History(
        (
            fault(1, phase="explode", title="a"),
            fault(1, phase="inject"),
            fault(2, phase="heal", title="b"),
            fault(3, phase="inject", title="c"),
            fault(4, phase="effect", title="c"),
            Operation(5, "faults", "info", "pause"),
            fault(6, phase="inject", title="d", step="first"),
        )
    )
    with pytest.raises(HistoryError) as caught:
        fault_windows(history)
    assert caught.value.total == 6
