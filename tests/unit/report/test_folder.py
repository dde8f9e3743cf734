from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from testbed.report.folder import RunFolderError, read_run
from testbed.report.recorded import RecordedRun
from testbed.runner.plan import Load, Plan, Step
from testbed.runner.plan_document import to_document
from tests.unit.report.recording import NS, region_cut


def test_a_whole_run_has_no_problem(broken: RecordedRun) -> None:
    assert broken.problems == ()
    assert len([call for call in broken.calls if call.kind == "write"]) == 9000
    assert {call.f for call in broken.calls if call.kind == "other"} == {"schema", "read"}
    assert all(call.region for call in broken.calls)
    assert {call.outcome for call in broken.calls} == {"ok", "fail", "info"}
    assert broken.plan is not None
    assert broken.plan.seed == 20240817
    assert broken.judgement is not None
    assert len(broken.judgement.promises) == 6


def test_completions_belong_to_the_invocation_of_their_process(tmp_path: Path) -> None:
    lines = [
        {"time": 0, "process": 1, "type": "invoke", "f": "add", "region": "a"},
        {"time": NS, "process": 2, "type": "invoke", "f": "read", "region": "b", "due": 0},
        {"time": 2 * NS, "process": 2, "type": "ok", "f": "read", "node": "b-db1"},
        {"time": 3 * NS, "process": 1, "type": "fail", "f": "add", "error": "refused"},
        {"time": 4 * NS, "process": 3, "type": "invoke", "f": "add", "region": "a"},
        {"time": 5 * NS, "process": 9, "type": "ok", "f": "add"},
    ]  # fmt: skip
    (tmp_path / "history.jsonl").write_bytes(b"\n".join(map(orjson.dumps, lines)))
    calls = read_run(tmp_path).calls
    assert [(c.region, c.f, c.outcome, c.due_s, c.completed_s, c.node) for c in calls] == [
        ("a", "add", "fail", 0.0, 3.0, ""),
        ("b", "read", "ok", 0.0, 2.0, "b-db1"),
        ("a", "add", "info", 4.0, 4.0, ""),
    ]


def test_what_an_operation_refused_by_itself_is_an_answer(tmp_path: Path) -> None:
    lines = [
        {"time": 0, "process": 1, "type": "invoke", "f": "cas", "region": "a"},
        {"time": NS, "process": 1, "type": "fail", "f": "cas", "error": "refused: value differs"},
        {"time": 2 * NS, "process": 1, "type": "invoke", "f": "cas", "region": "a"},
        {"time": 3 * NS, "process": 1, "type": "fail", "f": "cas", "error": "refused by the node"},
    ]  # fmt: skip
    (tmp_path / "history.jsonl").write_bytes(b"\n".join(map(orjson.dumps, lines)))
    calls = read_run(tmp_path).calls
    assert [(c.kind, c.outcome) for c in calls] == [("read", "ok"), ("write", "fail")]


def test_what_is_missing_is_named_and_the_rest_is_kept(unjudged: RecordedRun) -> None:
    found = {problem.file: str(problem) for problem in unjudged.problems}
    assert set(found) == {"verdict.json", "roles.jsonl", "history.jsonl"}
    assert "testbed judge" in found["verdict.json"]
    assert "one of its lines is no JSON object" in found["history.jsonl"]
    assert len(unjudged.calls) > 5000
    assert unjudged.evidence


def test_faults_come_from_the_history_where_nothing_was_judged(unjudged: RecordedRun) -> None:
    (fault,) = unjudged.schedule
    assert (fault.kind, fault.target, fault.resolved) == (
        "region-cut",
        "region-of:primary",
        "eu-west",
    )
    assert (fault.inject_s, fault.effect_s, fault.heal_s) == (10.0, 10.42, None)


def test_a_fault_that_was_not_shown_to_bite_has_no_effect(tmp_path: Path) -> None:
    lines = [
        {"time": at * NS, "process": "faults", "type": "info", "f": "region-cut",
         "value": {"phase": phase, "title": "region-cut eu-west", "shown": shown}}
        for at, phase, shown in ((1, "inject", None), (2, "effect", False))
    ]  # fmt: skip
    (tmp_path / "history.jsonl").write_bytes(b"\n".join(map(orjson.dumps, lines)))
    (fault,) = read_run(tmp_path).schedule
    assert (fault.inject_s, fault.effect_s) == (1.0, None)


def test_a_fault_that_comes_twice_is_two_faults(tmp_path: Path) -> None:
    steps = [("inject", 1), ("effect", 2), ("heal", 3), ("absence", 4), ("inject", 5), ("heal", 6)]
    lines = [
        {"time": at * NS, "process": "faults", "type": "info", "f": "region-cut",
         "value": {"phase": phase, "title": "region-cut eu-west"}}
        for phase, at in steps
    ]  # fmt: skip
    (tmp_path / "history.jsonl").write_bytes(b"\n".join(map(orjson.dumps, lines)))
    found = read_run(tmp_path).schedule
    assert [(fault.inject_s, fault.heal_s) for fault in found] == [(1.0, 3.0), (5.0, 6.0)]


def test_no_folder_and_a_strange_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="no such folder"):
        read_run(tmp_path / "none")
    with pytest.raises(RunFolderError, match="not a run"):
        read_run(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b"null"])
@pytest.mark.parametrize("name", ["plan.json", "verdict.json"])
def test_a_document_that_cannot_be_read_is_a_problem(
    tmp_path: Path, name: str, content: bytes
) -> None:
    region_cut(tmp_path, rate_ops_s=2.0)
    (tmp_path / name).write_bytes(content)
    run = read_run(tmp_path)
    assert [problem.file for problem in run.problems] == [name]
    assert (run.plan if name == "plan.json" else run.judgement) is None


def test_a_file_that_is_a_folder_is_a_problem(tmp_path: Path) -> None:
    region_cut(tmp_path, rate_ops_s=2.0)
    (tmp_path / "roles.jsonl").unlink()
    (tmp_path / "roles.jsonl").mkdir()
    assert "cannot be read" in str(read_run(tmp_path).problems[0])


def test_a_newer_plan_is_shown_with_a_warning(tmp_path: Path) -> None:
    region_cut(tmp_path, rate_ops_s=2.0)
    plan = orjson.loads((tmp_path / "plan.json").read_bytes())
    (tmp_path / "plan.json").write_bytes(orjson.dumps(plan | {"version": 99, "seed": 2**63 + 1}))
    run = read_run(tmp_path)
    assert "version 99 is newer" in run.problems[0].what
    assert run.plan is not None
    assert run.plan.seed == 2**63 + 1


def test_a_suite_can_leave_the_operations_out(broken_folder: Path) -> None:
    run = read_run(broken_folder, operations=False)
    assert run.calls == ()
    assert run.schedule
    assert run.problems == ()


def test_a_plan_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Gates go by it: whose promises judged the run, on what, under which schedule."""
    plan = Plan(
        deployment="active-active",
        load=Load("items", 25.0, 4, 900, {"keys": 4}),
        schedule=(Step("link-cut", "a->b", 2.0, 4.5, {"direction": "one-way"}),),
        seed=3,
        duration_s=7.5,
        variables={"conflict_resolution": "crdt"},
        experiment="conflict_resolution",
        inspections=("replication",),
    )
    (tmp_path / "plan.json").write_bytes(orjson.dumps(to_document(plan)))
    assert read_run(tmp_path).plan == plan
