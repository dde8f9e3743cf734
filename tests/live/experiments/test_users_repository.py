"""A repository of a user's own: an inventory, a file of tests, and nothing else of ours."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from testbed.topology.shipped import inventories
from tests.live.experiments.command import Command

TESTS = """
from testbed.testing import Load, Plan, Step, in_node

DEPLOYMENT = "inventory/shop"


def plan(deployment, *schedule, duration_s=4, **load):
    return Plan(deployment=deployment.name, load=Load("set", **load), schedule=schedule, seed=1,
                duration_s=duration_s)


def test_the_world_can_be_looked_at(world):
    done = in_node(world, "eu-west-db1", "psql", "-Atc", "SHOW synchronous_standby_names")
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_what_holds_passes(run_plan, deployment):
    run = run_plan(plan(deployment))
    assert run.judgement.availability["us-east"] > 0.9


def test_too_little_load_is_no_pass(run_plan, deployment):
    run_plan(plan(deployment, rate_ops_s=0.1, duration_s=1))


def test_a_lost_write_fails(run_plan, deployment):
    cut = Step("region-cut", "region-of:primary", 2.0, 13.0)
    run_plan(plan(deployment, cut, duration_s=16))
"""


def test_a_users_own_tests_of_a_users_own_cluster(command: Command, tmp_path: Path) -> None:
    shop = tmp_path / "inventory" / "shop"
    shutil.copytree(inventories() / "active-passive", shop)
    variables = shop / "group_vars" / "all.yml"
    text = variables.read_text().replace("synchronous_strict", "asynchronous")
    variables.write_text(text.replace("{delay_ms: 35", "{delay_ms: 60"))
    (tmp_path / "test_shop.py").write_text(TESTS)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir", ".", "--out", "kept"],
        cwd=tmp_path,
        env={**os.environ, "XDG_STATE_HOME": str(command.state)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 2 passed, 1 inconclusive" in done.stdout, done.stdout
    assert "acknowledged writes are lost" in done.stdout
    assert "counterexample of durability" in done.stdout
    runs = sorted((tmp_path / "kept" / "runs").iterdir())
    validities = [json.loads((run / "verdict.json").read_text())["validity"] for run in runs]
    assert validities == ["valid", "unknown", "unknown", "violation"]
    # One world served them all, and is gone.
    worlds = {json.loads((run / "deployment.json").read_text())["world"] for run in runs}
    assert len(worlds) == 1
    assert command.left_behind() == []
