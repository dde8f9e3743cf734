from __future__ import annotations

import pytest

from testbed.report.judgement import Judgement, Outcome, Promise, Recovery, merge_outcomes
from testbed.report.reading import Problem
from testbed.report.verdict_file import parse_judgement


@pytest.mark.parametrize(
    ("outcomes", "merged"),
    [
        ([], Outcome.UNKNOWN),
        ([Outcome.VALID, Outcome.VALID], Outcome.VALID),
        ([Outcome.VALID, Outcome.UNKNOWN], Outcome.UNKNOWN),
        ([Outcome.UNKNOWN, Outcome.ERROR], Outcome.ERROR),
        ([Outcome.ERROR, Outcome.VIOLATION, Outcome.VALID], Outcome.VIOLATION),
    ],
)
def test_the_worst_outcome_wins(outcomes: list[Outcome], merged: Outcome) -> None:
    assert merge_outcomes(outcomes) is merged


def test_only_valid_exits_with_zero() -> None:
    assert {outcome: outcome.exit_code for outcome in Outcome} == {
        Outcome.VALID: 0,
        Outcome.VIOLATION: 1,
        Outcome.UNKNOWN: 2,
        Outcome.ERROR: 3,
    }


@pytest.mark.parametrize("validity", [None, "pass", "VALID", 1, ["valid"]])
def test_a_validity_that_is_not_known_is_unknown(validity: object) -> None:
    problems: list[Problem] = []
    judged = parse_judgement({"validity": validity}, problems)
    assert judged.outcome is Outcome.UNKNOWN
    assert problems


def test_every_problem_is_named_and_the_rest_is_kept() -> None:
    problems: list[Problem] = []
    judged = parse_judgement(
        {
            "validity": "valid",
            "verdicts": [{"name": "a", "validity": "valid"}, "nonsense"],
            "measures": {"rto": [{"region": "eu-west", "rto_s": "9"}], "availability": {"x": True}},
            "schedule": 3,
        },
        problems,
    )
    assert judged.outcome is Outcome.UNKNOWN
    assert judged.reasons[0].startswith("verdict.json cannot be read whole: verdicts[1]: expected")
    assert [promise.name for promise in judged.promises] == ["a"]
    assert judged.recoveries[0].region == "eu-west"
    assert judged.recoveries[0].rto_s is None
    assert [problem.what for problem in problems] == [
        "verdicts[1]: expected an object, found nonsense",
        "measures.rto[0].rto_s: expected a number, found 9",
        "measures.availability.x: expected a number, found true",
        "schedule: expected a list, found 3",
    ]


def test_a_newer_version_is_shown_with_a_warning() -> None:
    problems: list[Problem] = []
    judged = parse_judgement({"version": 2, "validity": "violation"}, problems)
    assert judged.outcome is Outcome.VIOLATION
    assert "version 2 is newer" in problems[0].what


def test_lost_writes_are_in_order_of_their_acknowledgement() -> None:
    lost = [{"value": 2, "acknowledged_s": 3.0}, {"value": 1, "acknowledged_s": 1.0}]
    judged = parse_judgement({"validity": "violation", "measures": {"rpo": {"lost": lost}}}, [])
    assert judged.loss is not None
    assert [write.value for write in judged.loss.lost] == [1, 2]


def test_a_title_does_for_a_target() -> None:
    schedule = [{"kind": "link-cut", "target": "link-cut a->b"}, {"kind": "kill", "target": "a"}]
    judged = parse_judgement({"validity": "valid", "schedule": schedule}, [])
    assert [fault.title for fault in judged.schedule] == ["link-cut a->b", "kill a"]


@pytest.mark.parametrize(
    ("rto_s", "bound_s", "promised", "expected"),
    [
        (9.0, 20.0, Outcome.VALID, Outcome.VALID),
        (9.0, None, Outcome.VALID, None),
        (None, None, Outcome.VIOLATION, None),
        (21.0, 20.0, Outcome.VIOLATION, Outcome.VIOLATION),
        (None, 20.0, Outcome.VIOLATION, Outcome.VIOLATION),
        # The run was over before the bound was; or the machine was starved.
        (None, 20.0, Outcome.UNKNOWN, Outcome.UNKNOWN),
        (21.0, 20.0, Outcome.UNKNOWN, Outcome.UNKNOWN),
        # Another region's is open; this one was back in time.
        (9.0, 20.0, Outcome.UNKNOWN, Outcome.VALID),
    ],
)
def test_a_time_without_service_is_late_only_where_the_promise_says_so(
    rto_s: float | None, bound_s: float | None, promised: Outcome, expected: Outcome | None
) -> None:
    judged = Judgement(promised, promises=(Promise("rto", "", promised),))
    assert judged.kept(Recovery("eu", "cut", 1.0, None, rto_s, bound_s)) is expected


@pytest.mark.parametrize("worst", [Outcome.UNKNOWN, Outcome.ERROR, Outcome.VIOLATION])
def test_one_that_contradicts_itself_is_as_bad_as_its_worst_promise(worst: Outcome) -> None:
    promises = [{"name": "a", "validity": "valid"}, {"name": "b", "validity": worst.value}]
    problems: list[Problem] = []
    judged = parse_judgement({"validity": "valid", "verdicts": promises}, problems)
    assert judged.outcome is worst
    assert judged.reasons[0].startswith("verdict.json contradicts itself: validity: 'valid', but")
    assert len(problems) == 1


def test_damage_takes_nothing_from_a_broken_promise() -> None:
    judged = parse_judgement({"validity": "violation", "measures": 3}, [])
    assert judged.outcome is Outcome.VIOLATION
