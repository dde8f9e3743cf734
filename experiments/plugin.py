"""The pytest plugin: the options of a suite, and the arena that an experiment runs its plans in.

Registered as the entry point ``testbed`` of pytest, so that ``pytest experiments/failover.py
--deployment active-passive`` works wherever the testbed is installed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from experiments.options import Options
from testbed.checkers.verdict import Validity

if TYPE_CHECKING:
    # Every pytest of this environment loads the plugin: only experiments pay for the rest.
    from experiments.arena import Arena
    from testbed.topology.model import Deployment

BAD_USAGE = 64
INCONCLUSIVE = 2
ENVIRONMENT_FAILED = 3

_OPTIONS = pytest.StashKey[Options]()
_ARENAS: pytest.StashKey[list[Arena]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of a suite."""
    group = parser.getgroup("testbed", "experiments of the testbed")
    group.addoption("--deployment", help="folder below inventory/ (default: the experiment's)")
    group.addoption(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="testbed_settings",
        help="a variable of the deployment; may be given again",
    )
    group.addoption("--out", type=Path, help="folder of the suite (default: runs/TIME)")
    group.addoption(
        "--budget",
        type=float,
        default=180.0,
        metavar="SECONDS",
        dest="testbed_budget",
        help="no further example is begun after it",
    )
    group.addoption(
        "--examples",
        type=int,
        default=1000,
        dest="testbed_examples",
        help="at most so many examples",
    )
    group.addoption(
        "--plan-seed", type=int, default=0, dest="testbed_seed", help="of all that is drawn"
    )
    group.addoption("--lane", type=int, default=0, help="number of this lane, from 0")
    group.addoption("--progress", type=Path, help="file that progress events are added to")
    group.addoption("--plan", type=Path, help="run this plan alone instead of a search")
    group.addoption(
        "--fresh", action="store_true", help="provision by Ansible, not from a golden snapshot"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Gather the options of the suite."""
    out = config.getoption("--out") or Path("runs") / time.strftime("%Y%m%d-%H%M%S")
    config.stash[_ARENAS] = []
    config.stash[_OPTIONS] = Options(
        deployment=config.getoption("--deployment"),
        settings=tuple(config.getoption("testbed_settings")),
        out=out.absolute(),
        budget_s=config.getoption("testbed_budget"),
        examples=config.getoption("testbed_examples"),
        seed=config.getoption("testbed_seed"),
        lane=config.getoption("--lane"),
        progress=config.getoption("--progress"),
        fresh=config.getoption("--fresh"),
        plan=config.getoption("--plan"),
    )


@pytest.fixture(scope="module")
def options(request: pytest.FixtureRequest) -> Options:
    """What the suite is run with."""
    return request.config.stash[_OPTIONS]


@pytest.fixture(scope="module")
def deployment(request: pytest.FixtureRequest, options: Options) -> Deployment:
    """The deployment: the one asked for, or the experiment's ``DEPLOYMENT``."""
    from testbed.topology.inventory import find, load  # noqa: PLC0415 - see above
    from testbed.topology.problem import InventoryError  # noqa: PLC0415
    from testbed.topology.settings import assignments  # noqa: PLC0415

    name = options.deployment or request.module.DEPLOYMENT
    try:
        return load(find(name), assignments(options.settings))
    except InventoryError as error:
        pytest.exit(str(error), returncode=BAD_USAGE)


@pytest.fixture(scope="module")
def arena(
    request: pytest.FixtureRequest, options: Options, deployment: Deployment
) -> Iterator[Arena]:
    """Where plans become judged runs; its world ends with the module."""
    from experiments.arena import Arena  # noqa: PLC0415

    made = Arena(deployment, options)
    request.config.stash[_ARENAS].append(made)
    try:
        yield made
    finally:
        made.close()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Turn what became of the plans into an exit code: a pass needs every run to be valid."""
    judgements = [
        judgement for arena in session.config.stash[_ARENAS] for judgement in arena.judgements
    ]
    validities = {judgement.validity for judgement in judgements}
    if session.exitstatus != pytest.ExitCode.OK:
        return
    if None in validities:
        session.exitstatus = ENVIRONMENT_FAILED
    elif Validity.UNKNOWN in validities:
        session.exitstatus = INCONCLUSIVE


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what became of every plan."""
    for arena in terminalreporter.config.stash[_ARENAS]:
        for judgement in arena.judgements:
            said = judgement.validity.name if judgement.validity is not None else "ERROR"
            terminalreporter.write_line(f"{said} {judgement.summary}")
            terminalreporter.write_line(f"    {judgement.folder.path}")
