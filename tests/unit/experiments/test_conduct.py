"""A suite summed up: what ended a lane that is no verdict is the environment's failure."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from experiments.conduct import _estimate, summed_up
from experiments.options import Options
from experiments.suite import LaneResult
from testbed.report.judgement import Outcome
from testbed.runner.progress import Estimate


def suite(tmp_path: Path, validities: list[str], codes: list[int]):
    for number, validity in enumerate(validities):
        folder = tmp_path / "runs" / f"lane0-{number:03d}"
        folder.mkdir(parents=True)
        document = {"version": 1, "validity": validity}
        (folder / "verdict.json").write_text(json.dumps(document))
        (folder / "plan.json").write_text(json.dumps({"version": 1}))
    log = tmp_path / "lane.log"
    log.write_text("NameError: name 'x' is not defined\n")
    results = tuple(LaneResult(lane, code, log) for lane, code in enumerate(codes))
    return summed_up("failover", tmp_path, results, 1.0)


@pytest.mark.parametrize(
    ("validities", "codes", "expected"),
    [
        (["valid"], [0], Outcome.VALID),
        (["valid", "violation"], [1], Outcome.VIOLATION),
        (["valid", "unknown"], [2], Outcome.UNKNOWN),
        # A defect of an experiment ends pytest with 1, as a broken promise does.
        (["valid"], [1], Outcome.ERROR),
        (["valid"], [0, 1], Outcome.ERROR),
        (["valid"], [-9], Outcome.ERROR),
        ([], [0], Outcome.ERROR),
        (["violation"], [1, 3], Outcome.VIOLATION),
    ],
)
def test_a_lane_that_ended_otherwise_is_the_environments(tmp_path, validities, codes, expected):
    found = suite(tmp_path, validities, codes)
    assert found.outcome is expected
    if expected is Outcome.ERROR:
        assert "NameError" in found.problem


@pytest.mark.parametrize(
    ("budget_s", "plan", "expected"),
    [(60.0, None, (60.0, 60.0)), (0.0, None, (0.0, None)), (60.0, Path("plan.json"), (None, None))],
)
def test_how_long_is_left_is_said_only_where_it_is_known(tmp_path, budget_s, plan, expected):
    options = Options("active-passive", (), tmp_path, budget_s, 1, 0, 0, None, plan=plan)
    found = _estimate(options, time.monotonic()).payload
    assert isinstance(found, Estimate)
    assert (found.budget_left_s, found.remaining_s) == pytest.approx(expected, abs=1)
    assert found.examples_planned == (1 if plan else None)
