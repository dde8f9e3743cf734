"""The pytest plugin: worlds and judged runs as fixtures, for the suites here and for users' tests.

Registered as the entry point ``testbed`` of pytest, so that it is there wherever the testbed is
installed. Tests of users take ``run_plan`` and ``world``; the experiments of the testbed itself
take ``arena``. Every pytest of the environment loads this file: what only experiments need is
imported when they need it.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from experiments.chaos_marker import MARKER, SIGNATURE
from experiments.duration import parse_duration_s
from experiments.options import Options
from experiments.outcomes import EnvironmentFailedError, MisuseError
from experiments.plugin_options import OPTIONS, asked_of, options_of, teller
from experiments.plugin_reports import Reports

if TYPE_CHECKING:
    from experiments.arena import Arena
    from experiments.arenas import Arenas
    from experiments.run_plan import RunPlan
    from testbed.topology.model import Deployment
    from testbed.world.namespaces import NamespaceWorld

BUDGET_S = 180.0
EXAMPLES = 1000

_FIXTURES = frozenset({"world", "run_plan", "arena"})
_ARENAS: pytest.StashKey[Arenas] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options; paths stay texts, which pytest-xdist can hand to its workers."""
    group = parser.getgroup("testbed", "experiments of the testbed")
    group.addoption("--deployment", help="a shipped deployment, or the path of an inventory folder")
    group.addoption(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="testbed_settings",
        help="a variable of the deployment; may be given again",
    )
    group.addoption("--out", help="folder of the runs (default: runs/TIME)")
    group.addoption(
        "--budget",
        metavar="TIME",
        dest="testbed_budget",
        help="of each search: none is begun after it, from the first world on (default 3m)",
    )
    group.addoption(
        "--examples",
        type=int,
        dest="testbed_examples",
        help="at most so many examples of each search",
    )
    group.addoption(
        "--examples-database",
        metavar="FOLDER",
        help="where Hypothesis keeps the examples that failed (default: .testbed/examples)",
    )
    group.addoption(
        "--plan-seed", type=int, default=0, dest="testbed_seed", help="of all that is drawn"
    )
    group.addoption("--lane", type=int, default=0, help="number of this lane, from 0")
    group.addoption("--suite", type=int, help="number of the process with which this lane ends")
    group.addoption("--progress", help="file that progress events are added to")
    group.addoption("--plan", help="run this plan alone instead of a search")
    group.addoption(
        "--fresh", action="store_true", help="provision by Ansible, not from a golden snapshot"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Gather the options, and register the marker."""
    if suite := config.getoption("--suite"):
        from testbed.runner.leash import end_with_suite  # noqa: PLC0415 - see above

        end_with_suite(suite)
    config.addinivalue_line("markers", SIGNATURE)
    # Set in each worker of pytest-xdist.
    worker: dict[str, Any] = getattr(config, "workerinput", {})
    out = worker.get("testbed_out") or config.getoption("--out")
    lane = worker.get("workerid", "").removeprefix("gw")
    budget, progress, plan = (
        config.getoption(name) for name in ("testbed_budget", "--progress", "--plan")
    )
    try:
        budget_s = BUDGET_S if budget is None else parse_duration_s(budget)
    except ValueError as error:
        pytest.exit(f"--budget: {error}", returncode=64)
    options = Options(
        deployment=config.getoption("--deployment"),
        settings=tuple(config.getoption("testbed_settings")),
        out=(Path(out) if out else Path("runs") / time.strftime("%Y%m%d-%H%M%S")).absolute(),
        budget_s=budget_s,
        examples=config.getoption("testbed_examples") or EXAMPLES,
        seed=config.getoption("testbed_seed"),
        lane=int(lane) if lane.isdecimal() else config.getoption("--lane"),
        progress=Path(progress) if progress else None,
        fresh=config.getoption("--fresh"),
        plan=Path(plan) if plan else None,
    )
    config.stash[OPTIONS] = options
    config.pluginmanager.register(Reports(config), "testbed-reports")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Let every worker of pytest-xdist put its runs into the same folder."""
    node.workerinput["testbed_out"] = str(node.config.stash[OPTIONS].out)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests that run clusters, and give their searches the settings that fit."""
    taking = [item for item in items if _FIXTURES & {*getattr(item, "fixturenames", ())}]
    for item in taking:
        if item.get_closest_marker(MARKER) is None:
            item.add_marker(MARKER)
    searches = [item for item in taking if hasattr(getattr(item, "obj", None), "hypothesis")]
    if searches:
        from experiments.search import fit_searches  # noqa: PLC0415 - see above

        folder = (
            config.getoption("--examples-database") or config.rootpath / ".testbed" / "examples"
        )
        wanted = [(item.obj, options_of(item)) for item in searches]  # type: ignore[attr-defined]
        fit_searches(wanted, Path(folder))


@pytest.fixture
def options(request: pytest.FixtureRequest) -> Options:
    """What the test is run with."""
    return options_of(request.node)


@pytest.fixture
def deployment(request: pytest.FixtureRequest) -> Deployment:
    """The deployment: by ``--deployment``, the marker, or the module's ``DEPLOYMENT``."""
    from testbed.topology.inventory import find, load  # noqa: PLC0415
    from testbed.topology.problem import InventoryError  # noqa: PLC0415
    from testbed.topology.settings import assignments  # noqa: PLC0415

    config, wish = request.config, asked_of(request.node)
    given = config.getoption("--deployment")
    name = given or wish.deployment or getattr(request.module, "DEPLOYMENT", None)
    if name is None:
        raise MisuseError(
            "this test has no deployment: give --deployment inventory/NAME, or write "
            'DEPLOYMENT = "inventory/NAME" in its module'
        )
    # What stands in a test means the same wherever pytest is started.
    written = config.rootpath / name
    place = str(written) if not given and (written / "hosts.yml").is_file() else name
    settings = config.stash[OPTIONS].settings
    try:
        return load(find(place), {**wish.variables, **assignments(settings)})
    except InventoryError as error:
        raise MisuseError(str(error)) from None


@pytest.fixture(scope="session")
def _arenas(request: pytest.FixtureRequest) -> Iterator[Arenas]:
    from experiments.arenas import Arenas  # noqa: PLC0415 - see above

    made = Arenas(request.config.stash[OPTIONS])
    request.config.stash[_ARENAS] = made
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def arena(_arenas: Arenas, deployment: Deployment) -> Arena:
    """Where plans become judged runs."""
    from testbed.toolchain.error import ToolchainError  # noqa: PLC0415

    try:
        return _arenas.of(deployment)
    except ToolchainError as error:
        raise EnvironmentFailedError(str(error)) from None


@pytest.fixture
def world(arena: Arena) -> Iterator[NamespaceWorld]:
    """A world of the deployment in steady state, with every program running.

    The next test gets the same world where this one left it as it was, else a new one.
    """
    from experiments.steady import disturbances, steady_world  # noqa: PLC0415 - see above

    found = steady_world(arena)
    yield found
    if disturbances(found):
        arena.discard_world()


@pytest.fixture
def run_plan(request: pytest.FixtureRequest, arena: Arena, options: Options) -> RunPlan:
    """Runs a plan, judges it, and fails the test where a promise was broken."""
    from experiments.run_plan import RunPlan  # noqa: PLC0415 - see above
    from testbed.topology.settings import assignments  # noqa: PLC0415

    names = {*asked_of(request.node).variables, *assignments(options.settings)}
    variables = {name: arena.deployment.variables[name] for name in sorted(names)}
    return RunPlan(arena, variables, options.budget_s, teller(request.config))


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    """A test passes only if every one of its runs showed something."""
    result: Any = yield
    made: Any = pyfuncitem.funcargs.get("run_plan")
    if made is not None:
        made.settle()
    return result


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Turn what became of a suite's plans into an exit code: a pass needs every run to be valid."""
    arenas = session.config.stash.get(_ARENAS, None)
    if arenas is None or session.exitstatus != pytest.ExitCode.OK:
        return
    from testbed.checkers.verdict import Validity  # noqa: PLC0415 - see above

    validities = {one.validity for arena in arenas.made for one in arena.judgements}
    if None in validities:
        session.exitstatus = 3
    elif Validity.UNKNOWN in validities:
        session.exitstatus = 2


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what became of every plan of a suite."""
    arenas = terminalreporter.config.stash.get(_ARENAS, None)
    for arena in arenas.made if arenas is not None else ():
        for judgement in arena.judgements:
            said = judgement.validity.name if judgement.validity is not None else "ERROR"
            terminalreporter.write_line(f"{said} {judgement.summary}")
            terminalreporter.write_line(f"    {judgement.folder.path}")
