from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import orjson
import pytest
import xmlschema

from testbed import gates
from testbed.cli.main import main
from testbed.gates import reference
from testbed.gates.compare import compare
from testbed.gates.decide import decide
from testbed.gates.gate import Gate, GateSuite
from testbed.gates.gate_document import GateError, load_gate
from testbed.gates.render import render_json, render_junit, render_markdown
from testbed.gates.shift import paired_shift, shift
from testbed.report.judgement import FaultRecord, Judgement, Outcome, Promise, Recovery
from testbed.report.reading import Problem
from testbed.report.recorded import RecordedRun
from testbed.runner.plan import Load, Plan, Step

SHAPE = xmlschema.XMLSchema(Path(__file__).parents[1] / "report" / "junit.xsd")
SHIPPED = Path(__file__).parents[3] / "experiments" / "gates"
ASKED = {
    "rto_p95_s": 20,
    "lost_writes": 0,
    "dual_primary_runs": 0,
    "converge_max_s": 60,
    "availability_min": 0.5,
    "acknowledged_writes_min": 100,
    "schedules_min": 2,
}
SUITE = GateSuite("failover", "failover", "active-passive", runs_min=2, promises=ASKED)


def run(number: int, outcome: Outcome = Outcome.VALID, **changes: Any) -> RecordedRun:
    """A recorded run; ``changes``: lost, rto_s, writes, bit, dual, variables."""
    lost = float(changes.get("lost", 0))
    writes = float(changes.get("writes", 500))
    dual = Outcome.VIOLATION if changes.get("dual") else Outcome.VALID
    held = Outcome.VIOLATION if lost else changes.get("durability", Outcome.VALID)
    plan = Plan(
        deployment="active-passive",
        variables=changes.get("variables", {}),
        load=Load("set", rate_ops_s=25.0, timeout_ms=1000),
        schedule=(Step("region-cut", "eu", float(number), 5.0),),
        seed=0,
        duration_s=30.0,
        experiment="failover",
    )
    fault = FaultRecord("region-cut", "eu", effect_s=1.0 if changes.get("bit", True) else None)
    judgement = Judgement(
        outcome,
        promises=(
            Promise(
                "durability",
                "d",
                held,
                "",
                (),
                {"lost_writes": lost},
            ),
            Promise("single-primary", "s", dual),
            Promise(
                "recovery",
                "r",
                Outcome.VALID,
                "",
                (),
                {"recovery_ms_max": changes.get("recovery", 9000.0)},
            ),
        ),
        recoveries=(Recovery("eu", "cut", 1.0, 2.0, changes.get("rto_s", 9.0)),),
        acknowledged_writes=writes,
        availability={"eu": changes.get("availability", 0.9)},
        schedule=(fault,),
    )
    blank: dict[str, Any] = dict.fromkeys(RecordedRun.__dataclass_fields__, ())
    blank |= {"folder": Path(f"run{number}"), "plan": plan, "judgement": judgement}
    return RecordedRun(**blank)


def outcome(*runs: RecordedRun) -> Outcome:
    return decide(Gate("g", (SUITE,)), {"failover": runs}).outcome


def test_passes_when_every_threshold_is_kept():
    assert outcome(run(1), run(2)) is Outcome.VALID


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"rto_s": 21.0}, Outcome.VIOLATION),
        ({"rto_s": None}, Outcome.VIOLATION),
        ({"lost": 1}, Outcome.VIOLATION),
        ({"dual": True}, Outcome.VIOLATION),
        ({"recovery": 61_000.0}, Outcome.VIOLATION),
        ({"availability": 0.4}, Outcome.VIOLATION),
        ({"outcome": Outcome.VIOLATION}, Outcome.VIOLATION),
        ({"outcome": Outcome.UNKNOWN}, Outcome.UNKNOWN),
        ({"outcome": Outcome.ERROR}, Outcome.ERROR),
        ({"writes": 99}, Outcome.UNKNOWN),
        ({"bit": False}, Outcome.UNKNOWN),
        ({"durability": Outcome.UNKNOWN}, Outcome.UNKNOWN),
        ({"variables": {"replication": "asynchronous"}}, Outcome.UNKNOWN),
    ],
)
def test_each_promise_can_fail(changes, expected):
    assert outcome(run(1), run(2, **changes)) is expected


def test_a_list_is_set_as_the_command_takes_it(tmp_path):
    path = tmp_path / "gate.toml"
    path.write_text(
        'name = "g"\n[[suite]]\nexperiment = "failover"\npromises = {lost_writes = 0}\n'
        'settings = {synchronous_regions = ["eu-west", "eu-central"]}\n'
    )
    assert load_gate(path).suites[0].settings == ("synchronous_regions=eu-west,eu-central",)


@pytest.mark.parametrize("said", ["eu-west,eu-central", "eu-west, eu-central"])
def test_a_list_may_be_given_as_text(said):
    regions = {"synchronous_regions": ("eu-west", "eu-central")}
    suite = replace(SUITE, settings=(f"synchronous_regions={said}",))
    runs = [run(number, variables=regions) for number in (1, 2)]
    assert decide(Gate("g", (suite,)), {"failover": runs}).outcome is Outcome.VALID
    other = [run(number, variables={"synchronous_regions": ("eu-west",)}) for number in (1, 2)]
    assert decide(Gate("g", (suite,)), {"failover": other}).outcome is Outcome.UNKNOWN


def test_a_boolean_is_the_same_as_its_word():
    suite = replace(SUITE, settings=("patroni_remove_data_directory_on_rewind_failure=false",))
    told = [
        run(number, variables={"patroni_remove_data_directory_on_rewind_failure": False})
        for number in (1, 2)
    ]
    assert decide(Gate("g", (suite,)), {"failover": told}).outcome is Outcome.VALID


@pytest.mark.parametrize("runs", [(), (run(1),)])
def test_too_few_runs_are_inconclusive(runs):
    assert outcome(*runs) is Outcome.UNKNOWN


def test_a_flaky_plan_is_inconclusive_with_its_rate():
    runs = [run(1), run(2), run(3), run(3, Outcome.VIOLATION)]
    result = decide(Gate("g", (SUITE,)), {"failover": runs})
    flaky = next(one for one in result.findings if one.promise == "repeatable")
    assert (result.outcome, flaky.measured) == (Outcome.UNKNOWN, "1 of 2 valid (50%)")


def test_a_promise_that_broke_is_not_hidden_by_a_try_without_an_answer():
    """A plan that no run ever held was called flaky, and the gate ended with 2."""
    runs = [run(1), run(2), run(3, Outcome.UNKNOWN), run(3, Outcome.VIOLATION)]
    failed = [run(1), run(2), run(3, Outcome.ERROR), run(3, Outcome.VIOLATION)]
    assert decide(Gate("g", (SUITE,)), {"failover": failed}).outcome is Outcome.VIOLATION
    result = decide(Gate("g", (SUITE,)), {"failover": runs})
    assert result.outcome is Outcome.VIOLATION
    assert "repeatable" not in {one.promise for one in result.findings}
    again = [run(1), run(2), run(3, Outcome.UNKNOWN), run(3, Outcome.VALID)]
    assert decide(Gate("g", (SUITE,)), {"failover": again}).outcome is Outcome.UNKNOWN


def test_a_failure_outside_of_a_run_is_the_environments():
    result = decide(Gate("g", (SUITE,)), {"failover": [run(1), run(2)]}, {"failover": "no disk"})
    assert result.outcome is Outcome.ERROR


def test_files_agree_with_the_outcome():
    result = decide(Gate("a|b<c>", (SUITE,)), {"failover": [run(1), run(2, lost=3)]})
    assert orjson.loads(render_json(result))["exit_code"] == 1
    SHAPE.validate(render_junit(result))
    root = ET.fromstring(render_junit(result))
    assert root.get("failures") == str(len(root.findall(".//failure"))) == "1"
    assert "a\\|b&lt;c&gt;: ❌ failed" in render_markdown(result)


def test_every_problem_of_a_file_is_told_at_once(tmp_path):
    file = tmp_path / "gate.toml"
    file.write_text(
        'nam = 1\n[[suite]]\nexperiment = "x"\nbudget = "soon"\nruns_min = 0\n'
        "[suite.promises]\nrto = 1\nlost_writes = -1\nrto_p95_s = true\n"
    )
    with pytest.raises(GateError) as caught:
        load_gate(file)
    for part in ("nam", "name", "experiment", "budget", "runs_min", "'rto'", "lost_writes", "True"):
        assert part in str(caught.value)
    assert caught.value.exit_code == 64


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.name)
def test_shipped_gates_can_be_used(file):
    assert load_gate(file).suites


def test_no_runs_at_all_end_in_2_with_files(tmp_path, capsys):
    file, out = SHIPPED / "failover.toml", tmp_path / "out"
    assert main(["gate", str(file), "--runs", str(tmp_path), "--out", str(out)]) == 2
    assert "inconclusive" in capsys.readouterr().out
    assert {one.name for one in out.iterdir()} == {"gate.json", "gate.xml", "gate.md"}


def test_a_missing_file_is_bad_usage(tmp_path, capsys):
    assert main(["gate", str(tmp_path / "none.toml")]) == 64
    assert "none.toml" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([8, 9, 8.5, 9.2], [12, 13, 12.5, 14], Outcome.VIOLATION),
        ([8, 9, 8.5, 9.2], [8.1, 9.1, 8.4, 9.3], Outcome.VALID),
        ([12, 13, 12.5, 14], [8, 9, 8.5, 9.2], Outcome.VALID),
        ([8, 9, 8.5], [12, 13, 12.5], Outcome.UNKNOWN),
    ],
)
def test_a_regression_beyond_noise_is_found(before, after, expected):
    old, new = ([run(n, rto_s=v) for n, v in enumerate(values)] for values in (before, after))
    assert [one.outcome for one in compare("s", old, new)] == [expected]


def test_the_exact_test_counts_permutations():
    found = shift([1, 2, 3, 4], [5, 6, 7, 8])
    assert (found.p, found.median) == (1 / 70, 4)


MIXED = [0.1, 0.3, 0.2, 9, 10, 11, 12, 14]
"""Times without service as a suite has them: some faults take the primary, some do not."""


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ([0.1, 0.3, 0.2, 19, 22, 21, 25, 24], Outcome.VIOLATION),
        ([0.2, 0.2, 0.3, 10, 9, 10.5, 12.5, 13], Outcome.VALID),
        ([0.1, 0.3, 0.2, 6, 7, 8, 9, 11], Outcome.VALID),
    ],
)
def test_runs_of_the_same_schedule_are_compared_as_pairs(after, expected):
    old, new = ([run(n, rto_s=v) for n, v in enumerate(values)] for values in (MIXED, after))
    [found] = compare("s", old, new)
    assert found.outcome is expected
    assert found.measured.endswith("8 schedules played in both")
    # Another system, as a change of a timer makes it, and another order are the same schedules.
    slower = [run(n, rto_s=v, variables={"patroni_ttl_s": 30}) for n, v in enumerate(after)]
    assert compare("s", old, slower[::-1]).__next__() == found
    # Without the pairs the schedules hide it.
    others = [run(n + 100, rto_s=v) for n, v in enumerate(after)]
    assert [one.outcome for one in compare("s", old, others)] == [Outcome.VALID]


def test_a_schedule_that_was_played_often_is_one_pair():
    old = [run(n, rto_s=v) for n in range(5) for v in (9, 10, 30)]
    new = [run(n, rto_s=v) for n in range(5) for v in (11, 1, 11 + n / 10)]
    [found] = compare("s", old, new)
    assert found.measured.startswith("+1.000 s")
    assert "p = 0.0312, 5 schedules" in found.measured


def test_the_signed_rank_test_counts_signs():
    assert paired_shift([1, 2, 3, 4, 5]).p == 1 / 32
    # Of the 32 subsets of the ranks ten come to a sum of 10 or more.
    assert paired_shift([1, 2, 3, 4, -5]).p == 10 / 32
    assert paired_shift([0, 0, 1, 2, 3]).p == 1 / 8
    assert paired_shift([0, 0, 0]).p == 1
    many = paired_shift([n * (-1) ** n for n in range(1, 41)])
    assert 0.4 < many.p < 0.5
    assert paired_shift([float(n) for n in range(1, 21)]).p < 1e-4


def test_the_interval_is_exact_and_never_shorter_than_said():
    """Of eight pairs and of four runs the normal approximation cut one estimate too many."""
    found = paired_shift([1, 2, 4, 8, 16, 32, 64, 128])
    # Of 256 choices of signs five have a sum of ranks of 3 or less, seven one of 4: 2.7 %.
    assert (found.low, found.high) == (2.5, 72)
    found = shift([0, 1, 2, 3], [10, 20, 30, 40])
    assert (found.low, found.high) == (7, 40)
    long = paired_shift([float(number) for number in range(100)])
    assert 40 < long.low < long.median < long.high < 60


def test_a_run_that_left_nothing_is_inconclusive(tmp_path, capsys):
    """It ended the gate as bad usage, with no file."""
    (tmp_path / "runs" / "lane0-001").mkdir(parents=True)
    # A name that is no UTF-8, as a damaged disk leaves it.
    (tmp_path / "runs" / "lane\udcff").mkdir()
    gate = tmp_path / "gate.toml"
    gate.write_text(
        'name = "g"\n[[suite]]\nexperiment = "failover"\npromises = {schedules_min = 0}\n'
    )
    out = tmp_path / "out"
    assert main(["gate", str(gate), "--runs", str(tmp_path), "--out", str(out)]) == 2
    assert orjson.loads((out / "gate.json").read_bytes())["outcome"] == "unknown"
    assert "lane0-001 has no plan" in capsys.readouterr().out


def test_the_reference_page_is_current():
    page = Path(gates.__path__[0]).parents[1] / "docs" / "reference" / "gates.md"
    assert page.read_text(encoding="utf-8") == reference.page(), (
        "run: python -m testbed.gates.reference > docs/reference/gates.md"
    )


def test_a_damaged_verdict_counts_for_no_threshold() -> None:
    damaged = replace(
        run(3, Outcome.UNKNOWN, rto_s=None),
        problems=(Problem("verdict.json", "measures.rto[0].rto_s: expected a number, found x"),),
    )
    result = decide(Gate("g", (SUITE,)), {"failover": [run(1), run(2), damaged]})
    assert result.outcome is Outcome.UNKNOWN
    rto = next(one for one in result.findings if one.promise == "rto_p95_s")
    assert (rto.outcome, rto.measured) == (Outcome.VALID, "9")


def test_a_threshold_missed_by_a_hair_is_not_shown_as_met() -> None:
    result = decide(Gate("g", (SUITE,)), {"failover": [run(1), run(2, availability=0.4999999)]})
    served = next(one for one in result.findings if one.promise == "availability_min")
    assert (served.outcome, served.measured, served.threshold) == (
        Outcome.VIOLATION,
        "0.4999999",
        ">= 0.5",
    )
