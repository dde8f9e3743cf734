"""What a run of data placement is judged by, from its folder alone."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from experiments.placement_promises import erased, placed
from experiments.setting import setting_of
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.erasure_record import ErasureRecord, write_erasure
from testbed.history.residency import Erasure, Finding, Found
from testbed.history.residency_record import PUBLISHED, Deed, ResidencyRecord, write_record
from testbed.runner.plan import Load, Plan, Step
from testbed.runner.recorded import RecordedRun
from testbed.topology.inventory import find, load
from tests.histories import MS, S, Scribe
from tests.unit.checkers.test_placement import ABROAD, HOME, PERSON, WRITTEN, at, record
from tests.unit.experiments.finished_runs import finished

HEIRS = ((HOME, "EU"), (ABROAD, "US"))
NODES = ("eu-west-db1", "eu-central-db1", "us-east-db1", "us-east-db2")


def run_of(
    folder: Path,
    found: ResidencyRecord | None,
    *,
    mutant: str = "none",
    taken_by: str = "eu-west-db1",
    inspections: tuple[str, ...] = ("residency",),
    schedule: tuple[Step, ...] = (),
) -> RecordedRun:
    scribe = Scribe()
    rows = [{"table": "customers", "columns": {"id": 1, "residency": "EU"}}]
    value = {"rows": rows, "canaries": [asdict(canary) for canary in WRITTEN]}
    scribe.call("register", S, S + MS, value=value, node=taken_by, region="eu-west")
    american = [{"table": "customers", "columns": {"id": 2, "residency": "US"}}]
    scribe.call(
        "register", 2 * S, 2 * S + MS, value={"rows": american, "canaries": []},
        node="us-east-db1", region="us-east",
    )  # fmt: skip
    for node in NODES:
        scribe.call("rows", 70 * S, 70 * S + MS, result={"ANY": 1}, node=node)
    for step in schedule:
        if step.kind == "node-kill":
            scribe.window(int(step.at_s * S), int(step.at_s * S) + S, "node-kill eu-west-db1")
    if found is not None:
        write_record(found, folder / "residency.json")
    return finished(
        Plan(
            "data-placement", Load("personal_data"), schedule, 1, 5.0,
            experiment="data_placement", inspections=inspections,
        ),
        load(find("data-placement"), {"placement_mutant": mutant}),
        scribe.history(), folder,
    )  # fmt: skip


def judged(run: RecordedRun) -> dict[str, Verdict]:
    return {verdict.name: verdict for verdict in placed(setting_of(run))}


CLEAN = replace(record(), heirs=HEIRS)


def test_a_run_with_all_its_controls_is_clean(tmp_path: Path) -> None:
    found = judged(run_of(tmp_path, CLEAN))
    for name in ("residency", "failover_inside", "writes_at_home", "rows_at_home"):
        assert found[name].validity is Validity.VALID, found[name].reason


@pytest.mark.parametrize("mutant", ["backup_abroad", "cache_abroad", "stray_replica"])
def test_a_deployment_that_is_known_to_be_broken_is_never_clean(
    tmp_path: Path, mutant: str
) -> None:
    """Once a run ended before the first dump was made, and was green."""
    verdict = judged(run_of(tmp_path, CLEAN, mutant=mutant))["residency"]
    assert verdict.validity is Validity.UNKNOWN
    assert mutant in verdict.reason


def test_a_store_that_has_not_dumped_yet_makes_it_inconclusive(tmp_path: Path) -> None:
    waiting = replace(CLEAN, stored=(*CLEAN.stored, (ABROAD, "EU", "dump")))
    verdict = judged(run_of(tmp_path, waiting))["residency"]
    assert verdict.validity is Validity.UNKNOWN
    assert f"data of EU in a dump on {ABROAD}" in verdict.reason


def test_a_leak_stays_one_in_a_mutant(tmp_path: Path) -> None:
    leaked = replace(record(at(PERSON, ABROAD, "dump", "/srv/backup/eu.dump")), heirs=HEIRS)
    verdict = judged(run_of(tmp_path, leaked, mutant="backup_abroad"))["residency"]
    assert verdict.validity is Validity.VIOLATION


def test_a_run_without_a_record_shows_nothing(tmp_path: Path) -> None:
    found = judged(run_of(tmp_path, None))
    assert found["residency"].validity is Validity.UNKNOWN
    assert "did not end" in found["residency"].reason


def test_what_was_taken_abroad_is_a_violation_whatever_the_search_found(tmp_path: Path) -> None:
    found = judged(run_of(tmp_path, CLEAN, taken_by="us-east-db2"))
    assert found["writes_at_home"].validity is Validity.VIOLATION


def erasure(
    folder: Path, *left: Finding, kept: dict[str, str] | None = None, problem: str = ""
) -> Verdict:
    before = Found((at(PERSON, HOME, "table"),), CLEAN.found.searched)
    made = ErasureRecord(
        erasure=Erasure("s1", 5, kept or {}),
        method="complete",
        canaries=(PERSON,),
        before=before,
        after=Found(left, CLEAN.found.searched),
        nodes=(HOME, ABROAD),
        problem=problem,
    )
    write_erasure(made, folder / "erasure.json")
    run = run_of(folder, CLEAN, inspections=("residency", "erasure"))
    assert "erasure" in judged(run)
    return erased(setting_of(run))


def test_an_erasure_is_judged_where_the_plan_has_one(tmp_path: Path) -> None:
    assert erasure(tmp_path).validity is Validity.VALID
    left = at(PERSON, HOME, "dump", "/srv/backup/eu.dump")
    assert erasure(tmp_path, left).validity is Validity.VIOLATION
    said = erasure(tmp_path, left, kept={"/srv/backup": "the second dump from then"})
    assert said.validity is Validity.VALID
    assert "until the second dump from then" in said.reason
    assert "a slot keeps it" in erasure(tmp_path, left, problem="a slot keeps it").reason


def test_an_erasure_that_did_not_come_about_shows_nothing(tmp_path: Path) -> None:
    run = run_of(tmp_path, CLEAN, inspections=("residency", "erasure"))
    assert erased(setting_of(run)).validity is Validity.UNKNOWN


OVERTAKEN = (
    Step("maintenance", "eu-west", 2.0, 2.0, {"work": "narrow_policy"}),
    Step("node-kill", "eu-west-db1", 20.0, 1.0),
)


@pytest.mark.parametrize(
    ("at_s", "validity"), [(21, Validity.VALID), (19, Validity.UNKNOWN), (None, Validity.UNKNOWN)]
)
def test_a_standby_with_older_filters_must_have_taken_over(
    tmp_path: Path, at_s: int | None, validity: Validity
) -> None:
    """What an operator's own change published anew before it shows nothing of such a standby."""
    deeds = [Deed("eu-central-db1", PUBLISHED, "", at_s * S, "placement_x")] if at_s else []
    found = replace(CLEAN, deeds=(*CLEAN.deeds, *deeds))
    assert (
        judged(run_of(tmp_path, found, schedule=OVERTAKEN))["filters_renewed"].validity is validity
    )


@pytest.mark.parametrize("keeps", ["link-cut", "link-timeout"])
def test_what_is_lost_with_a_primary_is_asked_for_where_no_standby_is_behind(
    tmp_path: Path, keeps: str
) -> None:
    """A standby that is behind loses what it lacks: where data is, is promised all the same."""
    behind = Step(keeps, "eu-west->eu-central", 3.0, 5.0)
    found = judged(run_of(tmp_path, CLEAN, schedule=(*OVERTAKEN, behind)))
    assert "replication" not in found
    assert {"filters_renewed", "residency", "writes_at_home", "rows_at_home"} <= set(found)
    for schedule in (OVERTAKEN, (behind,)):
        assert "replication" in judged(run_of(tmp_path, CLEAN, schedule=schedule))


@pytest.mark.parametrize(("work", "asked"), [("free_columns", True), ("pin_rows", False)])
def test_older_filters_are_asked_for_where_the_policy_gets_narrower_when_it_is_undone(
    tmp_path: Path, work: str, *, asked: bool
) -> None:
    schedule = (replace(OVERTAKEN[0], parameters={"work": work}), OVERTAKEN[1])
    assert ("filters_renewed" in judged(run_of(tmp_path, CLEAN, schedule=schedule))) is asked


def test_older_filters_are_asked_for_only_where_a_standby_takes_over(tmp_path: Path) -> None:
    assert "filters_renewed" not in judged(run_of(tmp_path, CLEAN, schedule=OVERTAKEN[:1]))
