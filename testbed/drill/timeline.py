"""The drill's timeline: injects at their times, that people can hold, skip, hurry and heal."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace

from faults.protocol import Context, Evidence, FaultError
from testbed.drill.book import Book
from testbed.drill.drill import BlastRadius, Inject
from testbed.history.journal import Journal
from testbed.runner.folder import EvidenceLog
from testbed.runner.injection import Injection
from testbed.runner.plan import Step

TICK_S = 0.05

PLANNED, RUNNING, HEALING, DONE, SKIPPED, FAILED = (
    "planned", "running", "healing", "done", "skipped", "failed",
)  # fmt: skip


@dataclass(slots=True)
class Line:
    """An inject and what has become of it.

    Args:
        inject: As the drill file has it.
        state: ``planned``, ``running``, ``healing``, ``done``, ``skipped`` or ``failed``.
        resolved: What its target meant when it was injected.
        effect: What it was shown to do; None while nobody has looked.
        absence: What was shown after the heal.
        began_ns: When it was injected, on the run's clock.
        ended_ns: When it had been healed.
        early: Set to heal it before its time.
        undone: Set when healing is over.
        problem: Why it failed.
    """

    inject: Inject
    state: str = PLANNED
    resolved: str = ""
    effect: Evidence | None = None
    absence: Evidence | None = None
    began_ns: int | None = None
    ended_ns: int | None = None
    early: asyncio.Event = field(default_factory=asyncio.Event)
    undone: asyncio.Event = field(default_factory=asyncio.Event)
    problem: str = ""

    @property
    def active(self) -> bool:
        """Whether it is under way: it holds, or its absence is still looked for."""
        return self.state in (RUNNING, HEALING)

    @property
    def holds(self) -> bool:
        """Whether it may still break something."""
        return self.active and self.ended_ns is None


class DrillTimeline:
    """Plays the injects of a drill.

    Args:
        injects: In order of their times.
        context: What faults may use.
        journal: Gets every phase of every fault.
        evidence: Gets what each was shown to do.
        book: Gets what people should know.
        radius: Where anything may be broken, and how much at a time; more is refused.
    """

    def __init__(
        self,
        injects: tuple[Inject, ...],
        context: Context,
        journal: Journal,
        evidence: EvidenceLog,
        book: Book,
        *,
        radius: BlastRadius,
    ) -> None:
        self.lines = [Line(inject) for inject in injects]
        self.held = False
        self.elapsed_s = 0.0
        self._context = context
        self._journal = journal
        self._evidence = evidence
        self._book = book
        self._radius = radius
        self._tasks: list[asyncio.Task[None]] = []
        self._number = 0
        self._over = False

    def next_line(self) -> Line | None:
        """The next inject that is planned."""
        return next((line for line in self.lines if line.state == PLANNED), None)

    async def play(self) -> None:
        """Play until every inject is done, skipped or failed.

        Raises:
            FaultError: One could not be injected or healed; every other is healed.
        """
        before_s = time.monotonic()
        try:
            while not self._over and (self.next_line() or any(x.active for x in self.lines)):
                now_s = time.monotonic()
                if not self.held:
                    self.elapsed_s += now_s - before_s
                before_s = now_s
                line = self.next_line()
                if line is not None and not self.held and self.elapsed_s >= line.inject.step.at_s:
                    self.fire(line)
                await asyncio.sleep(TICK_S)
        finally:
            self.heal_all()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        problems = [f"{one.inject.name}: {one.problem}" for one in self.lines if one.problem]
        if problems:
            raise FaultError("; ".join(problems))

    def fire(self, line: Line) -> str:
        """Inject a line now.

        Returns:
            Why not; empty when it is on its way.
        """
        active = sum(one.holds for one in self.lines)
        most = self._radius.faults_at_once
        if active >= most:
            return f"{active} of at most {most} faults hold already: heal one first"
        line.state = RUNNING
        number, self._number = self._number, self._number + 1
        self._tasks.append(asyncio.create_task(self._perform(number, line)))
        return ""

    def skip(self, line: Line) -> None:
        """Leave a planned line out."""
        line.state = SKIPPED

    def heal_all(self) -> None:
        """Heal everything that holds, now; the rest stays planned."""
        for line in self.lines:
            if line.active:
                line.early.set()

    def stop(self) -> None:
        """Heal everything and play nothing more."""
        self._over = True
        for line in self.lines:
            if line.state == PLANNED:
                line.state = SKIPPED
        self.heal_all()

    async def healed(self) -> bool:
        """Wait until no fault holds; whether every one was undone without an error."""
        for line in self.lines:
            if line.holds:
                await line.undone.wait()
        return not any(line.problem for line in self.lines)

    def as_played(self, start_ns: int) -> tuple[Step, ...]:
        """What was injected, in its order, at the times that it came to."""
        played = sorted(
            (line for line in self.lines if line.began_ns is not None),
            key=lambda line: line.began_ns or 0,
        )
        return tuple(
            replace(
                line.inject.step,
                at_s=round(((line.began_ns or 0) - start_ns) / 1e9, 3),
                duration_s=None
                if line.inject.step.duration_s is None or line.ended_ns is None
                else round((line.ended_ns - (line.began_ns or 0)) / 1e9, 3),
            )
            for line in played
        )

    async def _perform(self, number: int, line: Line) -> None:
        inject = line.inject
        injection = Injection(number, inject.step, self._context, self._journal, self._evidence)
        line.began_ns = self._context.now()
        told = f": {inject.told}" if inject.told and not inject.hidden else ""
        self._book.note("inject", inject.name, f"is injected{told}", secret=inject.hidden)
        looking: asyncio.Task[Evidence] | None = None
        try:
            await self._stay_inside(inject.step)
            await injection.inject()
            line.resolved = injection.resolved
            looking = asyncio.create_task(injection.show("effect"))
            looking.add_done_callback(lambda task: _seen(line, task))
            await self._hold(line, looking)
        except FaultError as error:
            line.problem = str(error)
        finally:
            if looking is not None and not looking.done():
                looking.cancel()
            await asyncio.shield(self._heal(injection, line))
        if not line.problem:
            line.absence = await injection.show("absence")
            shown = "is gone" if line.absence.shown else "was not shown to be gone"
            self._book.note(
                "inject", inject.name, f"{shown}: {line.absence.observation}", secret=True,
                good=line.absence.shown,
            )  # fmt: skip
        line.state = FAILED if line.problem else DONE

    async def _stay_inside(self, step: Step) -> None:
        """Refuse what a role has taken out of the blast radius.

        Raises:
            FaultError: It means a region now in which nothing may be broken.
        """
        topology = self._context.world.topology
        name = await self._context.resolve(step.target.partition("->")[0].partition("/")[0])
        region = next((one.region for one in topology.nodes if one.name == name), name)
        if region not in self._radius.regions:
            raise FaultError(
                f"{step.kind} {step.target} is {name} now, in {region}: outside the blast radius "
                f"({', '.join(self._radius.regions)})"
            )

    async def _hold(self, line: Line, looking: asyncio.Task[Evidence]) -> None:
        """Let it hold for its time, or until it is healed early."""
        lasting_s = line.inject.step.duration_s
        if lasting_s is None:
            await asyncio.wait(
                {looking, early := asyncio.create_task(line.early.wait())},
                return_when=asyncio.FIRST_COMPLETED,
            )
            early.cancel()
            return
        try:
            async with asyncio.timeout(lasting_s):
                await line.early.wait()
        except TimeoutError:
            return

    async def _heal(self, injection: Injection, line: Line) -> None:
        line.state = HEALING
        try:
            await injection.heal()
        except FaultError as error:
            line.problem = f"{line.problem} {error}".strip()
        line.ended_ns = self._context.now()
        line.undone.set()
        good = not line.problem
        self._book.note(
            "inject", line.inject.name, line.problem or "is healed", secret=line.inject.hidden,
            good=good,
        )  # fmt: skip


def _seen(line: Line, looking: asyncio.Task[Evidence]) -> None:
    if not looking.cancelled() and looking.exception() is None:
        line.effect = looking.result()
