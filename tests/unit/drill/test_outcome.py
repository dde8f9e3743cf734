"""What a drill asks beside the promises of its experiment, and what becomes of both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from experiments.judging import Judged
from testbed.checkers.verdict import Validity, Verdict
from testbed.drill import outcome as outcomes
from testbed.drill.book import Book
from testbed.drill.drill import Drill, Objective
from testbed.drill.outcome import Outcome, outcome_of
from testbed.runner.ending import Ending
from testbed.runner.folder import RunFolder
from testbed.runner.plan import Plan
from testbed.runner.recorded import RecordedRun
from tests.histories import MS, S, Scribe
from tests.unit.drill.scene import shipped

HELD = Verdict("durability", "Nothing is lost.", Validity.VALID, "nothing was")


def _write_book(folder: Path, drill: Drill, halt: str, injected: bool, lasted_s: float) -> None:
    now_ns = 0
    with_book = Book(folder, lambda: now_ns)
    for inject in drill.injects if injected else ():
        with_book.note("inject", inject.name, "is injected")
        now_ns += int(lasted_s * S)
        with_book.note("inject", inject.name, "is healed", good=True)
    if halt:
        with_book.note("halt", "halted", halt)
    with_book.close()


def judged(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    writers: list[str],
    *,
    objective: Objective | None = None,
    halt: str = "",
    verdicts: tuple[Verdict, ...] = (HELD,),
    ending: str = "finished",
    injected: bool = True,
    lasted_s: float = 60.0,
) -> Outcome:
    """The outcome of a drill whose fault is injected after the first writer's write."""
    drill, deployment = shipped()
    scribe = Scribe()
    scribe.fault("region-cut", "region-cut eu-west", 5 * S, "inject")
    for number, node in enumerate(writers):
        start = (2 + 5 * number) * S
        scribe.call("add", start, start + MS, value=number, node=node, region="us-east")
    _write_book(tmp_path, drill, halt, injected, lasted_s)
    plan = Plan("active-passive", drill.load, (), 1, 60.0)
    ended = Ending(ending, "broke")
    run = RecordedRun(
        RunFolder(tmp_path), plan, deployment, scribe.history(), (), ended, None, {}
    )  # fmt: skip
    merged = None if ending != "finished" else max(one.validity for one in verdicts)
    monkeypatch.setattr(outcomes, "judge", lambda folder: Judged(merged, "", verdicts))
    monkeypatch.setattr(outcomes, "read_run", lambda folder: run)
    wanted = objective or Objective("says", "failover", "moves", "EU")
    return outcome_of(RunFolder(tmp_path), replace(drill, objective=wanted))


def test_everything_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = judged(tmp_path, monkeypatch, ["eu-west-db1", "eu-central-db1"])
    assert (found.word, found.exit_code) == ("held", 0)
    assert len(found.verdicts) == 3


def test_a_write_in_the_wrong_jurisdiction_misses_the_objective(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = judged(tmp_path, monkeypatch, ["eu-west-db1", "us-east-db1", "eu-central-db1"])
    assert (found.word, found.exit_code) == ("missed", 1)
    assert "us-east-db1 (US)" in found.reason


def test_a_primary_that_was_to_move_and_did_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = judged(tmp_path, monkeypatch, ["eu-west-db1", "eu-west-db1"])
    assert found.exit_code == 1
    assert "eu-west-db1 in the end" in found.reason


def test_a_primary_that_was_to_stay_and_went_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stays = Objective("says", "failover", "stays")
    writers = ["eu-west-db1", "eu-central-db1", "eu-west-db1"]
    assert judged(tmp_path, monkeypatch, writers, objective=stays).exit_code == 1
    assert judged(tmp_path, monkeypatch, writers[:1] * 3, objective=stays).exit_code == 0


def test_too_few_writes_are_no_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert judged(tmp_path, monkeypatch, ["eu-west-db1"]).exit_code == 2
    assert judged(tmp_path, monkeypatch, []).exit_code == 2


def test_a_halted_drill_is_inconclusive_at_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writers = ["eu-west-db1", "eu-central-db1"]
    found = judged(tmp_path, monkeypatch, writers, halt="the driver's terminal is gone")
    assert (found.word, found.exit_code) == ("inconclusive", 2)
    assert "terminal is gone" in found.reason


def test_a_halted_drill_that_broke_its_promise_missed_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = replace(HELD, validity=Validity.VIOLATION, reason="1 of 9 writes is lost")
    writers = ["eu-west-db1", "eu-central-db1"]
    found = judged(tmp_path, monkeypatch, writers, halt="aborted", verdicts=(lost,))
    assert found.exit_code == 1


def test_a_drill_that_was_not_played_to_its_end_is_the_environments_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writers = ["eu-west-db1", "eu-central-db1"]
    found = judged(tmp_path, monkeypatch, writers, ending="failed")
    assert (found.exit_code, found.reason) == (3, "broke")


def test_what_had_no_time_to_happen_is_not_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A primary that was to move, and an abort before it could."""
    writers = ["eu-west-db1", "eu-west-db1"]
    found = judged(tmp_path, monkeypatch, writers, halt="aborted")
    assert (found.exit_code, found.reason) == (2, "it was halted: aborted")


def test_a_primary_that_was_to_move_before_its_fault_was_healed_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writers = ["eu-west-db1", "eu-west-db1"]
    found = judged(tmp_path, monkeypatch, writers, lasted_s=2.0)
    assert found.exit_code == 2
    assert "healed before its time" in found.reason


def test_a_primary_that_was_to_stay_and_went_is_missed_also_when_it_was_halted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stays = Objective("says", "failover", "stays")
    writers = ["eu-west-db1", "eu-central-db1"]
    found = judged(tmp_path, monkeypatch, writers, objective=stays, halt="aborted")
    assert found.exit_code == 1


def test_a_drill_whose_inject_was_skipped_is_inconclusive_at_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writers = ["eu-west-db1", "eu-central-db1"]
    found = judged(tmp_path, monkeypatch, writers, injected=False)
    assert (found.word, found.exit_code) == ("inconclusive", 2)
    assert "it was not injected: " in found.reason


def test_a_fault_that_was_healed_early_can_still_show_that_the_objective_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writers = ["eu-west-db1", "eu-central-db1"]
    assert judged(tmp_path, monkeypatch, writers, lasted_s=2.0).exit_code == 0
