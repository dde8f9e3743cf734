"""The arena: where an experiment's plans become judged runs, in one world of its lane."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from experiments.judging import judge
from experiments.options import Options
from experiments.outcomes import PromiseBrokenError
from testbed.checkers.verdict import Validity
from testbed.clients.catalogue import versions
from testbed.history.problem import HistoryError
from testbed.metrics.textfile import write_textfile
from testbed.provision.bring_up import bring_up
from testbed.provision.error import ProvisionError
from testbed.provision.progress import Progress
from testbed.report.folder import RunFolderError
from testbed.report.report_file import ReportError, write_report
from testbed.runner.announcer import Announcer
from testbed.runner.drivers import Drivers
from testbed.runner.ending import Ending
from testbed.runner.execute import execute, prepare
from testbed.runner.folder import FolderError, RunFolder
from testbed.runner.plan import Plan
from testbed.runner.plan_document import PlanError, digest
from testbed.runner.progress import Example, Judged, Log, Phase
from testbed.toolchain.error import ToolchainError
from testbed.topology.model import Deployment
from testbed.world.namespaces import NamespaceWorld, Owner
from testbed.world.protocol import WorldError

_TRIES = 2
"""An inconclusive run is tried once more; what is inconclusive twice stays so."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of one plan.

    Args:
        folder: The run folder.
        validity: Merged over all promises; None when the environment failed.
        summary: One line for people.
    """

    folder: RunFolder
    validity: Validity | None
    summary: str


class Arena:
    """Runs plans one after the other in one world, and remembers what became of each.

    Args:
        deployment: What the worlds are made of.
        options: Of this lane.
        numbers: What run folders are numbered by, where several arenas share a lane.
    """

    def __init__(
        self, deployment: Deployment, options: Options, numbers: Iterator[int] | None = None
    ) -> None:
        self.deployment = deployment
        self._options = options
        self._announcer = Announcer(options.progress, options.lane)
        self._programs = versions(deployment.topology)
        self._world: NamespaceWorld | None = None
        self._drivers: Drivers | None = None
        self._reports = ThreadPoolExecutor(max_workers=1)
        self._known: dict[str, Judgement] = {}
        self._started = time.monotonic()
        self._last_s = 0.0
        self._made_s = 0.0
        self._first_made_s: float | None = None
        self._numbers = numbers or itertools.count(1)

    @property
    def judgements(self) -> tuple[Judgement, ...]:
        """What became of every plan so far."""
        return tuple(self._known.values())

    @property
    def first_made_s(self) -> float:
        """Seconds that the first world took, 0 before there is one.

        No budget pays for them: a deployment that Ansible has to provision first is examined as
        long as any other.
        """
        return self._first_made_s or 0.0

    def exhausted(self) -> bool:
        """True when no further plan should be begun: budget, number or environment is at its end.

        The first plan always runs: an empty suite shows nothing. The budget begins when the first
        world is ready.
        """
        if not self._known:
            return False
        if any(judgement.validity is None for judgement in self.judgements):
            return True
        spent_s = time.monotonic() - self._started - self.first_made_s
        full = len(self._known) >= self._options.examples
        return full or spent_s + self._last_s > self._options.budget_s

    def examine(self, plan: Plan) -> Judgement | None:
        """Run a plan, or remember what became of the same plan before.

        Returns:
            What became of it; None for a plan that comes up when the arena is exhausted, which
            passes unseen, and counts nowhere.

        Raises:
            PromiseBrokenError: The run broke a promise.
        """
        key = digest(plan)
        if key not in self._known:
            if self.exhausted():
                return None
            began, self._made_s = time.monotonic(), 0.0
            self._known[key] = self.run(plan)
            # The next one finds the world made.
            self._last_s = time.monotonic() - began - self._made_s
        judgement = self._known[key]
        if judgement.validity is Validity.VIOLATION:
            raise PromiseBrokenError(judgement.summary)
        return judgement

    def run(self, plan: Plan) -> Judgement:
        """Run a plan, whatever became of the same plan before; an inconclusive run once more."""
        number = next(self._numbers)
        title = ", ".join(f"{step.kind} {step.target}" for step in plan.schedule) or "no fault"
        for attempt in range(1, _TRIES + 1):
            name = f"lane{self._options.lane}-{number:03d}" + ("" if attempt == 1 else "-again")
            folder = RunFolder(self._options.out / "runs" / name)
            self._announcer.tell(Example(number, title, str(folder.path)))
            judgement = self._attempt(plan, folder)
            if judgement.validity is not Validity.UNKNOWN:
                break
        said = judgement.validity.name.lower() if judgement.validity is not None else "error"
        self._announcer.tell(Judged(said, judgement.summary, example=number, run=str(folder.path)))
        return judgement

    def _attempt(self, plan: Plan, folder: RunFolder) -> Judgement:
        try:
            world = self.ready_world()
            prepare(folder, plan, self.deployment, world.name, self._programs)
            self._drivers = self._drivers or Drivers(world)
            ending = execute(self._drivers, folder, self._options.progress, self._options.lane)
        except (WorldError, ProvisionError, ToolchainError, FolderError) as error:
            self.discard_world()
            return Judgement(folder, None, str(error))
        return self._judged(folder, ending)

    def _judged(self, folder: RunFolder, ending: Ending) -> Judgement:
        if ending.outcome != "finished":
            # Whatever stopped the run may still be in the world.
            self.discard_world()
        self._announcer.tell(Phase("judge"))
        try:
            document = judge(folder)
        except (FolderError, PlanError, HistoryError) as error:
            return Judgement(folder, None, str(error))
        # People can wait for the page; the next plan need not.
        self._reports.submit(self._report, folder)
        if ending.outcome != "finished":
            return Judgement(folder, None, ending.problem)
        if document.validity is Validity.VIOLATION:
            # What broke the promise may have left more than the next steady state would show.
            self.discard_world()
        return Judgement(folder, document.validity, document.summary)

    def _report(self, folder: RunFolder) -> None:
        try:
            write_report(folder.path)
        except (ReportError, RunFolderError) as error:
            self._announcer.tell(Log(str(error), "warning"))
        try:
            write_textfile(folder)
        except FolderError as error:
            self._announcer.tell(Log(str(error), "warning"))

    def ready_world(self) -> NamespaceWorld:
        """The lane's world, made anew when there is none that runs.

        Raises:
            WorldError: The kernel refuses it.
            ToolchainError: A program is missing.
            ProvisionError: A program did not become healthy.
        """
        if self._world is not None and not self._world.alive():
            self.discard_world()
        if self._world is None:
            logs = self._options.out / "worlds" / f"lane{self._options.lane}"
            began = time.monotonic()
            self._world = bring_up(
                self.deployment,
                f"run-{os.getpid()}-lane{self._options.lane}",
                logs=logs,
                owner=Owner.RUNNER,
                fresh=self._options.fresh,
                listener=self._tell_provisioning,
            )
            made_s = time.monotonic() - began
            self._made_s += made_s
            if self._first_made_s is None:
                self._first_made_s = made_s
        return self._world

    def _tell_provisioning(self, progress: Progress) -> None:
        phase = Phase("provision", progress.done, progress.remaining_s, progress.task)
        self._announcer.tell(phase)

    def discard_world(self) -> None:
        """End the lane's world; the next one is made when it is needed."""
        if self._drivers is not None:
            self._drivers.close()
            self._drivers = None
        if self._world is not None:
            self._world.down()
            self._world = None

    def close(self) -> None:
        """End the lane's world, and wait for the last report."""
        self.discard_world()
        self._reports.shutdown(wait=True)
