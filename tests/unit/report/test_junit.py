from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import xmlschema

from testbed.report.judgement import Judgement, Outcome
from testbed.report.junit import RUN_CASE, render_junit
from testbed.report.recorded import RecordedRun
from testbed.report.suite import Suite

SHAPE = xmlschema.XMLSchema(Path(__file__).with_name("junit.xsd"))
RUNS = ["broken", "valid", "unknown", "failed", "unjudged"]


def rendered(*runs: RecordedRun, problem: str = "") -> ET.Element:
    text = render_junit(Suite("failover", runs, 12.5, problem))
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n')
    SHAPE.validate(text)
    return ET.fromstring(text)


def outcomes(root: ET.Element) -> dict[str, str]:
    """By test case: ``passed``, or the tag and type of what it has inside."""
    found = {}
    for case in root.iter("testcase"):
        inside = [f"{child.tag} {child.get('type')}" for child in case]
        found[case.get("name", "")] = inside[0] if inside else "passed"
    return found


@pytest.mark.parametrize("name", RUNS)
def test_every_kind_of_run_fits_the_common_shape(name: str, request: pytest.FixtureRequest) -> None:
    rendered(request.getfixturevalue(name))


def test_a_pass_is_a_case_for_each_promise(valid: RecordedRun) -> None:
    found = outcomes(rendered(valid))
    assert len(found) == 7
    assert set(found.values()) == {"passed"}


def test_a_violation_is_a_failure_with_its_counterexample(broken: RecordedRun) -> None:
    root = rendered(broken)
    found = outcomes(root)
    assert found.pop("durability") == "failure violation"
    assert set(found.values()) == {"passed"}
    (failure,) = root.iter("failure")
    assert failure.get("message") == "184 acknowledged adds are in no final read"
    assert failure.text is not None
    assert "eu-west  add 476 -> ok  by eu-west-db1  missing_at" in failure.text


def test_inconclusive_is_an_error_and_makes_nothing_green(unknown: RecordedRun) -> None:
    root = rendered(unknown)
    assert set(outcomes(root).values()) == {"error inconclusive"}
    assert not list(root.iter("skipped"))
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("7", "0", "7")


def test_a_single_unknown_promise_leaves_the_others_as_they_are(unknown: RecordedRun) -> None:
    assert unknown.judgement is not None
    found = outcomes(rendered(replace(unknown, judgement=replace(unknown.judgement, reasons=()))))
    assert found[RUN_CASE] == found["single-primary"] == "error inconclusive"
    assert found["durability"] == "passed"


def test_a_failed_environment_and_a_missing_verdict_are_errors(
    failed: RecordedRun, unjudged: RecordedRun
) -> None:
    assert outcomes(rendered(failed)) == {RUN_CASE: "error environment"}
    assert outcomes(rendered(unjudged)) == {RUN_CASE: "error inconclusive"}


def test_no_outcome_but_valid_is_ever_green(broken: RecordedRun) -> None:
    for outcome in Outcome:
        root = rendered(replace(broken, judgement=Judgement(outcome)))
        green = set(outcomes(root).values()) == {"passed"}
        assert green is (outcome is Outcome.VALID)


def test_an_empty_suite_and_one_that_failed_are_not_green() -> None:
    assert outcomes(rendered()) == {"the suite ran": "error inconclusive"}
    assert outcomes(rendered(problem="no nft")) == {"the suite ran": "error environment"}


def test_counts_add_up(broken: RecordedRun, valid: RecordedRun, failed: RecordedRun) -> None:
    root = rendered(broken, valid, failed, problem="Ctrl-C after 3 of 10 examples")
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("16", "1", "2")
    for element in root.iter("testsuite"):
        assert element.get("tests") == str(len(list(element.iter("testcase"))))
        assert element.get("errors") == str(len(list(element.iter("error"))))


def test_it_says_how_to_replay_and_with_what(broken: RecordedRun) -> None:
    root = rendered(broken)
    values = {each.get("name"): each.get("value") for each in root.iter("property")}
    assert values["seed"] == "20240817"
    assert values["version.postgres"] == "18.6"
    assert values["variable.replication"] == "asynchronous"
    (out,) = root.iter("system-out")
    assert out.text is not None
    assert f"testbed replay {broken.folder}" in out.text


@pytest.mark.parametrize(
    ("started", "stamp"),
    [
        ("2025-03-01T12:00:00Z", "2025-03-01T12:00:00"),
        ("2025-03-01T12:00:00.5+02:00", "2025-03-01T10:00:00"),
        ("yesterday", None),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_the_time_stamp_is_what_servers_read(
    broken: RecordedRun, started: str, stamp: str | None
) -> None:
    assert broken.judgement is not None
    run = replace(broken, judgement=replace(broken.judgement, started=started))
    (element,) = rendered(run).iter("testsuite")
    assert element.get("timestamp") == stamp
