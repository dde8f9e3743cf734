"""``run_plan``: a plan becomes a judged run, and its verdict becomes the test's outcome."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from textwrap import indent
from typing import Any

import hypothesis

from experiments.arena import Arena, Judgement
from experiments.fitting import refuse_unfit
from experiments.outcomes import (
    EnvironmentFailedError,
    InconclusiveError,
    MisuseError,
    PromiseBrokenError,
)
from testbed.checkers.verdict import Validity
from testbed.report.counterexample import counterexample_text
from testbed.report.folder import RunFolderError, read_run
from testbed.report.judgement import Outcome
from testbed.report.recorded import RecordedRun
from testbed.report.terminal import console_for, print_run
from testbed.report.wording import seconds
from testbed.runner.plan import Plan
from testbed.runner.plan_document import PlanError, digest
from testbed.topology.inventory import reference

_BESIDE_S = 15.0
"""What a run takes beside its load: a world that starts, and everything after the load."""

_LOG_ENVIRONMENT = {"COLUMNS": "140"}


class RunPlan:
    """Runs plans for one test.

    Within a search of Hypothesis a plan that was run already is remembered, an inconclusive one is
    passed over and told when the test ends, and none is begun when the budget is spent.

    Args:
        arena: Whose world they run in.
        variables: What ``--set`` and the marker changed: kept in each plan, for its replay.
        budget_s: Of the test's search; a first plan always runs.
        say: Told what begins, and how long it takes; None for nobody.
    """

    def __init__(
        self,
        arena: Arena,
        variables: Mapping[str, Any],
        budget_s: float,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self._arena = arena
        self._variables = dict(variables)
        self._budget_s = budget_s
        self._say = say
        self._known: dict[str, Judgement] = {}
        self._started = time.monotonic()
        self._unpaid_s = arena.first_made_s
        self._last_s = 0.0

    def __repr__(self) -> str:
        return "run_plan"

    @property
    def judgements(self) -> tuple[Judgement, ...]:
        """What became of every plan of this test."""
        return tuple(self._known.values())

    def __call__(self, plan: Plan) -> RecordedRun:
        """Run a plan and judge it: its folder is made, with ``plan.json``, before it runs.

        Returns:
            The run as it is reported: ``folder``, ``judgement`` with promises and measures.

        Raises:
            PromiseBrokenError: A promise was broken; with the counterexample.
            InconclusiveError: It showed neither.
            EnvironmentFailedError: It could not be made or did not end.
            MisuseError: The plan can't work on the deployment; with every problem.
        """
        __tracebackhide__ = True
        searching = hypothesis.currently_in_test_context()
        plan = self._complete(plan)
        key = digest(plan)
        if not searching or key not in self._known:
            if searching and self._exhausted():
                hypothesis.reject()
            if self._say is not None:
                self._say(_announced(plan))
            began_s = self._spent_s()
            self._known[key] = self._arena.run(plan)
            self._last_s = self._spent_s() - began_s
        judgement = self._known[key]
        if searching and judgement.validity is Validity.UNKNOWN:
            hypothesis.reject()
        self._tell(judgement)
        return read_run(judgement.folder.path, operations=False)

    def settle(self) -> None:
        """End a test that would pass although one of its runs showed nothing.

        Raises:
            EnvironmentFailedError: A run did not come to its end.
            InconclusiveError: A run showed neither.
        """
        __tracebackhide__ = True
        for validity in (None, Validity.UNKNOWN):
            found = [one for one in self.judgements if one.validity is validity]
            if found:
                self._tell(found[0])

    def _complete(self, plan: Plan) -> Plan:
        """The plan with what its replay needs; refused whole when it can't work."""
        __tracebackhide__ = True
        deployment = self._arena.deployment
        named = reference(deployment.folder)
        if plan.deployment not in (deployment.name, named):
            raise MisuseError(
                f"the plan is of '{plan.deployment}', and this test's world is of '{named}': "
                "make it of the deployment that the fixture `deployment` gives"
            )
        differing = {
            name: value
            for name, value in plan.variables.items()
            if deployment.variables.get(name) != value
        }
        if differing:
            said = ", ".join(f"{name}={value}" for name, value in differing.items())
            raise MisuseError(
                f"the plan's variables are not this world's: {said}. Set them by --set, or by "
                "@pytest.mark.chaos(variables={...})"
            )
        plan = replace(plan, deployment=named, variables={**plan.variables, **self._variables})
        try:
            refuse_unfit(plan, deployment, "plan")
        except PlanError as error:
            raise MisuseError(str(error)) from None
        return plan

    def _exhausted(self) -> bool:
        if not self._known:
            return False
        if any(judgement.validity is None for judgement in self.judgements):
            return True
        return self._spent_s() + self._last_s > self._budget_s

    def _spent_s(self) -> float:
        """What the budget pays for: all but the making of the first world."""
        unpaid_s = self._arena.first_made_s - self._unpaid_s
        return time.monotonic() - self._started - unpaid_s

    def _tell(self, judgement: Judgement) -> None:
        __tracebackhide__ = True
        if judgement.validity is Validity.VIOLATION:
            raise PromiseBrokenError(_told(judgement))
        if judgement.validity is None:
            raise EnvironmentFailedError(f"environment failed: {_told(judgement)}")
        if judgement.validity is Validity.UNKNOWN:
            raise InconclusiveError(f"inconclusive: {_told(judgement)}")


def _announced(plan: Plan) -> str:
    faults = ", ".join(f"{step.kind} {step.target}" for step in plan.schedule) or "no fault"
    return f"running {faults}: about {seconds(plan.duration_s + _BESIDE_S)}"


def _told(judgement: Judgement) -> str:
    """A run in words: promises with reasons, report, replay, and each counterexample."""
    try:
        run = read_run(judgement.folder.path, operations=False)
    except RunFolderError:
        run = None
    if run is None or run.judgement is None or judgement.validity is None:
        return f"{judgement.summary}\n  {judgement.folder.path}"
    sink = io.StringIO()
    print_run(console_for(sink, _LOG_ENVIRONMENT), run)
    parts = [sink.getvalue().rstrip()]
    for promise in run.judgement.promises:
        if promise.outcome is Outcome.VIOLATION and promise.counterexample:
            text = counterexample_text(promise.counterexample)
            parts.append(indent(f"counterexample of {promise.name}:\n{indent(text, '  ')}", "  "))
    return "\n".join(parts)
