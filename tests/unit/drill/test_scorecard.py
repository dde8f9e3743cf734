"""Times are measured against what was injected: what came too early was wrong."""

from __future__ import annotations

from testbed.drill.book import Entry
from testbed.drill.scorecard import Time, false_alarms, times
from testbed.history.fault_window import FaultWindow

S = 1_000_000_000
CUT = FaultWindow(
    "region-cut", "region-cut region-of:primary", 10 * S, heal_ns=30 * S,
    details={"resolved": "eu-west"},
)  # fmt: skip


def declared(at_s: float, what: str, text: str = "") -> Entry:
    return Entry(int(at_s * S), "declare", "ann", what, text)


def named(found: tuple[Time, ...], name: str) -> Time:
    return next(one for one in found if one.name == name)


def test_times_count_from_the_first_inject() -> None:
    book = [
        declared(14, "detected"),
        declared(18, "cause", "eu-west is gone"),
        declared(25, "mitigated"),
        Entry(40 * S, "healed", "testbed", "healthy", good=True),
        Entry(12 * S, "machine", "testbed", "unsteady", "success"),
    ]
    found = times(book, [CUT], 21 * S)
    assert [(one.name, one.seconds) for one in found] == [
        ("machine", 2.0), ("detect", 4.0), ("diagnose", 8.0), ("mitigate", 15.0), ("recover", 30.0),
    ]  # fmt: skip
    assert named(found, "detect").good
    assert named(found, "mitigate").good
    assert named(found, "diagnose").truth == "region-cut eu-west"
    assert named(found, "diagnose").good is None


def test_mitigated_before_clients_were_served_is_wrong_until_said_again() -> None:
    early = times([declared(15, "mitigated")], [CUT], 21 * S)
    assert named(early, "mitigate").good is False
    again = times([declared(15, "mitigated"), declared(22, "mitigated")], [CUT], 21 * S)
    assert (named(again, "mitigate").good, named(again, "mitigate").seconds) == (True, 12.0)


def test_detected_before_anything_was_injected_is_a_false_alarm() -> None:
    book = [declared(5, "detected")]
    assert false_alarms(book, [CUT]) == (book[0],)
    assert named(times(book, [CUT], None), "detect").good is False
    assert not false_alarms([declared(14, "detected")], [CUT])


def test_what_nobody_had_to_mitigate_is_neither_right_nor_wrong() -> None:
    found = times([declared(15, "mitigated")], [CUT], 10 * S)
    assert named(found, "mitigate").good is None
    assert "no client waited" in named(found, "mitigate").truth


def test_mitigated_where_a_region_was_never_served_again_is_wrong() -> None:
    assert named(times([declared(55, "mitigated")], [CUT], None), "mitigate").good is False


def test_nobody_said_anything() -> None:
    found = times([], [CUT], None)
    assert all(one.seconds is None for one in found)
    assert times([], [], None) == ()
