"""The pytest plugin, as a user's repository meets it; the arena is one that answers at once."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree as ET

import pytest

# Loaded once for all sessions within this process: numpy can't be loaded again.
import experiments.run_plan
import experiments.search  # noqa: F401 - see above
from experiments import plugin
from experiments.plugin_options import OPTIONS
from testbed.topology.shipped import inventories

pytest_plugins = ["pytester"]

CONFTEST = """
import itertools

import pytest

from experiments.arena import Judgement
from testbed.checkers.verdict import Validity
from testbed.runner.folder import RunFolder, write_json
from testbed.runner.plan_document import to_document

VALIDITIES = {0: Validity.VALID, 1: Validity.VIOLATION, 2: Validity.UNKNOWN, 3: None}


class QuickArena:
    '''What becomes of a plan is its seed's remainder by ten.'''

    first_made_s = 0.0

    def __init__(self, deployment, options, number):
        self.deployment, self.options, self.number = deployment, options, number

    def run(self, plan):
        name = f"lane{self.options.lane}-{next(self.number):03d}"
        folder = RunFolder(self.options.out / "runs" / name)
        folder.path.mkdir(parents=True)
        write_json(folder.plan, to_document(plan))
        validity = VALIDITIES[plan.seed % 10]
        if validity is None:
            return Judgement(folder, None, "postgres did not start")
        said = {"promise": "No acknowledged write is lost.", "counterexample": [{"lost": 4711}]}
        reason = f"seed {plan.seed} said so"
        verdict = {"name": "durability", "validity": validity.name.lower(), "reason": reason}
        document = {"version": 1, "validity": validity.name.lower(), "reasons": [reason]}
        write_json(folder.verdict, {**document, "verdicts": [{**verdict, **said}]})
        return Judgement(folder, validity, reason)


@pytest.fixture(scope="session")
def number():
    return itertools.count(1)


@pytest.fixture
def arena(deployment, options, number):
    return QuickArena(deployment, options, number)
"""

HEAD = """
import pytest
from hypothesis import given, strategies as st
from testbed.testing import Step, failover_plan, PromiseBrokenError

DEPLOYMENT = "inventory/shop"
CUT = [Step("region-cut", "region-of:primary", at_s=5, duration_s=20)]

def plan(deployment, seed):
    return failover_plan(deployment, CUT, seed=seed)
"""


class Repository:
    """A user's own: an inventory and one file of tests."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        shutil.copytree(inventories() / "active-passive", pytester.path / "inventory" / "shop")
        pytester.makeini("[pytest]\n")
        pytester.makeconftest(CONFTEST)

    def run(self, test: str, *words: str) -> pytest.RunResult:
        self.pytester.makepyfile(HEAD + test)
        words = ("--out", "kept", "-p", "no:cacheprovider", *words)
        return self.pytester.runpytest_inprocess(*words)

    def runs(self) -> list[dict[str, Any]]:
        folders = sorted((self.pytester.path / "kept" / "runs").iterdir())
        return [json.loads((one / "plan.json").read_text()) for one in folders]


@pytest.fixture
def repository(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Repository:
    # The outer session may be a worker of pytest-xdist.
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    return Repository(pytester)


def one(seed: int, marks: str = "") -> str:
    """A test of one plan."""
    return f"""
{marks}
def test_{seed}(run_plan, deployment):
    run_plan(plan(deployment, {seed}))
"""


SWALLOWED = """
def test_2(run_plan, deployment):
    try:
        run_plan(plan(deployment, 2))
    except BaseException:
        pass
"""
RUNS = """
def test_2(run_plan, deployment, seed):
    run_plan(plan(deployment, seed))
"""
SOME_INCONCLUSIVE = f"@given(seed=st.sampled_from([0, 10, 2, 20])){RUNS}"
UNFIT = """
def test_0(run_plan, deployment):
    run_plan(failover_plan(deployment, [Step("node-kill", "mars", 1.0, 2.0)]))
"""


def test_a_run_that_held_passes_and_its_plan_can_be_replayed(repository):
    result = repository.run(
        "def test_held(run_plan, deployment):\n"
        "    run = run_plan(plan(deployment, 0))\n"
        "    assert run.judgement.promises[0].name == 'durability'\n",
        "--set",
        "patroni_ttl_s=30",
    )
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*held *kept/runs/lane0-001"])
    [plan] = repository.runs()
    # Enough for `testbed replay`, in any clone of the repository.
    assert plan["deployment"] == "./inventory/shop"
    assert plan["variables"] == {"patroni_ttl_s": 30}


def test_a_broken_promise_fails_with_its_counterexample(repository):
    result = repository.run(one(1))
    assert result.ret == 1
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*PromiseBrokenError*", "*seed 1 said so*", "*testbed replay *", "*4711*"]
    )
    assert len(repository.runs()) == 1


def test_a_control_can_expect_a_broken_promise(repository):
    body = "    with pytest.raises(PromiseBrokenError):\n        run_plan(plan(deployment, 1))\n"
    result = repository.run(f"def test_control(run_plan, deployment):\n{body}")
    assert result.ret == 0


@pytest.mark.parametrize(
    "test",
    [one(2), one(2, "@pytest.mark.xfail"), SWALLOWED, SOME_INCONCLUSIVE],
    ids=["plain", "xfail", "swallowed", "search"],
)
def test_an_inconclusive_run_is_no_pass_and_says_why(repository, test):
    result = repository.run(test)
    assert result.ret == 2
    assert result.parseoutcomes() == {"inconclusive": 1}
    result.stdout.fnmatch_lines(["*inconclusive: *", "*seed 2 said so*"])


def test_a_search_goes_on_after_an_inconclusive_run(repository):
    search = "@example(seed=2)\n@given(seed=st.integers(5, 40).map(lambda one: one * 10))\n"
    result = repository.run(f"from hypothesis import example\n{search}" + RUNS, "--examples", "9")
    assert result.ret == 2
    seeds = [plan["seed"] for plan in repository.runs()]
    assert seeds[0] == 2
    assert len(seeds) > 5


def test_a_failed_environment_has_its_own_exit_code(repository):
    result = repository.run(one(3))
    assert result.ret == 3
    result.stdout.fnmatch_lines(["*environment failed: postgres did not start"])


@pytest.mark.parametrize(
    ("seeds", "code"), [((2, 3), 3), ((2, 1), 1), ((3, 1), 1), ((0, 2), 2), ((0,), 0)]
)
def test_the_worst_outcome_decides_the_exit_code(repository, seeds, code):
    assert repository.run("".join(map(one, seeds))).ret == code


def test_an_ordinary_failure_stays_one(repository):
    assert repository.run(one(2) + "\ndef test_other():\n    assert 1 == 2\n").ret == 1


@pytest.mark.parametrize(
    ("test", "words", "said"),
    [
        (one(0), ["--deployment", "inventory/shp"], ["*inventory/shp*no such deployment*"]),
        (one(0), ["--set", "replicatoin=quorum"], ["*unknown variable replicatoin*"]),
        (
            one(0, "@pytest.mark.chaos(budjet=3, examples=0)"),
            [],
            ["*unknown argument 'budjet'*", "*examples: must be*"],
        ),
        (UNFIT, [], ["*schedule step 1*mars*"]),
        ("DEPLOYMENT = None\n" + one(0), [], ["*this test has no deployment*"]),
    ],
    ids=["deployment", "variable", "marker", "plan", "none"],
)
def test_what_cannot_be_meant_is_bad_usage(repository, test, words, said):
    result = repository.run(test, *words)
    assert result.ret == 64
    result.stdout.fnmatch_lines(said)
    assert "Traceback" not in result.stdout.str()


SEARCH = """
@given(seed=st.integers(0, 500).map(lambda one: one * 10 + (1 if one > 7 else 0)))
def test_search(run_plan, deployment, seed):
    run_plan(plan(deployment, seed))
"""


def test_a_search_shrinks_runs_no_plan_twice_and_remembers_what_failed(repository):
    result = repository.run(SEARCH)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*Failing test case: test_search(*", "*seed=81,*"])
    assert "delay_ms" not in result.stdout.str()
    seeds = [plan["seed"] for plan in repository.runs()]
    assert len(seeds) == len(set(seeds))
    kept = repository.pytester.path / ".testbed"
    assert (kept / ".gitignore").read_text() == "*\n"
    assert any((kept / "examples").iterdir())
    # A later session begins with it, whatever it would have drawn first.
    again = repository.run(SEARCH, "--out", "again", "--examples", "1")
    assert again.ret == 1
    first = repository.pytester.path / "again" / "runs" / "lane0-001" / "plan.json"
    assert json.loads(first.read_text())["seed"] == 81


def test_a_budget_that_is_spent_ends_a_search(repository):
    result = repository.run(SEARCH.replace("one > 7", "False"), "--budget", "0.001s")
    assert result.ret == 0
    assert len(repository.runs()) == 1


def test_the_marker_bounds_a_search_and_chooses_the_cluster(repository):
    marks = (
        "@pytest.mark.chaos(examples=3, variables={'replication': 'asynchronous'}, "
        "deployment='active-passive')\n"
    )
    result = repository.run(
        "DEPLOYMENT = None\n" + marks + SEARCH.replace("one > 7", "False").lstrip()
    )
    assert result.ret == 0
    assert {len(repository.runs())} <= {1, 2, 3}
    [plan, *_] = repository.runs()
    assert (plan["deployment"], plan["variables"]) == (
        "active-passive",
        {"replication": "asynchronous"},
    )


def test_tests_of_clusters_can_be_left_out(repository):
    result = repository.run(one(1) + "\ndef test_quick():\n    pass\n", "-m", "not chaos")
    result.assert_outcomes(passed=1, deselected=1)


def test_parallel_worlds_share_a_folder_and_the_exit_code(repository):
    repository.pytester.makepyfile(HEAD + "".join(one(seed) for seed in (0, 10, 20, 2)))
    result = repository.pytester.runpytest_subprocess("-n", "2", "-p", "no:cacheprovider")
    assert result.ret == 2
    assert result.parseoutcomes() == {"passed": 3, "inconclusive": 1}
    [out] = (repository.pytester.path / "runs").iterdir()
    lanes = {folder.name.partition("-")[0] for folder in (out / "runs").iterdir()}
    assert lanes == {"lane0", "lane1"}
    assert len(list((out / "runs").iterdir())) == 4
    result.stdout.fnmatch_lines(["*inconclusive *lane*"])


def test_workers_are_told_the_folder_and_use_it(pytester):
    """It is named after the second in which the session began, which may differ between them."""
    config = pytester.parseconfigure()
    node = SimpleNamespace(workerinput={}, config=config)
    plugin.pytest_configure_node(node)
    out = node.workerinput["testbed_out"]
    assert out.startswith(str(pytester.path / "runs"))
    worker: Any = pytester.parseconfigure()
    worker.workerinput = {"testbed_out": "/elsewhere", "workerid": "gw3"}
    worker.pluginmanager.unregister(name="testbed-reports")
    plugin.pytest_configure(worker)
    options = worker.stash[OPTIONS]
    assert (str(options.out), options.lane) == ("/elsewhere", 3)


def test_every_pytest_of_the_environment_stays_quick():
    """A project that only shares the environment pays for nothing."""
    heavy = "{'hypothesis', 'orjson', 'asyncpg', 'yaml'}"
    code = f"import sys, experiments.plugin; print({heavy} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_what_runs_is_told_with_an_estimate_unless_quiet(repository):
    said = "*running region-cut region-of:primary: about *"
    repository.run(one(0)).stdout.fnmatch_lines([said])
    repository.run(one(0), "-q", "--out", "again").stdout.no_fnmatch_line(said)


def test_junit_has_no_pass_for_what_showed_nothing(repository):
    repository.run(one(0) + one(2) + one(3), "--junitxml", "junit.xml")
    root = ET.parse(repository.pytester.path / "junit.xml").getroot()
    failed = {case.get("name"): case.find("failure") for case in root.iter("testcase")}
    assert failed["test_0"] is None
    for name, said in (("test_2", "inconclusive: "), ("test_3", "environment failed: ")):
        found = failed[name]
        assert found is not None
        assert said in str(found.get("message"))
