"""The auditor's report: everything is said, in JSON and in HTML that is well-formed."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from testbed.checkers import placement
from testbed.checkers.residency_causes import CAUSES
from testbed.history.erasure_record import ErasureRecord, write_erasure
from testbed.history.policy_change import PolicyChange
from testbed.history.residency import Erasure, Found
from testbed.history.residency_record import RecordError, write_record
from testbed.report.audit import SCOPE, audit_of
from testbed.report.audit_file import render_audit, write_audit
from testbed.report.folder import read_run
from testbed.report.recorded import RecordedRun
from tests.unit.checkers.test_placement import ABROAD, HOME, OUT, PERSON, WRITTEN, at, record, wire

LEAKED = (
    wire(PERSON, OUT, "PostgreSQL logical replication, insert"),
    at(PERSON, ABROAD, "table or index file", "/srv/<script>&"),
)


def run_of(folder: Path, *, record_it: bool = True, clean: bool = False) -> RecordedRun:
    (folder / "plan.json").write_text(
        json.dumps({"deployment": "data-placement", "load": {"workload": "personal_data"},
                    "schedule": [], "variables": {"placement_mutant": "none"}})
    )  # fmt: skip
    made = record() if clean else record(*LEAKED)
    verdict = placement.check(made, WRITTEN)
    judged = {**asdict(verdict), "validity": verdict.validity.name.lower()}
    (folder / "verdict.json").write_text(
        json.dumps({"version": 1, "validity": judged["validity"], "verdicts": [judged]})
    )
    if record_it:
        write_record(made, folder / "residency.json")
    return read_run(folder, operations=False)


def test_an_auditor_finds_everything(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    document = audit_of(run)
    assert document is not None
    assert document["findings"]["total"] == 2
    first = document["findings"]["listed"][0]
    assert first["subject"] == "s1"
    assert first["where"]["link"] == OUT
    assert document["causes"] == [
        {"cause": "row filter", "what": CAUSES["row filter"], "leaks": 2,
         "classes": ["customers_eu"], "places": [OUT, ABROAD]}
    ]  # fmt: skip
    assert {one["place"] for one in document["searched"]} >= {ABROAD, OUT}
    assert all(control["shown"] for control in document["controls"])
    assert document["reproduce"] == ["testbed", "replay", str(tmp_path)]
    assert document["topology"]["variables"] == {"placement_mutant": "none"}
    assert document["findings"]["deliberate"]
    assert document["not_covered"] == list(SCOPE)


def test_the_files_are_written(tmp_path: Path) -> None:
    html, document = sorted(write_audit(run_of(tmp_path)))
    assert json.loads(document.read_text())["format"] == "testbed.audit"
    text = html.read_text()
    ET.fromstring(text.removeprefix("<!DOCTYPE html>"))
    assert PERSON.token in text
    assert "<script>" not in text
    assert "row filter lets pinned rows through" in text


def test_a_clean_report_says_what_was_searched(tmp_path: Path) -> None:
    document = audit_of(run_of(tmp_path, clean=True))
    assert document is not None
    text = render_audit(document)
    assert "How it came abroad" not in text
    assert "What was searched" in text
    assert "Controls" in text
    assert document["totals"]["files"] == 6
    assert document["totals"]["packets"] == 4


def test_runs_of_other_kinds_have_none(tmp_path: Path) -> None:
    assert write_audit(run_of(tmp_path, record_it=False)) == ()


def test_a_damaged_record_is_said(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    (tmp_path / "residency.json").write_text("{")
    with pytest.raises(RecordError):
        write_audit(run)


def test_what_is_left_of_an_erased_subject_is_said_with_its_end(tmp_path: Path) -> None:
    run = run_of(tmp_path, clean=True)
    left = at(PERSON, HOME, "dump", "/srv/backup/eu.dump")
    unsaid = at(PERSON, ABROAD, "log file", "/srv/log/postgres.log")
    erased = ErasureRecord(
        erasure=Erasure("s1", 5, {"/srv/backup": "the second dump from then"}),
        method="complete",
        canaries=(PERSON,),
        before=Found((left, unsaid)),
        after=Found((left, unsaid)),
        nodes=(HOME, ABROAD),
    )
    write_erasure(erased, tmp_path / "erasure.json")
    document = audit_of(run)
    assert document is not None
    said = document["erasure"]
    assert (said["subject"], said["found_before"], said["found_after"]) == ("s1", 2, 2)
    assert [one["until"] for one in said["left"]] == ["the second dump from then", None]
    text = render_audit(document)
    ET.fromstring(text.removeprefix("<!DOCTYPE html>"))
    assert "the second dump from then" in text
    assert "nobody said" in text


def test_versions_that_were_in_force_for_a_while_are_said(tmp_path: Path) -> None:
    run = run_of(tmp_path, clean=True)
    change = PolicyChange(
        "pin_rows", 10**9, 2 * 10**9, 3 * 10**9, None,
        {"companies": {"EU": None, "US": ("US",)}, "customers_eu": {"EU": ("EU",)}},
    )  # fmt: skip
    never = replace(change, name="pin_table", in_force_ns=None, lifting_ns=None)
    write_record(replace(record(), changes=(change, never)), tmp_path / "residency.json")
    document = audit_of(run)
    assert document is not None
    assert document["policy_changes"][0] == {
        "change": "pin_rows", "begun_s": 1.0, "in_force_s": 2.0, "lifting_s": 3.0,
        "lifted_s": None,
        "may_be": [{"data_class": "companies", "of": "US", "allowed": ["US"]}],
    }  # fmt: skip
    text = render_audit(document)
    ET.fromstring(text.removeprefix("<!DOCTYPE html>"))
    assert "companies of US may be in US" in text
    assert "never seen in force everywhere" in text
