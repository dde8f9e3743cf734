"""Tries mutants of one module: its tests are collected once, each mutant is a fork of that."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from types import CodeType, FunctionType

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.mutation.child import in_child
from tests.mutation.mutant import Mutant, mutated
from tests.mutation.outcome import Outcome
from tests.mutation.planting import functions_of, plant_in_functions, plant_in_import
from tests.mutation.reach import Reach

PROFILE = "mutation"
BASELINE_LIMIT_S = 600.0

_PYTEST = ["-q", "-s", "--assert=plain", "-p", "_hypothesis_pytestplugin"]


def prepare(examples: int) -> None:
    """Make what every trial needs, once, before the first one.

    Args:
        examples: So many examples are drawn by each property; the same in every trial, so that a
            mutant that is killed is killed again.
    """
    os.environ["HYPOTHESIS_PROFILE"] = PROFILE
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ["NUMBA_DISABLE_JIT"] = (
        "1"  # what was compiled before is that of the module unchanged
    )
    sys.dont_write_bytecode = False  # tests are compiled once; a mutant is never written
    settings.register_profile(
        PROFILE,
        deadline=None,
        max_examples=examples,
        derandomize=True,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )


@dataclass
class Trials:
    """A plugin of pytest that runs the tests on every mutant instead of once.

    Args:
        mutants: Those to try, by their modules' files.
        tell: Called with each module, mutant and outcome.
        grace_s: Seconds of processor time for each mutant and test, beside three times its own.
        trouble: Why nothing was tried, if so.
    """

    mutants: dict[Path, list[Mutant]]
    tell: Callable[[Path, Mutant, Outcome], None]
    grace_s: float
    trouble: str | None = "its tests cannot be collected"
    _functions: dict[Path, list[FunctionType]] = field(default_factory=dict)
    _failed: list[str] = field(default_factory=list)

    def run(self, tests: list[str]) -> None:
        """Collect the tests and try the mutants.

        Raises:
            RuntimeError: The tests do not pass on the modules as they are.
        """
        with contextlib.redirect_stdout(io.StringIO()):
            pytest.main([*_PYTEST, *tests], plugins=[self])
        _forget_modules()
        if self.trouble:
            raise RuntimeError(f"nothing is tried: {self.trouble}")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Instead of running the tests once."""
        self._functions = functions_of(self.mutants)
        gc.collect()
        gc.freeze()
        reach = Reach(frozenset(str(module) for module in self.mutants))
        seen = in_child(lambda: self._watched(session.items, reach), BASELINE_LIMIT_S)
        self.trouble = None
        if not isinstance(seen, list):
            self.trouble = f"without any change a test fails, or all take too long: {seen}"
            return True
        reach.took_s, reach.lines = seen
        items = {item.nodeid: item for item in session.items}
        for module, mutants in self.mutants.items():
            for mutant in mutants:
                file = None if mutant.shared else str(module)
                tests = [items[test] for test in reach.tests_of(file, mutant.lines)]
                took_s = [reach.took_s[item.nodeid] for item in tests]
                self.tell(module, mutant, self._try(module, mutant, tests, took_s))
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember what fails."""
        if report.failed:
            self._failed.append(report.nodeid)

    def _watched(self, items: list[pytest.Item], reach: Reach) -> object:
        for item, following in zip_longest(items, items[1:]):
            with reach.watching(item.nodeid):
                _run_item(item, following)
        return self._failed[0] if self._failed else (reach.took_s, reach.lines)

    def _try(
        self, module: Path, mutant: Mutant, tests: list[pytest.Item], took_s: list[float]
    ) -> Outcome:
        if not tests:
            return Outcome.UNREACHED
        code = mutated(module, mutant)

        def run() -> int:
            if mutant.lines is not None and plant_in_functions(self._functions[module], code):
                return self._with_changed_functions(tests, took_s)
            return self._with_changed_import(module, code, tests)

        answer = in_child(run, self._limit_s(sum(took_s)))
        if answer is None:
            return Outcome.TIMED_OUT
        return Outcome.SURVIVED if answer == 0 else Outcome.KILLED

    def _limit_s(self, took_s: float) -> float:
        return self.grace_s + 3 * took_s

    def _with_changed_functions(self, tests: list[pytest.Item], took_s: list[float]) -> int:
        for item, following, its_s in zip_longest(tests, tests[1:], took_s):
            # One that hangs is ended by the default action of the signal, in its first test.
            signal.setitimer(signal.ITIMER_PROF, self._limit_s(its_s))
            _run_item(item, following)
            if self._failed:
                return 1
        return 0

    def _with_changed_import(self, module: Path, code: CodeType, tests: list[pytest.Item]) -> int:
        _forget_modules()
        plant_in_import(module, code)
        return int(pytest.main([*_PYTEST, "-x", *(item.nodeid for item in tests)]))


def _run_item(item: pytest.Item, following: pytest.Item | None) -> None:
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)


def _forget_modules() -> None:
    """Have our modules imported anew by whoever needs them next."""
    for name in [name for name in sys.modules if name.split(".")[0] in ("testbed", "tests")]:
        if name != "tests" and not name.startswith("tests.mutation"):
            del sys.modules[name]
