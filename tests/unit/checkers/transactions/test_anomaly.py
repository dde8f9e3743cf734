import pytest

from testbed.checkers.request import RequestError
from testbed.checkers.transactions.anomaly import (
    ALL,
    canonical_anomalies,
    implied_by,
    implying,
    meaning_of,
    split_form,
)


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("G0,G1a", ("G0", "G1a")),
        (" g-single , :G2-item", ("G-single", "G2-item")),
        ("lost_update", ("lost-update",)),
        ("G1,G1", ("G1",)),
        ("g-single-realtime,read skew-process", ("G-single-realtime", "G-single-process")),
        ("g-0,G1-A,GSIb,a5b", ("G0", "G1a", "G-SIb", "write-skew")),
        ("g2item-realtime", ("G2-item-realtime",)),
        ("internal,future-read,G-nonadjacent", ("internal", "future-read", "G-nonadjacent")),
    ],
)
def test_names_are_taken_as_people_write_them(given, names):
    assert canonical_anomalies(given) == names


def test_every_name_that_is_unknown_is_told_with_the_nearest_known():
    with pytest.raises(RequestError) as refused:
        canonical_anomalies("lost-updat, G9, G0")
    assert len(refused.value.problems) == 2
    assert "lost-update" in refused.value.problems[0]
    assert "'G9'" in refused.value.problems[1]


def test_an_empty_list_is_refused():
    with pytest.raises(RequestError, match="no anomaly is named"):
        canonical_anomalies(" , ")


@pytest.mark.parametrize(
    ("anomaly", "also"),
    [
        ("G0", "G1c"),
        ("G0", "G1"),
        ("G1b", "G1"),
        ("G-single", "G-nonadjacent"),
        ("G-single", "G2-item"),
        ("G2-item", "G2"),
        ("lost-update", "G2-item"),
        ("dirty-update", "G1a"),
        ("incompatible-order", "G1a"),
        ("future-read", "G1c"),
        ("G0", "G0-process"),
        ("G0-process", "G1c-realtime"),
        ("G2", "G2-realtime"),
    ],
)
def test_what_is_a_case_of_what(anomaly, also):
    assert also in implied_by([anomaly])
    assert anomaly in implying([also])


@pytest.mark.parametrize(
    ("anomaly", "other"),
    [("G1c", "G0"), ("G2-item", "G-single"), ("G0-realtime", "G0"), ("G0", "G-single")],
)
def test_what_is_no_case_of_what(anomaly, other):
    assert other not in implied_by([anomaly])


def test_asking_for_g1_asks_for_its_three_parts():
    assert {"G1a", "G1b", "G1c", "G0", "dirty-update"} <= implying(["G1"])


def test_each_anomaly_has_three_forms_and_a_meaning():
    assert len(ALL) % 3 == 0
    for name in ALL:
        base, form = split_form(name)
        assert base + form == name
        assert meaning_of(name)
