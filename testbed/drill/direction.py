"""Directs a drill: watches it, takes what people want, and halts it when it must be."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Mapping
from dataclasses import replace
from typing import Any

from faults.protocol import Context
from testbed.drill.book import Book
from testbed.drill.channel import Channel, Person
from testbed.drill.drill import Drill
from testbed.drill.picture import picture, seen_by
from testbed.drill.readings import WatchedRecorder, broken, signals
from testbed.drill.rehearsal import leftovers
from testbed.drill.stop_watch import StopWatch
from testbed.drill.timeline import DrillTimeline
from testbed.drill.wishes import Wishes
from testbed.drill.worst import FILE as SIGNALS
from testbed.history.appender import Appender
from testbed.probes.look import Observer
from testbed.probes.snapshot import Snapshot
from testbed.runner.folder import EvidenceLog
from testbed.runner.plan import Plan
from testbed.runner.setting import Setting
from testbed.runner.stage import StageError
from testbed.world.namespaces import NamespaceWorld
from testbed.world.protocol import WorldError

TICK_S = 0.1
PICTURE_S = 0.5
LOOK_S = 0.7
DRIVER_S = 20.0
"""By when the driver's terminal must have come; a drill without one does not begin."""

UNSTEADY_S = 1.0
"""For so long a bound must be broken before the machine says so."""

RECORD_S = 0.5


class Direction:
    """One drill under way.

    Args:
        setting: What the run works with; its recorder is a ``WatchedRecorder``.
        drill: What is played.
        book: Gets what happens.
        evidence: Gets what each fault is shown to do.
        context: What faults may use.
        auto: Without people: it begins by itself.
    """

    def __init__(
        self,
        setting: Setting,
        drill: Drill,
        book: Book,
        evidence: EvidenceLog,
        context: Context,
        *,
        auto: bool,
    ) -> None:
        assert isinstance(setting.recorder, WatchedRecorder)
        assert isinstance(setting.world, NamespaceWorld)
        self.book, self.context, self.world = book, context, setting.world
        self._recorder, self._setting, self._drill = setting.recorder, setting, drill
        self._auto = auto
        self._phase = "starting"
        self._timeline = DrillTimeline(
            drill.injects,
            context,
            setting.journal,
            evidence,
            book,
            radius=drill.blast_radius,
        )
        self._stops = [StopWatch(one) for one in drill.stop_conditions]
        self._begin, self._stopped = asyncio.Event(), asyncio.Event()
        self._wishes = Wishes(
            book,
            self._timeline,
            phase=lambda: self._phase,
            start=self._begin.set,
            halt=self.halt,
        )
        self._channel = Channel(setting.folder.path, self._wishes.take, self._gone)
        self._regions = [region.name for region in setting.topology.regions]
        self._snapshot: Snapshot | None = None
        self._played_from_ns = 0
        self._halt: asyncio.Task[None] | None = None
        self._unsteady_since_s: float | None = None
        self._unsteady_said = False

    def signals(self) -> Mapping[str, float | None]:
        """The signals of this moment."""
        return signals(self._recorder.clients(self._regions), self._snapshot)

    def unsteady(self) -> tuple[str, ...]:
        """What keeps the steady state from being healthy, a sentence each."""
        return broken(self._drill.steady_state.bounds, self.signals())

    def phase(self, name: str, text: str) -> None:
        """Enter a phase."""
        self._phase = name
        self.book.note("phase", name, text)

    async def unless_stopped(self, work: Awaitable[None]) -> None:
        """Do what comes before the first inject, unless people give up.

        Raises:
            StageError: They did.
        """
        task, stop = asyncio.ensure_future(work), asyncio.create_task(self._stopped.wait())
        try:
            await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                raise StageError("the drill was aborted before it began; nothing was injected")
            task.result()
        finally:
            stop.cancel()

    async def play(self) -> None:
        """Wait for the start, then play every inject.

        Raises:
            StageError: It was aborted before it began.
            FaultError: An inject could not be injected or healed.
        """
        self.phase("ready", "preflight is green: it begins when the facilitator starts it")
        if self._auto:
            self._begin.set()

        async def begun() -> None:
            await self._begin.wait()

        await self.unless_stopped(begun())
        self._played_from_ns = self.context.now()
        self.phase("playing", "the drill has begun")
        limit_s = self._drill.blast_radius.duration_s
        timer = asyncio.get_running_loop().call_later(
            limit_s, self.halt, f"it has taken {limit_s:g} s, the most that it may", "testbed"
        )
        try:
            await self._timeline.play()
        finally:
            timer.cancel()
            if self._halt is not None:
                await self._halt

    def plan_as_played(self) -> Plan:
        """The plan with the injects as they came to be, so that it can be replayed."""
        plan, from_ns = self._setting.plan, self._played_from_ns
        lasted_s = (self.context.now() - from_ns) / 1e9
        return replace(
            plan,
            schedule=self._timeline.as_played(from_ns),
            duration_s=round(max(1.0, lasted_s), 1) if from_ns else plan.duration_s,
        )

    def halt(self, why: str, who: str) -> None:
        """Heal everything at once, verify, say so; nothing more is injected. Idempotent."""
        self._stopped.set()
        if self._halt is None and self._phase not in ("ending", "ended"):
            self._halt = asyncio.create_task(self._halted(why, who))

    async def _halted(self, why: str, who: str) -> None:
        began_s = time.monotonic()
        self.book.note("halt", "halted", why, who=who, good=False)
        self._timeline.stop()
        undone = await self._timeline.healed()
        took_s = time.monotonic() - began_s
        left = await leftovers(self.world)
        said = f"every fault was healed {took_s:.2f} s after the wish to stop"
        if not undone or left:
            said = f"not everything could be healed after {took_s:.2f} s: {'; '.join(left)}"
        self.book.note("healed", "halt", said, good=undone and not left)

    @contextlib.asynccontextmanager
    async def watching(self, stopping: asyncio.Event) -> AsyncIterator[None]:
        """Everything is watched and every terminal served inside.

        Args:
            stopping: Set when the process is told to end.
        """
        await self._channel.open()
        observer = Observer(self.world)
        tasks = [
            asyncio.create_task(work)
            for work in (
                self._look(observer),
                self._watch(),
                self._record(),
                self._show(),
                self._await_end(stopping),
                self._await_driver(),
            )
        ]
        try:
            yield
            self._channel.show(self._picture_for)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await observer.close()
            await self._channel.close()

    async def _look(self, observer: Observer) -> None:
        while True:
            with contextlib.suppress(WorldError):
                self._snapshot = await observer.look(tries=1)
            await asyncio.sleep(LOOK_S)

    async def _watch(self) -> None:
        """The stop conditions, and what the machine would have said by itself."""
        while True:
            now_s, values = self.context.now() / 1e9, self.signals()
            if self._phase in ("playing", "recovering"):
                for stop in self._stops:
                    if stop.observe(now_s, values):
                        self.halt(stop.said, "testbed")
                self._say_unsteady(now_s)
            await asyncio.sleep(TICK_S)

    async def _record(self) -> None:
        """The signals, for the debrief."""
        with Appender(self._setting.folder.metrics / SIGNALS) as log:
            while True:
                log.append({"time": self.context.now(), **self.signals()})
                await asyncio.sleep(RECORD_S)

    def _say_unsteady(self, now_s: float) -> None:
        bad = self.unsteady()
        if not bad:
            if self._unsteady_said:
                self.book.note("machine", "steady", "the steady state holds again", good=True)
            self._unsteady_since_s, self._unsteady_said = None, False
            return
        if self._unsteady_since_s is None:
            self._unsteady_since_s = now_s
        if not self._unsteady_said and now_s - self._unsteady_since_s >= UNSTEADY_S:
            self._unsteady_said = True
            self.book.note("machine", "unsteady", "; ".join(bad), good=False)

    async def _show(self) -> None:
        while True:
            self._channel.show(self._picture_for)
            await asyncio.sleep(PICTURE_S)

    async def _await_end(self, stopping: asyncio.Event) -> None:
        await stopping.wait()
        self.halt("its process was told to end", "testbed")

    async def _await_driver(self) -> None:
        try:
            async with asyncio.timeout(DRIVER_S):
                await self._wishes.driver_came.wait()
        except TimeoutError:
            self.halt(f"no driver's terminal came within {DRIVER_S:.0f} s", "testbed")

    def _picture_for(self, person: Person) -> dict[str, Any]:
        whole = picture(
            drill=self._drill,
            topology=self._setting.topology,
            world=self.world.name,
            phase=self._phase,
            now_ns=self.context.now(),
            clients=self._recorder.clients(self._regions),
            signals=self.signals(),
            unsteady=self.unsteady(),
            snapshot=self._snapshot,
            timeline=self._timeline,
            stops=self._stops,
            book=self.book,
            people=self._channel.people,
        )
        return seen_by(person, whole)

    def _gone(self, person: Person) -> None:
        self.book.note("left", person.role, "left", who=person.name)
        if person.driver and self._phase != "ended":
            self.halt("the driver's terminal is gone", "testbed")
