"""Parameters: every problem at once, with the unit and the nearest known name."""

from __future__ import annotations

import pytest

from faults.parameter import Parameter, complaints, nearest, values

SCHEMA = (
    Parameter("added_ms", "Delay.", "ms", 1, 100),
    Parameter("rate_kbytes_s", "Rate.", "kbytes/s", 0, 10, (), 5),
    Parameter("direction", "Way.", choices=("one-way", "both"), default="one-way"),
    Parameter("candidate", "Node.", default=None),
)


def test_good_parameters_have_no_complaints_and_get_their_defaults() -> None:
    assert complaints(SCHEMA, {"added_ms": 50}) == []
    assert values(SCHEMA, {"added_ms": 50.0}) == {
        "added_ms": 50,
        "rate_kbytes_s": 5,
        "direction": "one-way",
        "candidate": None,
    }


def test_all_problems_are_listed_at_once() -> None:
    found = complaints(SCHEMA, {"rate_kbytes_s": -1, "direction": "sideways", "colour": "red"})
    assert len(found) == 4
    assert any("'colour'" in line for line in found)
    assert any("'added_ms' (milliseconds) is missing" in line for line in found)
    assert any("from 0 to 10, not -1" in line for line in found)
    assert any("one of one-way, both, not 'sideways'" in line for line in found)


def test_a_wrong_unit_names_the_right_one() -> None:
    (unknown, _) = complaints(SCHEMA, {"added_seconds": 1})
    assert "did you mean 'added_ms'?" in unknown


@pytest.mark.parametrize(
    "value", ["50ms", "50", None, True, 0, 101, 1.5, float("nan"), float("inf"), [1], {}]
)
def test_what_is_no_whole_number_within_limits_is_refused(value: object) -> None:
    assert complaints(SCHEMA, {"added_ms": value})


@pytest.mark.parametrize("value", ["", 3, None, ["both"]])
def test_a_choice_must_be_one_of_its_words(value: object) -> None:
    assert complaints(SCHEMA, {"added_ms": 1, "direction": value})


def test_a_name_may_be_none_only_where_that_is_the_default() -> None:
    assert complaints(SCHEMA, {"added_ms": 1, "candidate": None}) == []
    assert complaints(SCHEMA, {"added_ms": 1, "candidate": 7})


def test_nearest_says_nothing_when_nothing_is_near() -> None:
    assert nearest("region_cut", ["region-cut", "link-cut"]) == " (did you mean 'region-cut'?)"
    assert nearest("zzz", ["region-cut"]) == ""
