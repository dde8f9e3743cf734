import pytest

from testbed.checkers.request import RequestError
from testbed.checkers.transactions import level
from testbed.checkers.transactions.anomaly import FORMS, absent, known_anomalies, squashed
from testbed.checkers.transactions.level import (
    base_of,
    canonical_levels,
    included_in,
    needs_time,
    place,
    proscribed_by,
    violated_by,
)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("SI", "snapshot-isolation"),
        ("PSI", "parallel-snapshot-isolation"),
        ("PL-1", "read-uncommitted"),
        ("PL-2", "read-committed"),
        ("pl-2.99", "repeatable-read"),
        ("PL-2+", "consistent-view"),
        ("PL-3", "serializable"),
        ("PL-SS", "strict-serializable"),
        ("serialisable", "serializable"),
        ("strong-serializable", "strict-serializable"),
        ("strict serializable", "strict-serializable"),
        ("strong-session-serialisable", "strong-session-serializable"),
        ("strong-session-PL-2", "strong-session-read-committed"),
        ("strict-SI", "strong-snapshot-isolation"),
        ("strong-PL-1", "strong-read-uncommitted"),
        ("cut isolation", "item-cut-isolation"),
        ("causal+", "causal"),
        ("strong-session-causal+", "causal"),
        ("strict-causal+", "strong-causal-cerone"),
        ("PL3", "serializable"),
        ("pl2.99", "repeatable-read"),
        (":strong-session-PL1", "strong-session-read-uncommitted"),
        ("SnapshotIsolation", "snapshot-isolation"),
        ("strong-session-1SR", "strong-session-serializable"),
        ("MAV", "monotonic-atomic-view"),
        ("update-serializable", "update-serializable"),
    ],
)
def test_aliases(given, name):
    assert canonical_levels(given) == (name,)


def test_a_list_keeps_its_order_and_names_each_once():
    assert canonical_levels("serializable,SI,PL-3") == ("serializable", "snapshot-isolation")


def test_all_unknown_names_are_told():
    with pytest.raises(RequestError) as refused:
        canonical_levels("serialzable,linear")
    assert len(refused.value.problems) == 2
    assert "serializable" in refused.value.problems[0]


def test_no_two_names_are_the_same_to_people():
    for known in (level._known(), known_anomalies()):
        meant: dict[str, str] = {}
        for name, canonical in known.items():
            assert meant.setdefault(squashed(name), canonical) == canonical


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("G1", "it is an anomaly, ask for it as anomalies:G1"),
        ("SI,anomalies:G1", "levels and anomalies cannot be asked for together"),
        ("xyz", "expected read-uncommitted, read-committed,"),
    ],
)
def test_what_is_no_level_is_refused_with_what_to_ask_for(given, hint):
    with pytest.raises(RequestError) as refused:
        canonical_levels(given)
    assert hint in str(refused.value)


@pytest.mark.parametrize(
    ("strong", "weak"),
    [
        ("strict-serializable", "serializable"),
        ("strict-serializable", "strong-snapshot-isolation"),
        ("strict-serializable", "causal"),
        ("strong-session-serializable", "strong-session-snapshot-isolation"),
        ("serializable", "snapshot-isolation"),
        ("serializable", "repeatable-read"),
        ("snapshot-isolation", "parallel-snapshot-isolation"),
        ("snapshot-isolation", "prefix"),
        ("parallel-snapshot-isolation", "read-atomic"),
        ("causal", "strong-session-read-atomic"),
        ("strong-read-committed", "strong-read-uncommitted"),
        ("repeatable-read", "cursor-stability"),
        ("read-atomic", "item-cut-isolation"),
    ],
)
def test_what_includes_what(strong, weak):
    assert weak in included_in(strong)
    assert strong not in included_in(weak)
    assert proscribed_by([weak]) <= proscribed_by([strong])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("snapshot-isolation", "repeatable-read"),
        ("serializable", "causal"),
        ("prefix", "parallel-snapshot-isolation"),
        ("strong-read-committed", "serializable"),
    ],
)
def test_what_cannot_be_compared(one, other):
    assert one not in included_in(other)
    assert other not in included_in(one)


@pytest.mark.parametrize(
    ("anomalies", "violated", "allowed"),
    [
        ([], (), ("strict-serializable",)),
        (
            ["G2-item"],
            ("repeatable-read",),
            ("strong-snapshot-isolation", "strong-update-serializable"),
        ),
        (["G0-realtime"], ("strong-read-uncommitted",), ("strong-session-serializable",)),
        (
            ["G1a"],
            ("read-committed",),
            ("strong-read-uncommitted", "item-cut-isolation"),
        ),
        (["G0"], ("read-uncommitted",), ("item-cut-isolation",)),
        (
            ["lost-update"],
            ("cursor-stability", "update-atomic"),
            ("strong-monotonic-snapshot-read", "strong-prefix"),
        ),
    ],
)
def test_weakest_violated_and_strongest_allowed(anomalies, violated, allowed):
    levels = place(anomalies, absent(anomalies))
    assert levels.violated == violated
    assert levels.allowed == allowed


def test_without_times_nothing_is_allowed_that_needs_them():
    assert place([], absent([], timed=False)).allowed == ("strong-session-serializable",)


def test_what_was_not_decided_is_neither_violated_nor_allowed():
    given_up = [name + form for name in ("G-single", "G-update") for form in FORMS]
    levels = place(["G-nonadjacent"], absent(["G-nonadjacent"], given_up))
    assert "snapshot-isolation" in levels.violated
    assert not any("parallel" in name or "consistent-view" in name for name in levels.allowed)


def test_no_level_is_violated_by_nothing_and_each_by_what_it_rules_out():
    assert violated_by(()) == frozenset()
    for name in level.ALL:
        for anomaly in proscribed_by([name]):
            assert name in violated_by([anomaly])


def test_forms():
    assert base_of("strict-serializable") == ("serializable", "strong-")
    assert base_of("causal") == ("causal-cerone", "strong-session-")
    assert base_of("strong-session-prefix") == ("prefix", "strong-session-")
    assert base_of("read-committed") == ("read-committed", "")
    assert needs_time("strict-serializable")
    assert not needs_time("strong-session-serializable")
