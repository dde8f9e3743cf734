from __future__ import annotations

from dataclasses import replace

import pytest

from testbed.report.judgement import Judgement, Outcome, Promise, Recovery
from testbed.report.recorded import RecordedRun, RoleSample
from testbed.report.story import caveats, headline, moments


def test_a_violation_names_the_promise_and_why(broken: RecordedRun) -> None:
    found = headline(broken)
    assert found.outcome is Outcome.VIOLATION
    assert found.line == "Broken: 1 of 6 promises"
    assert found.sentence.startswith("“No acknowledged write is lost”: ")


def test_a_pass_tells_what_was_survived(valid: RecordedRun) -> None:
    found = headline(valid)
    assert (found.outcome, found.line) == (Outcome.VALID, "All 6 promises held")
    assert "region-cut eu-west (region-of:primary)" in found.sentence
    assert "9.2 s where that was promised (us-east)" in found.sentence


def test_an_inconclusive_run_says_that_it_is_no_pass(unknown: RecordedRun) -> None:
    found = headline(unknown)
    assert (found.outcome, found.line) == (Outcome.UNKNOWN, "Inconclusive: not a pass")
    assert found.sentence == "only 27 writes were tried during the cut; 100 are needed"


def test_a_failed_environment_and_a_missing_verdict(
    failed: RecordedRun, unjudged: RecordedRun
) -> None:
    assert headline(failed).outcome is Outcome.ERROR
    assert "no space left" in headline(failed).sentence
    assert headline(unjudged).outcome is Outcome.UNKNOWN
    assert headline(unjudged).line == "Not judged"


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_has_words_without_any_promise(broken: RecordedRun, outcome: Outcome) -> None:
    found = headline(replace(broken, judgement=Judgement(outcome)))
    assert found.outcome is outcome
    assert found.line
    assert found.sentence


def test_what_happened_is_told_in_order(broken: RecordedRun) -> None:
    found = moments(broken)
    assert [item.time_s for item in found] == sorted(item.time_s for item in found)
    texts = [item.text for item in found]
    assert "eu-central-db1 claims to be primary (timeline 2)" in texts
    assert "eu-central: writes are acknowledged again, after 9.1 s" in texts
    order = ["injected", "shown to bite", "healed", "shown to be gone"]
    faults = [item.text.rsplit(") ")[-1] for item in found if item.kind == "fault"]
    assert faults == order
    assert any(item.kind == "loss" and "eu-west-db1" in item.text for item in found)


def test_a_gap_of_a_moment_is_no_event(broken: RecordedRun) -> None:
    judged = Judgement(
        Outcome.VALID,
        recoveries=(Recovery("a", "f", 10.0, 10.2, 0.2), Recovery("b", "f", 10.0, None, None)),
    )
    run = replace(broken, judgement=judged)
    assert [item.text for item in moments(run) if item.kind == "service"] == [
        "b: writes are no longer acknowledged"
    ]


def test_inconclusive_reasons_come_first(unknown: RecordedRun) -> None:
    found = caveats(unknown)
    assert [item.kind for item in found] == ["inconclusive"] * 3
    assert found[0].text == "only 27 writes were tried during the cut; 100 are needed"
    assert "no final read" in found[1].text
    assert "was not shown to bite: 14 packets still passed" in found[2].text


def test_a_reason_is_not_told_twice(unknown: RecordedRun) -> None:
    assert unknown.judgement is not None
    reasons = ("single-primary: no final read",)
    run = replace(unknown, judgement=replace(unknown.judgement, reasons=reasons))
    assert [item.text for item in caveats(run)[:2]] == [
        "single-primary: no final read",
        "region-cut region-of:primary was not shown to bite: 14 packets still passed",
    ]


def test_a_promise_that_ends_in_a_full_stop_reads_well(broken: RecordedRun) -> None:
    promise = Promise("durability", "Nothing is lost.", Outcome.VIOLATION, "one write is lost")
    run = replace(broken, judgement=Judgement(Outcome.VIOLATION, promises=(promise,)))
    assert headline(run).sentence == "“Nothing is lost”: one write is lost"


def test_a_fault_without_any_evidence_is_a_caveat(unknown: RecordedRun) -> None:
    found = caveats(replace(unknown, evidence=()))
    assert any("no evidence that it took effect" in item.text for item in found)


def test_missing_files_and_a_missing_heal_are_caveats(unjudged: RecordedRun) -> None:
    found = caveats(unjudged)
    assert [item.kind for item in found] == [
        "inconclusive",
        "missing",
        "missing",
        "missing",
        "note",
    ]
    assert "has no recorded heal" in found[-1].text


def test_a_clean_pass_has_no_caveat(valid: RecordedRun) -> None:
    assert caveats(valid) == []


def test_two_claims_to_be_primary_are_a_note_and_no_verdict(valid: RecordedRun) -> None:
    claims = (RoleSample(1.0, "a", "primary", "1", ""), RoleSample(2.0, "b", "primary", "1", ""))
    (note,) = caveats(replace(valid, roles=claims))
    assert note.kind == "note"
    assert "judged from the clients' history alone" in note.text


def test_service_that_never_comes_back_is_said(broken: RecordedRun) -> None:
    judged = Judgement(
        Outcome.VALID,
        promises=(Promise("p", "p", Outcome.VALID),),
        recoveries=(Recovery("us-east", "f", 10.0, None, None),),
        schedule=broken.schedule,
    )
    found = headline(replace(broken, judgement=judged))
    assert "did not come back in us-east" in found.sentence
